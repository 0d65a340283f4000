"""`headwater replica`: what the local copy holds of each object, how fresh it is, and what is being read."""

from dataclasses import asdict
from typing import Any

from headwater.cli.options import AccountOption, JsonOption
from headwater.cli.output import out, print_json, print_table, the_account, utc
from headwater.sync.audit_findings import Finding
from headwater.sync.extras import STATES_IN_WORDS
from headwater.sync.inventory import ObjectCopy, ReadingNow, Replica, replica_of
from headwater.sync.schedule import in_words

_MEGABYTE_BYTES = 1_000_000


def replica(account: AccountOption = None, as_json: JsonOption = False) -> None:
    """Show the local copy: rows, size and freshness of each object, and the read under way. Costs no credit."""
    found = replica_of(the_account(account))
    if as_json:
        print_json(_as_object(found))
        return
    _print_reads(found)
    rows = [_row(copy) for copy in found.copies]
    headings = ("Object", "State", "Live rows", "Deleted", "Columns", "MB", "Parts", "Newest change", "Read up to",
                "Read in full", "Vanished looked for", "Compared", "Next read")  # fmt: skip
    print_table("Objects", headings, rows, numbers=(2, 3, 4, 5, 6))
    for copy in found.copies:
        _print_fields(copy)


def _print_reads(found: Replica) -> None:
    shown, coming = found.shown, found.next
    if shown is None:
        out.print("Nothing was read yet: `headwater plan` tells what the first read costs, `headwater sync` reads.")
    else:
        out.print(f"Readers see cycle {shown.cycle}, published {utc(shown.published_utc)}.", highlight=False)
    cost = (
        "`headwater plan` tells its price"
        if coming.expected_calls is None
        else f"about {coming.expected_calls:,} credits"
    )
    by_itself = f"at {utc(coming.next_utc)}, {in_words(coming.every_minutes)}" if coming.next_utc else "none by itself"
    out.print(f"Next read: {by_itself}; {cost}.", highlight=False)
    if found.now:
        _print_now(found.now)


def _print_now(now: ReadingNow) -> None:
    view, planned = now.view, "" if now.planned_calls is None else f" of {now.planned_calls:,} planned"
    told = [f"Job {view.id} is {view.state.value}"]
    if view.progress:
        total = f" of {view.progress.total:,}" if view.progress.total is not None else ""
        told.append(f"{view.progress.done:,}{total} {view.progress.unit}")
    if view.rate_per_second:
        told.append(f"{view.rate_per_second:,.0f} a second")
    if view.seconds_left is not None:
        told.append(f"about {view.seconds_left:,} seconds left")
    out.print(f"{', '.join(told)}; {now.spent_calls:,}{planned} credits spent. {view.reason}".strip(), highlight=False)


def _row(copy: ObjectCopy) -> tuple[str, ...]:
    return (
        copy.sobject,
        STATES_IN_WORDS[copy.state] + (", being read anew" if copy.is_reload_due else ""),
        _number(copy.live_rows),
        _number(copy.deleted_rows),
        f"{copy.columns:,}",
        f"{copy.size_bytes / _MEGABYTE_BYTES:,.1f}",
        f"{copy.parts:,}",
        utc(copy.newest_utc) if copy.newest_utc else "",
        utc(copy.read_until_utc),
        utc(copy.full_read_utc) if copy.full_read_utc else "",
        utc(copy.vanished_checked_utc) if copy.vanished_checked_utc else "",
        f"{utc(copy.audited_utc)}, {Finding(copy.audit_finding).in_words}" if copy.audit_finding else "",
        copy.next_read_in_words,
    )


def _number(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _print_fields(copy: ObjectCopy) -> None:
    if copy.lost_fields:
        out.print(f"{copy.sobject}: no longer shown by the org: {', '.join(copy.lost_fields)}", highlight=False)
    if copy.new_fields:
        out.print(f"{copy.sobject}: read from the next sync on: {', '.join(copy.new_fields)}", highlight=False)
    for notice in copy.notices:
        out.print(f"Note: {notice.sentence}", highlight=False)


def _as_object(found: Replica) -> dict[str, Any]:
    now = found.now
    return {
        "shown": asdict(found.shown) if found.shown else None,
        "now": asdict(now) if now else None,
        "next": asdict(found.next),
        "objects": [asdict(copy) for copy in found.copies],
    }
