"""Writes the OpportunityHistory row that every change of stage, amount, close date or probability leaves."""

from orgsim.store.changes import add_record, change_record
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
    if "CurrencyIsoCode" in row:
        history["CurrencyIsoCode"] = row["CurrencyIsoCode"]
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
    if old is not None:
        _remember(org, row, old, str(history["Id"]))


def _remember(org: Org, row: Row, old: Row, history_id: str) -> None:
    """The opportunity knows the rows of its last change of amount and of close date."""
    changed = [name for name in ("Amount", "CloseDate") if row.get(name) != old.get(name)]
    links: Row = {f"Last{name}ChangedHistoryId": history_id for name in changed}
    change_record(org, org.catalog().get("Opportunity"), str(row["Id"]), links)
