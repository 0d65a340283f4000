"""The HTTP side door under /orgsim/: for the org's owner on this machine only, costs no credit.

Bodies and answers are JSON. The same deeds are commands of `orgsim`; docs/orgsim/reference.md lists both.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import asdict, replace
from ipaddress import ip_address
from typing import Any

from starlette.responses import Response
from starlette.routing import compile_path

from orgsim.clock import Clock, ClockSetting, parse_datetime
from orgsim.edits.archive import archive_old_activities
from orgsim.edits.checksum import checksum, checksum_all
from orgsim.edits.convert import Conversion, convert_lead
from orgsim.edits.everyday import EditPlan, make_edits
from orgsim.edits.merge import merge
from orgsim.edits.snapshots import list_snapshots, restore_snapshot, take_snapshot
from orgsim.errors import ApiError, not_found
from orgsim.exchange import Exchange, json_response, refusal
from orgsim.oauth.grants import revoke_all
from orgsim.oauth.users import any_admin
from orgsim.rest.faults import Effect, Fault, add_fault, clear_faults, list_faults
from orgsim.server.levers import ROUTES as LEVER_ROUTES
from orgsim.server.levers import org_of
from orgsim.store.org import Org
from orgsim.store.recyclebin import empty_old
from orgsim.store.settings import DEFAULTS
from orgsim.store.state import State
from orgsim.store.write import Writer

Deed = Callable[[Exchange], object]
_CLOCK_YEARS = range(1971, 3000)


def answer(exchange: Exchange) -> Response:
    stranger = refuse_strangers(exchange)
    if stranger is not None:
        return stranger
    try:
        deed, params = _find(exchange)
        return json_response(deed(exchange.with_params(params)))
    except ApiError as error:
        return refusal(error)
    except (KeyError, LookupError, TypeError, ValueError, OverflowError) as error:
        return refusal(ApiError("INVALID_INPUT", f"{type(error).__name__}: {error}"))


def refuse_strangers(exchange: Exchange) -> Response | None:
    """Other machines, and pages of other sites that a browser on this one shows."""
    is_near = ip_address(exchange.client_host).is_loopback
    if is_near and exchange.headers.get("origin") in (None, exchange.base_url):
        return None
    return refusal(ApiError("INSUFFICIENT_ACCESS", "This door opens only from the machine itself.", status=403))


def describe_state(state: State) -> dict[str, object]:
    """Orgs with their settings and usage, and the clock."""
    clock = state.clock_setting()
    return {
        "now": state.clock.now().isoformat(),
        "clock": {"offset_seconds": clock.offset_seconds, "frozen_at": clock.frozen_at and clock.frozen_at.isoformat()},
        "orgs": [describe_org(org) for org in state.orgs()],
    }


def describe_org(org: Org) -> dict[str, object]:
    settings = {name: org.setting(name) for name in DEFAULTS if name != "schema_version"}
    counted = {"allowance_calls": org.allowance_calls(), "used_calls": org.usage.used_calls()}
    return {"org_id": org.org_id, **settings, **counted}


def describe_usage(org: Org, journal_rows: int) -> dict[str, object]:
    return {
        "used_calls": org.usage.used_calls(),
        "allowance_calls": org.allowance_calls(),
        "total_credits": org.usage.total_credits(),
        "totals": [asdict(each) for each in org.usage.totals()],
        "journal": org.usage.journal(journal_rows),
    }


def move_clock(state: State, change: dict[str, Any]) -> dict[str, object]:
    """{"freeze": moment} | {"offset_seconds": n} | {"jump_seconds": n}; activities that became old are archived."""
    setting = state.clock_setting()
    if "freeze" in change:
        setting = ClockSetting(frozen_at=parse_datetime(change["freeze"]))
    elif "offset_seconds" in change:
        setting = ClockSetting(offset_seconds=float(change["offset_seconds"]))
    else:
        setting = _jumped(setting, float(change["jump_seconds"]))
    _refuse_far_away(setting)
    state.set_clock(setting)
    for org in state.orgs():
        archive_old_activities(org)
        empty_old(org)
    return {"now": state.clock.now().isoformat()}


def _refuse_far_away(setting: ClockSetting) -> None:
    """Raises ValueError, before a clock is kept that could not be read again."""
    try:
        year = Clock(lambda: setting).now().year
    except OverflowError:
        year = dt.MAXYEAR
    if year not in _CLOCK_YEARS:
        raise ValueError(f"The clock shows only the years {_CLOCK_YEARS[0]} to {_CLOCK_YEARS[-1]}.")


def _jumped(setting: ClockSetting, seconds: float) -> ClockSetting:
    if setting.frozen_at is not None:
        return replace(setting, frozen_at=setting.frozen_at + dt.timedelta(seconds=seconds))
    return replace(setting, offset_seconds=setting.offset_seconds + seconds)


def edit(org: Org, wish: dict[str, Any]) -> dict[str, object]:
    """{"action": "create", "sobject": "Lead", "values": {…}} and so on; see docs/orgsim/reference.md."""
    writer = Writer(org, wish.get("user_id") or any_admin(org))
    action, name = wish["action"], wish.get("sobject", "")
    match action:
        case "create":
            return {"id": writer.insert(name, wish["values"])}
        case "update":
            writer.update(name, wish["id"], wish["values"])
        case "delete":
            writer.delete(name, wish["id"])
        case "undelete":
            writer.undelete(name, wish["id"])
        case "hard-delete":
            writer.purge(name, wish["id"])
        case "merge":
            merge(writer, name, wish["id"], wish["losers"], wish.get("values"))
        case "convert":
            return asdict(convert_lead(writer, wish["id"], Conversion(**wish.get("conversion", {}))))
        case "random":
            return asdict(make_edits(writer, EditPlan(**wish.get("plan", {}))))
        case _:
            raise ApiError("INVALID_INPUT", f"There is no action {action!r}.")
    return {"id": wish["id"]}


def read_fault(plain: dict[str, Any]) -> Fault:
    known = {**plain, "effect": Effect(plain["effect"]), "on_calls": tuple(plain.get("on_calls", ()))}
    return Fault(**known)


# the routes


def _status(exchange: Exchange) -> object:
    return describe_state(exchange.state)


def _clock(exchange: Exchange) -> object:
    return move_clock(exchange.state, exchange.json_object())


def _snapshots(exchange: Exchange) -> object:
    return list_snapshots(exchange.state)


def _take_snapshot(exchange: Exchange) -> object:
    return asdict(take_snapshot(exchange.state, exchange.json_object()["name"]))


def _restore_snapshot(exchange: Exchange) -> object:
    return asdict(restore_snapshot(exchange.state, exchange.path_params["name"]))


def _usage(exchange: Exchange) -> object:
    return describe_usage(org_of(exchange), int(exchange.query.get("journal", "100")))


def _use_elsewhere(exchange: Exchange) -> object:
    body = exchange.json_object()
    org_of(exchange).usage.use_elsewhere(int(body["credits"]), int(body.get("minutes_ago", 0)))
    return describe_org(org_of(exchange))


def _settings(exchange: Exchange) -> object:
    for name, value in exchange.json_object().items():
        org_of(exchange).set(name, value)
    return describe_org(org_of(exchange))


def _edit(exchange: Exchange) -> object:
    return edit(org_of(exchange), exchange.json_object())


def _checksum(exchange: Exchange) -> object:
    all_rows = exchange.query.get("all") == "true"
    name = exchange.query.get("sobject")
    if not name:
        return [asdict(each) for each in checksum_all(org_of(exchange), all_rows=all_rows)]
    fields = [each for each in exchange.query.get("fields", "").split(",") if each]
    return asdict(checksum(org_of(exchange), name, fields or None, all_rows=all_rows))


def _add_fault(exchange: Exchange) -> object:
    return {"id": add_fault(org_of(exchange).usage, read_fault(exchange.json_object()))}


def _list_faults(exchange: Exchange) -> object:
    return list_faults(org_of(exchange).usage)


def _clear_faults(exchange: Exchange) -> object:
    clear_faults(org_of(exchange).usage)
    return []


def _revoke(exchange: Exchange) -> object:
    revoke_all(org_of(exchange), exchange.json_object().get("user_id"))
    return describe_org(org_of(exchange))


_ORG = "/orgsim/orgs/{org_id}"
ROUTES: tuple[tuple[str, str, Deed], ...] = (
    ("GET", "/orgsim/status", _status),
    ("POST", "/orgsim/clock", _clock),
    ("GET", "/orgsim/snapshots", _snapshots),
    ("POST", "/orgsim/snapshots", _take_snapshot),
    ("POST", "/orgsim/snapshots/{name}/restore", _restore_snapshot),
    ("GET", f"{_ORG}/usage", _usage),
    ("POST", f"{_ORG}/usage", _use_elsewhere),
    ("POST", f"{_ORG}/settings", _settings),
    ("POST", f"{_ORG}/edit", _edit),
    ("GET", f"{_ORG}/checksum", _checksum),
    ("GET", f"{_ORG}/faults", _list_faults),
    ("POST", f"{_ORG}/faults", _add_fault),
    ("DELETE", f"{_ORG}/faults", _clear_faults),
    ("POST", f"{_ORG}/revoke", _revoke),
    *LEVER_ROUTES,
)
_COMPILED = tuple((method, compile_path(path)[0], deed) for method, path, deed in ROUTES)


def _find(exchange: Exchange) -> tuple[Deed, dict[str, str]]:
    for method, pattern, deed in _COMPILED:
        if method == exchange.method and (found := pattern.match(exchange.path)):
            return deed, found.groupdict()
    raise not_found()
