"""Runs compiled queries: first pages, later pages by locator, single records, and Bulk results into a file."""

import datetime as dt
import secrets
import string
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from orgsim.clock import datetime_text
from orgsim.errors import ApiError
from orgsim.schema.model import SObject
from orgsim.soql.compile import Parts, all_fields_sql, compile_csv, compile_records
from orgsim.soql.parse import parse
from orgsim.soql.scope import Question
from orgsim.store import resultfile
from orgsim.store.database import open_file
from orgsim.store.lateness import sight_of
from orgsim.store.org import Org
from orgsim.store.recyclebin import empty_old

MAX_AGGREGATE_ROWS = 2000
CURSOR_DAYS = 2
_LOCATOR_PREFIX = "01g"


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and in which API version."""

    org: Org
    user_id: str
    api_version: str

    def question(self, text: str, *, all_rows: bool) -> Question:
        return Question(
            text=text,
            catalog=self.org.catalog(),
            all_rows=all_rows,
            now=self.org.clock.now(),
            time_zone=_time_zone(self.org, self.user_id),
            api_version=self.api_version,
            user_id=self.user_id,
        )

    def query(self, text: str, *, all_rows: bool) -> Question:
        """As `question`, with what queries can see now: nothing that is late, nothing that was too long in the bin."""
        if all_rows:
            empty_old(self.org)
        question = self.question(text, all_rows=all_rows)
        question.sight = sight_of(self.org)
        return question


@dataclass(frozen=True, slots=True)
class Page:
    """Some records of a result as JSON texts. `locator` is empty when there are no more."""

    total_size: int
    records: list[str]
    locator: str = ""


def first_page(asker: Asker, soql: str, *, all_rows: bool, batch_rows: int) -> Page:
    """Raises ApiError for anything wrong with the query."""
    question = asker.query(soql, all_rows=all_rows)
    parts = compile_records(question, parse(soql))
    with asker.org.database.read() as connection:
        cursor = connection.execute(_whole(parts), question.params)
        if parts.kind == "count":
            return Page(int(cursor.fetchone()[0]), [])
        rows = [row[0] for row in cursor.fetchmany(batch_rows + 1)]
    if parts.kind == "aggregate":
        return _aggregate_page(rows)
    if len(rows) <= batch_rows:
        return Page(len(rows), rows)
    return _open_cursor(asker, parts, question, batch_rows)


def next_page(asker: Asker, locator: str) -> Page:
    """Later rows of a result by `<cursor id>-<rows already read>`. The ids are those of the first page's moment."""
    cursor_id, _, start_text = locator.partition("-")
    row = (
        asker.org.database.connect()
        .execute("SELECT soql, all_rows, total, batch_rows FROM _cursor WHERE id = ?", (cursor_id,))
        .fetchone()
    )
    if row is None or not start_text.isdigit():
        raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
    soql, all_rows, total, batch_rows = row
    question = asker.query(soql, all_rows=bool(all_rows))
    parts = compile_records(question, parse(soql))
    return _cursor_page(asker, parts, question, cursor_id, int(start_text), total, batch_rows)


def read_record(asker: Asker, sobject: SObject, record_id: str, names: list[str] | None = None) -> str | None:
    """The JSON text of one record that is not deleted."""
    return next(iter(read_records(asker, sobject, [record_id], names)), None)


def read_records(asker: Asker, sobject: SObject, ids: list[str], names: list[str] | None) -> list[str | None]:
    """The JSON texts of records in the order asked for; None for those that are not there."""
    question = asker.question("", all_rows=False)
    scope, output = all_fields_sql(question, sobject, names)
    hidden = f' AND {scope.alias}."IsDeleted" = 0' if sobject.has_recycle_bin else ""
    sql = f'SELECT {output} FROM {scope.from_sql()} WHERE {scope.alias}."Id" = :wanted{hidden}'  # noqa: S608  names come from the schema
    with asker.org.database.read() as connection:
        found = [connection.execute(sql, {**question.params, "wanted": each}).fetchone() for each in ids]
    return [row[0] if row else None for row in found]


