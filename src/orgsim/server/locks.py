"""Locks on records as the side door and the commands `orgsim lock` and `orgsim unlock` show and change them."""

from dataclasses import asdict
from typing import Any

from orgsim import ids
from orgsim.errors import ApiError, not_found
from orgsim.store.locks import lay_lock, lift_locks, living_locks
from orgsim.store.org import Org
from orgsim.store.rows import read_row


def describe_locks(org: Org) -> list[dict[str, object]]:
    return [asdict(each) for each in living_locks(org)]


def set_lock(org: Org, wish: dict[str, Any]) -> list[dict[str, object]]:
    """{"id"} and, if wanted, "kind" (row, children or approval), "seconds" by the org's clock, "writes"."""
    record_id = _known_id(org, str(wish["id"]))
    seconds, writes = wish.get("seconds"), wish.get("writes")
    if any(given is not None and float(given) <= 0 for given in (seconds, writes)):
        raise ApiError("INVALID_INPUT", "A lock lasts for more than 0 seconds or writes")
    lay_lock(
        org,
        record_id,
        wish.get("kind", "row"),
        seconds=None if seconds is None else float(seconds),
        writes=None if writes is None else int(writes),
    )
    return describe_locks(org)


def remove_locks(org: Org, record_id: str) -> list[dict[str, object]]:
    lift_locks(org, ids.to_18(record_id))
    return describe_locks(org)


def _known_id(org: Org, given: str) -> str:
    sobject = org.catalog().of_id(given) if ids.is_id(given) else None
    record_id = ids.to_18(given) if sobject else ""
    if sobject is None or read_row(org.database.connect(), sobject, record_id) is None:
        raise not_found(f"There is no record {given}")
    return record_id
