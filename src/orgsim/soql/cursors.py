"""Cursors of results that do not fit one page: of whole queries, and of the children of one record (facts C.3).

The cursor of a query keeps the ids of its moment, and each page shows their values as they then are. That of children
keeps the records themselves.
"""

import datetime as dt
import re
import secrets
import string
from dataclasses import dataclass
from pathlib import Path

from orgsim.clock import datetime_text
from orgsim.errors import ApiError
from orgsim.soql.children import PARENT
from orgsim.soql.parts import Parts
from orgsim.soql.scope import Question
from orgsim.store import resultfile
from orgsim.store.database import open_file
from orgsim.store.org import Org
from orgsim.store.timelimit import limited

CURSOR_DAYS = 2
_LOCATOR_PREFIX = "01g"


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a result as JSON texts. `locator` is empty when there are no more."""

    total_size: int
    records: list[str]
    locator: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """`soql` is empty where the records themselves are kept."""

    id: str
    soql: str
    all_rows: bool
    total: int
    batch_rows: int

    def page(self, records: list[str], start: int) -> Page:
        upto = start + self.batch_rows
        return Page(self.total, records, f"{self.id}-{upto}" if upto < self.total else "")


def find_cursor(org: Org, locator: str) -> tuple[Cursor, int]:
    """The cursor and the number of rows already read of `<cursor id>-<rows already read>`."""
    cursor_id, _, start_text = locator.partition("-")
    row = (
        org.database.connect()
        .execute("SELECT id, soql, all_rows, total, batch_rows FROM _cursor WHERE id = ?", (cursor_id,))
        .fetchone()
    )
    if row is None or not start_text.isdigit():
        raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
    return Cursor(*row), int(start_text)


def open_cursor(org: Org, question: Question, parts: Parts) -> Cursor:
    """Keeps the ids of a query's rows."""
    ids_sql = f'SELECT {parts.scope.alias}."Id" FROM {parts.from_sql}{parts.where}{parts.order}{parts.limit}'  # noqa: S608  names come from the schema
    return _keep(org, question, ids_sql, {}, question.text)


def rows_of_query(org: Org, question: Question, parts: Parts, cursor: Cursor, start: int) -> Page:
    root = parts.scope
    sql = (
        f"SELECT {parts.output} FROM result.row CROSS JOIN {question.sight.table_sql(root.sobject)} {root.alias} "  # noqa: S608  names come from the schema
        f'ON {root.alias}."Id" = result.row.value {" ".join(root.joins)} '
        f"WHERE result.row.number > :after AND result.row.number <= :upto ORDER BY result.row.number"
    )
    params = {**question.params, "after": start, "upto": start + cursor.batch_rows}
    connection = open_file(org.database.path)
    try:
        resultfile.attach(connection, _file(org, cursor.id))
        with limited(connection, _limit_seconds(org)):
            records = [row[0] for row in connection.execute(sql, params)]
    finally:
        connection.close()
    return cursor.page(with_child_locators(org, question, records), start)


def rows_of_children(org: Org, cursor: Cursor, start: int) -> Page:
    chunks = resultfile.read(_file(org, cursor.id), start + 1, cursor.batch_rows)
    return cursor.page([text for chunk in chunks for text in chunk], start)


def with_child_locators(org: Org, question: Question, records: list[str]) -> list[str]:
    """Opens a cursor for each set of children that goes on, where children.py has left a place for its address."""
    if not question.child_sets:
        return records
    resource = "queryAll" if question.all_rows else "query"
    base = f"/services/data/v{question.api_version}/{resource}/"

    def address(found: re.Match[str]) -> str:
        sql = question.child_sets[int(found[1])]
        cursor = _keep(org, question, sql, {PARENT: found[2]}, "")
        return f"{base}{cursor.id}-{cursor.batch_rows}"

    place = re.compile(rf"{question.child_mark}:(\d+):(\w+)")
    return [place.sub(address, record) for record in records]


def _keep(org: Org, question: Question, sql: str, params: dict[str, str], soql: str) -> Cursor:
    cursor_id = _LOCATOR_PREFIX + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(15))
    all_params = {**question.params, **params}
    total = resultfile.fill(_file(org, cursor_id), org.database.path, sql, all_params, _limit_seconds(org))
    _forget_old(org)
    cursor = Cursor(cursor_id, soql, question.all_rows, total, question.batch_rows)
    row = (cursor.id, soql, int(cursor.all_rows), total, question.user_id, cursor.batch_rows, org.now_text())
    with org.database.write() as connection:
        connection.execute("INSERT INTO _cursor VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return cursor


def _limit_seconds(org: Org) -> float:
    return float(org.setting("query_timeout_seconds"))


def _file(org: Org, cursor_id: str) -> Path:
    return org.job_folder / f"{cursor_id}.cursor"


def _forget_old(org: Org) -> None:
    border = datetime_text(org.clock.now() - dt.timedelta(days=CURSOR_DAYS))
    with org.database.write() as connection:
        old = connection.execute("DELETE FROM _cursor WHERE made < ? RETURNING id", (border,)).fetchall()
    for (cursor_id,) in old:
        _file(org, cursor_id).unlink(missing_ok=True)
