"""The changes that users make to records: each is kept from queries for as long as the org shows changes late.

Not here: what may be changed (store/write.py). What the org itself does to rows, such as archiving, is seen at once.
"""

from collections.abc import Mapping

from orgsim.schema.model import SObject
from orgsim.store.lateness import hold_back
from orgsim.store.org import Org
from orgsim.store.rows import Row, erase_row, insert_row, update_row
from orgsim.store.values import Stored


def add_record(org: Org, sobject: SObject, row: Row) -> None:
    hold_back(org, sobject, str(row["Id"]))
    insert_row(org.database.connect(), sobject, row)


def change_record(org: Org, sobject: SObject, record_id: str, changes: Mapping[str, Stored]) -> None:
    hold_back(org, sobject, record_id)
    update_row(org.database.connect(), sobject, record_id, changes)


def remove_record(org: Org, sobject: SObject, record_id: str) -> None:
    hold_back(org, sobject, record_id)
    erase_row(org.database.connect(), sobject, record_id)
