"""Asks Salesforce one thing over REST and returns typed records: who the org is, describes, queries, inserts.

Not here: sockets and retries (transport.py), Bulk API (bulk.py), writing many records (collections.py), and
which call is the cheapest (sync/plan.py).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from headwater.common.batches import batches
from headwater.common.errors import Bug
from headwater.salesforce.errors import Refusal
from headwater.salesforce.meter import Call, CallKind
from headwater.salesforce.transport import API_VERSION, Answer, Request, Transport

DATA = f"/services/data/{API_VERSION}"
COMPOSITE_QUERIES_MAX = 5  # of 25 subrequests at most 5 may query (facts B.5)
QUERY_PAGE_ROWS = 2000
OFFSET_ROWS_MAX = 2000  # a query may skip no more (facts C.3)
COMPOSITE_SUBREQUESTS_MAX = 25  # of one credit (facts B.5)
REPLICATION_CODES = frozenset({"INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT", "INVALID_TYPE_FOR_OPERATION"})
UNSEEN_CODES = frozenset({"INVALID_TYPE", "INSUFFICIENT_ACCESS"})
LOCATOR_GONE = "INVALID_QUERY_LOCATOR"  # it lived two days (facts C.3)

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Organization:
    """What the org says it is (facts A.8); never what a button said."""

    id: str
    name: str
    instance_name: str
    organization_type: str
    is_sandbox: bool
    is_trial: bool

    @property
    def kind(self) -> str:
        """production, sandbox, scratch, trial or developer (the table of facts A.8)."""
        if self.is_sandbox:
            return "scratch" if self.is_trial else "sandbox"
        if self.organization_type == "Developer Edition":
            return "developer"
        return "trial" if self.is_trial else "production"


@dataclass(frozen=True, slots=True)
class OrgUser:
    id: str
    username: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class SubQuery:
    """One query of a composite. `soql` sees deleted and archived rows too (queryAll, facts C.2).

    batch_rows   How many rows an answer may hold, 200 to 2,000; the rest stands behind its locator (facts C.3).
    """

    sobject: str
    soql: str
    batch_rows: int = QUERY_PAGE_ROWS

    @property
    def headers(self) -> dict[str, str]:
        is_usual = self.batch_rows == QUERY_PAGE_ROWS
        return {} if is_usual else {"Sforce-Query-Options": f"batchSize={self.batch_rows}"}


@dataclass(frozen=True, slots=True)
class QueryPage:
    """`is_last` is Salesforce's `done`: a page may hold fewer rows than asked for and still not be the last.

    total_rows   Rows that the query found, on this page or not; the answer itself for a COUNT() query (facts C.3).
    next_path    Where the following page of a plain query is, for two days; empty after the last.
    """

    sobject: str
    records: list[Record]
    is_last: bool
    total_rows: int
    next_path: str = ""


@dataclass(frozen=True, slots=True)
class DeletedAsk:
    """A window of getDeleted: from the minute of `start_utc` through the minute of `end_utc` (facts C.2)."""

    sobject: str
    start_utc: datetime
    end_utc: datetime

    @property
    def url(self) -> str:
        start, end = (quote(f"{each:%Y-%m-%dT%H:%M:%SZ}") for each in (self.start_utc, self.end_utc))
        return f"{DATA}/sobjects/{self.sobject}/deleted?start={start}&end={end}"


@dataclass(frozen=True, slots=True)
class Deletions:
    """Which records were deleted: `id` and `deletedDate` of each, as Salesforce wrote them.

    covered_utc   Up to here the list is complete, which may be before the end that was asked for (facts C.2).
    """

    sobject: str
    records: list[Record]
    covered_utc: datetime


@dataclass(frozen=True, slots=True)
class RecordError:
    status_code: str
    message: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordResult:
    """How one record of a collection fared; `id` is empty where it failed."""

    id: str
    is_created: bool
    errors: tuple[RecordError, ...]


class Org:
    """One org's REST interface."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def organization(self) -> Organization:
        row = self._one(
            "SELECT Id, Name, InstanceName, IsSandbox, OrganizationType, TrialExpirationDate FROM Organization",
            "asking the org what it is",
        )
        return Organization(
            id=row["Id"],
            name=row["Name"],
            instance_name=row["InstanceName"] or "",
            organization_type=row["OrganizationType"],
            is_sandbox=row["IsSandbox"],
            is_trial=row["TrialExpirationDate"] is not None,
        )

    def user(self, user_id: str) -> OrgUser:
        row = self._one(
            f"SELECT Id, Username, Name, Email FROM User WHERE Id = '{quote(user_id)}'",  # noqa: S608 - SOQL
            "asking who is connected",
        )
        return OrgUser(id=row["Id"], username=row["Username"], name=row["Name"], email=row["Email"] or "")

    def query(self, soql: str, doing: str) -> list[Record]:
        """All rows of a small query, one credit a page of up to 2,000."""
        return self._all_pages(self._get(CallKind.QUERY, f"{DATA}/query", doing, {"q": soql}), doing)

    def _all_pages(self, answer: dict[str, Any], doing: str) -> list[Record]:
        rows: list[Record] = list(answer["records"])
        while not answer["done"]:
            answer = self._get(CallKind.QUERY, answer["nextRecordsUrl"], doing, {})
            rows.extend(answer["records"])
        return rows

    def record_counts(self, sobjects: Sequence[str]) -> dict[str, int]:
        """Approximate row counts, one credit for all; objects that Salesforce drops are absent (facts B.3)."""
        answer = self._get(
            CallKind.RECORD_COUNT,
            f"{DATA}/limits/recordCount",
            "counting records",
            {"sObjects": ",".join(sobjects)},
        )
        return {row["name"]: row["count"] for row in answer["sObjects"]}

    def describe(self, sobjects: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Describes of up to 25 objects for one credit; objects the user may not see are absent."""
        subrequests = [
            {"method": "GET", "url": f"{DATA}/sobjects/{name}/describe", "referenceId": f"d{place}"}
            for place, name in enumerate(sobjects)
        ]
        call = Call(CallKind.COMPOSITE_DESCRIBE, ",".join(sobjects) if len(sobjects) == 1 else "")
        answers, _ = self._composite(call, subrequests, "reading the objects' fields")
        found: dict[str, Mapping[str, Any]] = {}
        for name, answer in zip(sobjects, answers, strict=True):
            if answer["httpStatusCode"] == 200:
                found[name] = answer["body"]
        return found

    def describe_and_query(
        self, sobjects: Sequence[str], queries: Sequence[str], doing: str
    ) -> tuple[dict[str, Mapping[str, Any]], list[list[Record] | None]]:
        """Describes and up to five small queries for one credit.

        A query of what the user may not see gives None; an object they may not see has no describe.
        """
        describes = [f"{DATA}/sobjects/{name}/describe" for name in sobjects]
        urls = [*describes, *(f"{DATA}/query?q={quote(soql)}" for soql in queries)]
        subrequests = [{"method": "GET", "url": url, "referenceId": f"r{place}"} for place, url in enumerate(urls)]
        answers, _ = self._composite(
            Call(CallKind.COMPOSITE_DESCRIBE), subrequests, doing, refusal_inside=_refused_but_for_unseen
        )
        described = {
            name: answer["body"]
            for name, answer in zip(sobjects, answers, strict=False)
            if answer["httpStatusCode"] == 200
        }
        return described, [self._rows_of(answer, doing) for answer in answers[len(describes) :]]

    def tooling_query(self, soql: str, doing: str) -> list[Record] | None:
        """All rows of a small query of the schema, one credit a page; None where the user may not see it."""
        request = Request("GET", f"{DATA}/tooling/query", doing, params={"q": soql}, let_pass=UNSEEN_CODES)
        answer = self._transport.send(Call(CallKind.QUERY), request)
        return None if answer.refusal else self._all_pages(answer.json, doing)

    def _rows_of(self, answer: dict[str, Any], doing: str) -> list[Record] | None:
        if answer["httpStatusCode"] != 200:
            return None
        return self._all_pages(answer["body"], doing)

    def query_alone(self, query: SubQuery) -> tuple[QueryPage, datetime]:
        """One query for one credit, as a plain request; its following pages by `follow`. Deleted rows come too."""
        answer = self._ask(query, f"{DATA}/queryAll", {"q": query.soql})
        return _page(query.sobject, answer.json), answer.server_utc

    def follow(self, query: SubQuery, next_path: str) -> tuple[QueryPage, datetime] | None:
        """The page behind one that `query_alone` or `query_together` gave; one credit. None: the org forgot where."""
        answer = self._ask(query, next_path, {}, let_pass=frozenset({LOCATOR_GONE}))
        return None if answer.refusal else (_page(query.sobject, answer.json), answer.server_utc)

    def _ask(
        self, query: SubQuery, path: str, params: dict[str, str], *, let_pass: frozenset[str] = frozenset()
    ) -> Answer:
        doing = f"reading {query.sobject}"
        request = Request("GET", path, doing, params=params, headers=query.headers, let_pass=let_pass)
        return self._transport.send(Call(CallKind.QUERY, query.sobject), request)

    def describe_and_count(
        self, sobjects: Sequence[str], counts: Sequence[SubQuery]
    ) -> tuple[dict[str, Mapping[str, Any]], dict[str, int]]:
        """Describes, and how many rows up to five COUNT() queries find, for one credit; together 25 at most.

        Objects that the user may not see are absent.
        """
        describes = [{"method": "GET", "url": f"{DATA}/sobjects/{name}/describe"} for name in sobjects]
        queries = [{"method": "GET", "url": f"{DATA}/queryAll?q={quote(each.soql)}"} for each in counts]
        subrequests = [{**part, "referenceId": f"r{place}"} for place, part in enumerate([*describes, *queries])]
        answers, _ = self._composite(
            Call(CallKind.COMPOSITE_DESCRIBE), subrequests, "reading the objects' fields", _refused_but_for_unseen
        )
        seen = {name: row for name, row in zip([*sobjects, *counts], answers, strict=True) if _is_fine(row)}
        described = {name: seen[name]["body"] for name in sobjects if name in seen}
        return described, {each.sobject: seen[each]["body"]["totalSize"] for each in counts if each in seen}

    def query_together(self, queries: Sequence[SubQuery]) -> tuple[list[QueryPage], datetime]:
        """Five queries a credit, and Salesforce's clock at the first answer; deleted rows come too."""
        answered = [self._query_five(some) for some in batches(queries, COMPOSITE_QUERIES_MAX)]
        if not answered:
            raise Bug("salesforce.composite_size", "A composite without a query tells nothing.")
        return [page for pages, _ in answered for page in pages], answered[0][1]

    def _query_five(self, queries: Sequence[SubQuery]) -> tuple[list[QueryPage], datetime]:
        subrequests = [
            {
                "method": "GET",
                "url": f"{DATA}/queryAll?q={quote(query.soql)}",
                "referenceId": f"q{place}",
                **({"httpHeaders": query.headers} if query.headers else {}),
            }
            for place, query in enumerate(queries)
        ]
        names = sorted({query.sobject for query in queries})
        doing = f"reading {', '.join(names)}"
        call = Call(CallKind.COMPOSITE_QUERY, names[0] if len(names) == 1 else "")
        answers, server_utc = self._composite(call, subrequests, doing)
        pages = [_page(query.sobject, answer["body"]) for query, answer in zip(queries, answers, strict=True)]
        return pages, server_utc

    def ask_together(
        self, queries: Sequence[SubQuery], doing: str, *, deleted_too: bool = False
    ) -> list[QueryPage | Refusal]:
        """Up to five queries for one credit, each answered or refused on its own.

        deleted_too   They see deleted and archived rows (queryAll, facts C.2).
        """
        resource = "queryAll" if deleted_too else "query"
        if not 1 <= len(queries) <= COMPOSITE_QUERIES_MAX:
            raise Bug("salesforce.composite_size", f"A composite holds 1 to 5 queries, not {len(queries)}.")
        subrequests = [
            {"method": "GET", "url": f"{DATA}/{resource}?q={quote(query.soql)}", "referenceId": f"q{place}"}
            for place, query in enumerate(queries)
        ]
        body = {"allOrNone": False, "compositeRequest": subrequests}
        request = Request("POST", f"{DATA}/composite", doing, json=body)
        answers = self._transport.send(Call(CallKind.COMPOSITE_QUERY), request).json["compositeResponse"]
        return [_page_or_refusal(query, answer) for query, answer in zip(queries, answers, strict=True)]

    def deleted_together(self, asks: Sequence[DeletedAsk]) -> list[Deletions | Refusal]:
        """getDeleted, 25 objects a credit; Refusal where it cannot tell, or the object is not seen.

        Composite takes all sObject resources (rest-api/composite-post), and only queries are limited to five of it.
        """
        return [answer for some in batches(asks, COMPOSITE_SUBREQUESTS_MAX) for answer in self._deleted_25(some)]

    def _deleted_25(self, asks: Sequence[DeletedAsk]) -> list[Deletions | Refusal]:
        subrequests = [{"method": "GET", "url": ask.url, "referenceId": f"x{place}"} for place, ask in enumerate(asks)]
        call = Call(CallKind.COMPOSITE_DELETED, asks[0].sobject if len(asks) == 1 else "")
        answers, _ = self._composite(call, subrequests, "asking what was deleted", _refused_but_for_untold)
        return [_deletions_or_refusal(ask, answer) for ask, answer in zip(asks, answers, strict=True)]

    def insert(self, sobject: str, records: Sequence[Record]) -> list[RecordResult]:
        """Create up to 200 records for one credit; each record fares on its own."""
        request = Request(
            "POST", f"{DATA}/composite/sobjects", f"creating {len(records)} {sobject}", json=typed(sobject, records)
        )
        return record_results(self._transport.send(Call(CallKind.INSERT, sobject), request).json)

    def _composite(
        self,
        call: Call,
        subrequests: Sequence[Mapping[str, Any]],
        doing: str,
        refusal_inside: Callable[[Answer], Refusal | None] | None = None,
    ) -> tuple[list[dict[str, Any]], datetime]:
        body = {"allOrNone": False, "compositeRequest": subrequests}
        inside = refusal_inside or _refused_subrequest
        request = Request("POST", f"{DATA}/composite", doing, json=body, refusal_inside=inside)
        answer = self._transport.send(call, request)
        return answer.json["compositeResponse"], answer.server_utc

    def _get(self, kind: CallKind, path: str, doing: str, params: dict[str, str]) -> Any:
        return self._transport.send(Call(kind), Request("GET", path, doing, params=params)).json

    def _one(self, soql: str, doing: str) -> Record:
        rows = self.query(soql, doing)
        if len(rows) != 1:
            raise Bug("salesforce.not_one_row", f"Salesforce gave {len(rows)} rows while {doing}.")
        return rows[0]


def _deletions_or_refusal(ask: DeletedAsk, answer: Mapping[str, Any]) -> Deletions | Refusal:
    if not _is_fine(answer):
        return _refusal(answer)
    body = answer["body"]
    return Deletions(ask.sobject, body["deletedRecords"], datetime.fromisoformat(body["latestDateCovered"]))


def _page_or_refusal(query: SubQuery, answer: Mapping[str, Any]) -> QueryPage | Refusal:
    if not _is_fine(answer):
        return _refusal(answer)
    return _page(query.sobject, answer["body"])


def _page(sobject: str, body: Mapping[str, Any]) -> QueryPage:
    return QueryPage(sobject, body["records"], body["done"], body["totalSize"], body.get("nextRecordsUrl", ""))


def _is_fine(answer: Mapping[str, Any]) -> bool:
    return bool(answer["httpStatusCode"] == 200)


def _refused_subrequest(answer: Answer) -> Refusal | None:
    """The first refusal among a composite's subrequests. A 404 is an answer: the object is not there for this user."""
    return next(_refusals(answer), None)


def _refused_but_for_unseen(answer: Answer) -> Refusal | None:
    """The same, where a query of an object that the user may not see is an answer too."""
    return next((each for each in _refusals(answer) if each.error_code not in UNSEEN_CODES), None)


def _refused_but_for_untold(answer: Answer) -> Refusal | None:
    """The same, where getDeleted may say that it cannot tell."""
    fine = UNSEEN_CODES | REPLICATION_CODES
    return next((each for each in _refusals(answer) if each.error_code not in fine), None)


def _refusals(answer: Answer) -> Iterator[Refusal]:
    for part in answer.json["compositeResponse"]:
        if part["httpStatusCode"] not in (200, 404):
            yield _refusal(part)


def _refusal(part: Mapping[str, Any]) -> Refusal:
    """Of a composite's subrequest that was not answered with what was asked for."""
    first = part["body"][0]
    return Refusal(part["httpStatusCode"], first["errorCode"], first["message"])


def typed(sobject: str, records: Sequence[Record]) -> dict[str, Any]:
    """The body of a collection, whose records fare each on its own."""
    return {"allOrNone": False, "records": [{"attributes": {"type": sobject}, **record} for record in records]}


def record_results(rows: Sequence[Mapping[str, Any]]) -> list[RecordResult]:
    """One result a record of a collection, in their order; its errors say `statusCode`, not `errorCode` (facts C.6)."""
    return [
        RecordResult(
            id=row.get("id") or "",
            is_created=bool(row.get("created")),
            errors=tuple(
                RecordError(error["statusCode"], error["message"], tuple(error.get("fields") or ()))
                for error in row.get("errors") or ()
            ),
        )
        for row in rows
    ]
