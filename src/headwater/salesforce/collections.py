"""Writes records in collections of up to 200, up to five collections for one credit (facts B.5, B.6).

Each collection is a transaction of its own in the org and fares on its own, and so does each record in it.
Not here: Bulk jobs (ingest.py), and how much is written by which way (credits/write_prices.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from headwater.common.errors import Bug
from headwater.salesforce.errors import Refusal
from headwater.salesforce.meter import Call, CallKind
from headwater.salesforce.rest import DATA, Record, RecordResult, record_results, typed
from headwater.salesforce.transport import Request, Transport

COLLECTION_ROWS_MAX = 200
COLLECTIONS_MAX = 5  # in one composite (facts B.5)
NOT_THERE_CODES = frozenset({"INVALID_TYPE", "INVALID_FIELD", "NOT_FOUND"})  # the object or a field, to this user


@dataclass(frozen=True, slots=True)
class Upsert:
    """Records of one object, by an external id that each of them holds."""

    sobject: str
    external_id_field: str
    records: Sequence[Record]

    def __len__(self) -> int:
        return len(self.records)

    def as_request(self) -> "_Parts":
        path = f"{DATA}/composite/sobjects/{self.sobject}/{self.external_id_field}"
        return _Parts("PATCH", path, {}, typed(self.sobject, self.records))


@dataclass(frozen=True, slots=True)
class Delete:
    sobject: str
    ids: Sequence[str]

    def __len__(self) -> int:
        return len(self.ids)

    def as_request(self) -> "_Parts":
        return _Parts("DELETE", f"{DATA}/composite/sobjects", {"ids": ",".join(self.ids), "allOrNone": "false"}, None)


@dataclass(frozen=True, slots=True)
class _Parts:
    """Of the request that writes a collection, by itself or inside a composite."""

    method: str
    path: str
    params: dict[str, str]
    body: dict[str, Any] | None

    def as_subrequest(self, reference: str) -> dict[str, Any]:
        url = f"{self.path}?{urlencode(self.params, safe=',')}" if self.params else self.path
        given = {} if self.body is None else {"body": self.body}
        return {"method": self.method, "url": url, "referenceId": reference, **given}


Collection = Upsert | Delete
Answered = list[RecordResult] | Refusal


def write(transport: Transport, collections: Sequence[Collection]) -> list[Answered]:
    """Write up to five collections in their order, for one credit.

    Returns one answer a collection: results in the order of its records, or the refusal of the whole of it, which
    leaves the others as they are.
    """
    if not 1 <= len(collections) <= COLLECTIONS_MAX or any(len(each) > COLLECTION_ROWS_MAX for each in collections):
        sizes = [len(each) for each in collections]
        raise Bug(
            "salesforce.collection_size", f"A call writes 1 to 5 collections of at most 200 records, not {sizes}."
        )
    answers = [_write_one(transport, collections[0])] if len(collections) == 1 else _write_all(transport, collections)
    for collection, answer in zip(collections, answers, strict=True):
        if isinstance(answer, list) and len(answer) != len(collection):
            told = f"Sent {len(collection)} records of {collection.sobject}, got {len(answer)} results."
            raise Bug("salesforce.results_missing", told)
    return answers


def _write_one(transport: Transport, collection: Collection) -> Answered:
    parts = collection.as_request()
    kind = CallKind.UPSERT if isinstance(collection, Upsert) else CallKind.DELETE
    request = Request(
        parts.method,
        parts.path,
        _doing([collection]),
        params=parts.params,
        json=parts.body,
        let_pass=NOT_THERE_CODES,
    )
    answer = transport.send(Call(kind, collection.sobject), request)
    return answer.refusal or record_results(answer.json)


def _write_all(transport: Transport, collections: Sequence[Collection]) -> list[Answered]:
    subrequests = [each.as_request().as_subrequest(f"w{place}") for place, each in enumerate(collections)]
    body = {"allOrNone": False, "compositeRequest": subrequests}
    request = Request("POST", f"{DATA}/composite", _doing(collections), json=body)
    names = {each.sobject for each in collections}
    call = Call(CallKind.COMPOSITE_WRITE, names.pop() if len(names) == 1 else "")
    return [_answered(each) for each in transport.send(call, request).json["compositeResponse"]]


def _answered(part: dict[str, Any]) -> Answered:
    if part["httpStatusCode"] == 200:
        return record_results(part["body"])
    first = part["body"][0]
    return Refusal(part["httpStatusCode"], first["errorCode"], first["message"])


def _doing(collections: Sequence[Collection]) -> str:
    return " and ".join(
        f"{'writing' if isinstance(each, Upsert) else 'deleting'} {len(each)} {each.sobject}" for each in collections
    )
