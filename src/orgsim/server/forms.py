"""What the forms of the pages under /orgsim/ do: fields as text in, a deed of the side door or of the store done.

Each raises ApiError, LookupError, TypeError, ValueError or OverflowError for what cannot be done; the page tells it.
"""

from collections.abc import Callable

import orjson

from orgsim.edits.everyday import EditPlan, make_edits
from orgsim.edits.snapshots import restore_snapshot, take_snapshot
from orgsim.oauth.users import any_admin
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults
from orgsim.rest.latency import Latency, clear_latencies, set_latency
from orgsim.server.admin import move_clock
from orgsim.store.settings import DEFAULTS
from orgsim.store.state import State
from orgsim.store.write import Writer

Fields = dict[str, str]


def _move_on(state: State, form: Fields) -> None:
    move_clock(state, {"jump_seconds": float(form["seconds"])})


def _stop_clock(state: State, form: Fields) -> None:
    """`moment` is what a browser's date and time field sends, `2025-01-31T08:00`, in UTC."""
    move_clock(state, {"freeze": f"{form['moment']}Z"})


def _run_clock(state: State, form: Fields) -> None:  # noqa: ARG001  the form has no fields
    move_clock(state, {"offset_seconds": 0})


def _take_snapshot(state: State, form: Fields) -> None:
    take_snapshot(state, form["name"])


def _restore_snapshot(state: State, form: Fields) -> None:
    restore_snapshot(state, form["name"])


def _set_allowance(state: State, form: Fields) -> None:
    calls = int(form["calls"])
    if calls < 0:
        raise ValueError("an allowance cannot be less than 0.")
    state.org(form["org"]).set("allowance_calls", calls)


def _use_elsewhere(state: State, form: Fields) -> None:
    state.org(form["org"]).usage.use_elsewhere(int(form["calls"]))


def _set_setting(state: State, form: Fields) -> None:
    """`value` is JSON of the type that the setting has."""
    name, value = form["name"], orjson.loads(form["value"])
    known = DEFAULTS[name]
    is_number = known is None or (isinstance(known, int | float) and not isinstance(known, bool))
    wanted: type | tuple[type, ...] = (int, float, type(known)) if is_number else type(known)
    if not isinstance(value, wanted) or (is_number and isinstance(value, bool)):
        example = "100 or null" if known is None else orjson.dumps(known).decode()
        raise ValueError(f"{name} takes a value like {example}.")
    state.org(form["org"]).set(name, value)


def _add_fault(state: State, form: Fields) -> None:
    calls = tuple(int(each) for each in form.get("on_calls", "").replace(",", " ").split())
    rate = float(form.get("percent") or 0) / 100
    if not calls and not rate:
        raise ValueError("a fault needs the numbers of calls it strikes, or a percentage.")
    fault = Fault(Effect(form["effect"]), kind=form.get("kind", "").strip(), on_calls=calls, rate=rate)
    add_fault(state.org(form["org"]).usage, fault)


def _clear_faults(state: State, form: Fields) -> None:
    clear_faults(state.org(form["org"]).usage)


def _set_latency(state: State, form: Fields) -> None:
    latency = Latency(form.get("kind", "").strip(), float(form["seconds"]), float(form["spread_seconds"]))
    set_latency(state.org(form["org"]).usage, latency)


def _clear_latencies(state: State, form: Fields) -> None:
    clear_latencies(state.org(form["org"]).usage)


def _set_lateness(state: State, form: Fields) -> None:
    seconds, percent = float(form["seconds"]), float(form["percent"])
    if seconds < 0 or not 0 <= percent <= 100:
        raise ValueError("changes are late by 0 seconds or more, and at most 100 percent of them.")
    org = state.org(form["org"])
    org.set("late_visible_seconds", seconds)
    org.set("late_visible_share", percent / 100)


def _make_edits(state: State, form: Fields) -> None:
    org = state.org(form["org"])
    plan = EditPlan(*(int(form[name]) for name in ("edits", "deletes", "merges", "conversions", "seed")))
    make_edits(Writer(org, any_admin(org)), plan)


FORMS: dict[str, Callable[[State, Fields], None]] = {
    "move-on": _move_on,
    "stop-clock": _stop_clock,
    "run-clock": _run_clock,
    "take-snapshot": _take_snapshot,
    "restore-snapshot": _restore_snapshot,
    "allowance": _set_allowance,
    "use-elsewhere": _use_elsewhere,
    "setting": _set_setting,
    "add-fault": _add_fault,
    "clear-faults": _clear_faults,
    "latency": _set_latency,
    "clear-latencies": _clear_latencies,
    "lateness": _set_lateness,
    "edits": _make_edits,
}