@dataclass(frozen=True, slots=True)
class CsvResult:
    sobject: SObject
    header: tuple[str, ...]
    rows: int


def write_csv(asker: Asker, soql: str, path: Path, *, all_rows: bool, delimiter: str) -> CsvResult:
    """Run a Bulk query into a result file, one CSV line per row."""
    question = asker.query(soql, all_rows=all_rows)
    parts = compile_csv(question, parse(soql), delimiter)
    rows = resultfile.fill(path, asker.org.database.path, _whole(parts), question.params)
    return CsvResult(parts.scope.sobject, parts.header, rows)


def write_json(asker: Asker, soql: str, path: Path, *, all_rows: bool) -> int:
    """Run a Bulk API 1 query into a result file, one JSON record per row. Returns how many there are."""
    question = asker.query(soql, all_rows=all_rows)
    question.milliseconds = True
    parts = compile_records(question, parse(soql))
    return resultfile.fill(path, asker.org.database.path, _whole(parts), question.params)


def _whole(parts: Parts) -> str:
    return parts.sql


def _aggregate_page(rows: list[str]) -> Page:
    if len(rows) > MAX_AGGREGATE_ROWS:
        raise ApiError(
            "EXCEEDED_ID_LIMIT", "Aggregate query does not support queryMore(), use LIMIT to restrict the results"
        )
    return Page(len(rows), rows)


def _open_cursor(asker: Asker, parts: Parts, question: Question, batch_rows: int) -> Page:
    org = asker.org
    cursor_id = _LOCATOR_PREFIX + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(15))
    ids_sql = f'SELECT {parts.scope.alias}."Id" FROM {parts.from_sql}{parts.where}{parts.order}{parts.limit}'  # noqa: S608  names come from the schema
    total = resultfile.fill(_cursor_file(org, cursor_id), org.database.path, ids_sql, question.params)
    _forget_old_cursors(org)
    with org.database.write() as connection:
        connection.execute(
            "INSERT INTO _cursor VALUES (?, ?, ?, ?, ?, ?, ?)",
            (cursor_id, question.text, int(question.all_rows), total, asker.user_id, batch_rows, org.now_text()),
        )
    return _cursor_page(asker, parts, question, cursor_id, 0, total, batch_rows)


def _cursor_page(
    asker: Asker, parts: Parts, question: Question, cursor_id: str, start: int, total: int, batch_rows: int
) -> Page:
    root = parts.scope
    sql = (
        f"SELECT {parts.output} FROM result.row CROSS JOIN {question.sight.table_sql(root.sobject)} {root.alias} "  # noqa: S608  names come from the schema
        f'ON {root.alias}."Id" = result.row.value {" ".join(root.joins)} '
        f"WHERE result.row.number > :after AND result.row.number <= :upto ORDER BY result.row.number"
    )
    params = {**question.params, "after": start, "upto": start + batch_rows}
    connection = open_file(asker.org.database.path)
    try:
        resultfile.attach(connection, _cursor_file(asker.org, cursor_id))
        records = [row[0] for row in connection.execute(sql, params)]
    finally:
        connection.close()
    upto = start + batch_rows
    return Page(total, records, f"{cursor_id}-{upto}" if upto < total else "")


def _cursor_file(org: Org, cursor_id: str) -> Path:
    return org.job_folder / f"{cursor_id}.cursor"


def _forget_old_cursors(org: Org) -> None:
    border = datetime_text(org.clock.now() - dt.timedelta(days=CURSOR_DAYS))
    with org.database.write() as connection:
        old = connection.execute("DELETE FROM _cursor WHERE made < ? RETURNING id", (border,)).fetchall()
    for (cursor_id,) in old:
        _cursor_file(org, cursor_id).unlink(missing_ok=True)


def _time_zone(org: Org, user_id: str) -> ZoneInfo:
    row = org.database.connect().execute('SELECT "TimeZoneSidKey" FROM "User" WHERE "Id" = ?', (user_id,)).fetchone()
    return ZoneInfo(row[0] if row and row[0] else "GMT")
