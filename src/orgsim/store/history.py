"""Writes the OpportunityHistory row that every change of stage, amount, close date or probability leaves."""

from orgsim.store.changes import add_record
from orgsim.store.org import Org
from orgsim.store.rows import Row

_WATCHED = ("StageName", "Amount", "CloseDate", "Probability")
_COPIED = (*_WATCHED, "ExpectedRevenue", "ForecastCategory")


def write_stage_history(org: Org, user_id: str, row: Row, old: Row | None) -> None:
    """`old` is None for a new opportunity, which gets its first history row."""
    if old is not None and all(row.get(name) == old.get(name) for name in _WATCHED):
        return
    now = org.now_text()
    history: Row = {name: row.get(name) for name in _COPIED}
    history |= {
        "Id": org.new_id("008"),
        "OpportunityId": row["Id"],
        "CreatedDate": now,
        "CreatedById": user_id,
        "SystemModstamp": now,
        "IsDeleted": 0,
    }
    if old is not None:
        history |= {"PrevAmount": old.get("Amount"), "PrevCloseDate": old.get("CloseDate")}
    add_record(org, org.catalog().get("OpportunityHistory"), history)
