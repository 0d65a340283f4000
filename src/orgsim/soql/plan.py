"""Runs compiled queries: first pages, later pages by locator, single records, and Bulk results into a file."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from orgsim.errors import ApiError
from orgsim.schema.catalog import Catalog
from orgsim.schema.model import SObject
from orgsim.soql.compile import all_fields_sql, compile_csv, compile_records
from orgsim.soql.cursors import (
    Page,
    find_cursor,
    open_cursor,
    rows_of_children,
    rows_of_query,
    with_child_locators,
)
from orgsim.soql.leading import led
from orgsim.soql.parse import parse
from orgsim.soql.scope import Question
from orgsim.store import linefile
from orgsim.store.access import view_of
from orgsim.store.currencies import read_currencies
from orgsim.store.eventlog import fill_event_log, names_event_log
from orgsim.store.lateness import sight_of
from orgsim.store.org import Org
from orgsim.store.recyclebin import empty_old
from orgsim.store.timelimit import limited

MAX_AGGREGATE_ROWS = 2000


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, and in which API version."""

    org: Org
    user_id: str
    api_version: str

    @property
    def catalog(self) -> Catalog:
        """As far as it exists for them."""
        return view_of(self.org, self.user_id).catalog

    def question(self, text: str, *, all_rows: bool) -> Question:
        return Question(
            text=text,
            catalog=self.catalog,
            whole_catalog=self.org.catalog(),
            all_rows=all_rows,
            now=self.org.clock.now(),
            time_zone=_time_zone(self.org, self.user_id),
            api_version=self.api_version,
            user_id=self.user_id,
            currencies=read_currencies(self.org, self.user_id),
        )

    def query(self, text: str, *, all_rows: bool) -> Question:
        """As `question`, with what queries can see now: nothing that is late, nothing that was too long in the bin."""
        if all_rows:
            empty_old(self.org)
        question = self.question(text, all_rows=all_rows)
        if names_event_log(text):
            fill_event_log(self.org)
        question.sight = sight_of(self.org)
        return question


def first_page(asker: Asker, soql: str, *, all_rows: bool, batch_rows: int) -> Page:
    """Raises ApiError for anything wrong with the query."""
    org = asker.org
    question = asker.query(soql, all_rows=all_rows)
    question.batch_rows = batch_rows
    seconds = float(org.setting("query_timeout_seconds"))
    with org.database.read() as connection, limited(connection, seconds):
        parts = led(compile_records(question, parse(soql)), connection)
        with closing(connection.execute(parts.sql, question.params)) as found:  # left open, it would keep an old view
            if parts.kind == "count":
                return Page(int(found.fetchone()[0]), [])
            most = MAX_AGGREGATE_ROWS if parts.kind == "aggregate" else batch_rows
            rows = [row[0] for row in found.fetchmany(most + 1)]
    if parts.kind == "aggregate":
        return _aggregate_page(rows)
    if len(rows) <= batch_rows:
        return Page(len(rows), with_child_locators(org, question, rows))
    return rows_of_query(org, question, parts, open_cursor(org, question, parts), 0)


def next_page(asker: Asker, locator: str) -> Page:
    """Later rows of a result, or of the children of a record in a result."""
    cursor, start = find_cursor(asker.org, locator)
    if not cursor.soql:
        return rows_of_children(asker.org, cursor, start)
    question = asker.query(cursor.soql, all_rows=bool(cursor.all_rows))
    question.batch_rows = cursor.batch_rows
    parts = compile_records(question, parse(cursor.soql))
    return rows_of_query(asker.org, question, parts, cursor, start)


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


def write_csv(
    asker: Asker, soql: str, path: Path, *, all_rows: bool, delimiter: str = ",", ending: str = "\n"
) -> CsvResult:
    """Run a Bulk query into a line file, one CSV line per row."""
    question = asker.query(soql, all_rows=all_rows)
    parts = compile_csv(question, parse(soql), delimiter)
    rows = linefile.fill(path, asker.org.database.path, parts.sql, question.params, ending=ending)
    return CsvResult(parts.scope.sobject, parts.header, rows)


def write_json(asker: Asker, soql: str, path: Path, *, all_rows: bool) -> int:
    """Run a Bulk API 1 query into a line file, JSON records with a comma behind each. Returns how many there are."""
    question = asker.query(soql, all_rows=all_rows)
    question.milliseconds = True
    parts = compile_records(question, parse(soql))
    return linefile.fill(path, asker.org.database.path, parts.sql, question.params, ending=",")


def _aggregate_page(rows: list[str]) -> Page:
    if len(rows) > MAX_AGGREGATE_ROWS:
        raise ApiError(
            "EXCEEDED_ID_LIMIT", "Aggregate query does not support queryMore(), use LIMIT to restrict the results"
        )
    return Page(len(rows), rows)


def _time_zone(org: Org, user_id: str) -> ZoneInfo:
    row = org.database.connect().execute('SELECT "TimeZoneSidKey" FROM "User" WHERE "Id" = ?', (user_id,)).fetchone()
    return ZoneInfo(row[0] if row and row[0] else "GMT")
