"""/composite/sobjects: up to 200 records in one call, each with its own result (facts C.6)."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import Response

from orgsim import ids
from orgsim.errors import ApiError
from orgsim.exchange import json_response, json_text_response
from orgsim.rest.call import Call
from orgsim.soql.plan import read_records
from orgsim.store.chunk import Chunk
from orgsim.store.database import RollBackError, roll_back
from orgsim.store.org import Org
from orgsim.store.triggers import CpuLimitError, reckon_cpu_ms
from orgsim.store.write import Writer

MAX_RECORDS = 200
MAX_RETRIEVED = 2000
MAX_TYPE_CHUNKS = 10

Result = dict[str, object]
Deed = Callable[[], Result]


def create(call: Call) -> Response:
    records, all_or_none = _records(call)
    chunk = Chunk()
    writer = call.writer.in_chunk(chunk)
    deeds = [_insert(writer, each) for each in records]
    return json_response(_run_deeds(call.org, chunk, deeds, all_or_none=all_or_none))


def update(call: Call) -> Response:
    records, all_or_none = _records(call)
    chunk = Chunk()
    writer = call.writer.in_chunk(chunk)
    deeds = [_update(writer, each) for each in records]
    return json_response(_run_deeds(call.org, chunk, deeds, all_or_none=all_or_none))


def upsert(call: Call) -> Response:
    records, all_or_none = _records(call)
    name, key = call.sobject().name, call.param("field")
    chunk = Chunk()
    writer = call.writer.in_chunk(chunk)
    writer.external_id(call.sobject(), key)
    deeds = [_upsert(writer, name, key, each) for each in records]
    return json_response(_run_deeds(call.org, chunk, deeds, all_or_none=all_or_none))


def delete(call: Call) -> Response:
    wanted = [each.strip() for each in call.query("ids").split(",")]
    _refuse_too_many(len(wanted), MAX_RECORDS)
    all_or_none = call.exchange.query.get("allOrNone", "false").lower() == "true"
    chunk = Chunk()
    writer = call.writer.in_chunk(chunk)
    deeds = [_delete(writer, each) for each in wanted]
    return json_response(_run_deeds(call.org, chunk, deeds, all_or_none=all_or_none))


def retrieve(call: Call) -> Response:
    """POST {"ids": […], "fields": […]}, or GET with the same as query parameters; null for what is not there."""
    if call.exchange.method == "GET":
        wanted, names = call.query("ids").split(","), call.query("fields").split(",")
    else:
        body = call.exchange.json_object()
        wanted, names = list(body.get("ids", [])), list(body.get("fields", []))
    _refuse_too_many(len(wanted), MAX_RETRIEVED)
    sobject = call.sobject()
    for name in names:
        if sobject.find(name) is None:
            raise ApiError("INVALID_FIELD", f"No such column '{name}' on sobject of type {sobject.name}")
    known = [ids.to_18(each) if ids.is_id(each) else "" for each in wanted]
    texts = read_records(call.asker, sobject, known, names)
    return json_text_response(f"[{','.join(text or 'null' for text in texts)}]")


def _run_deeds(org: Org, chunk: Chunk, deeds: list[Deed], *, all_or_none: bool) -> list[Result]:
    """Do each; a refusal becomes its result. With all_or_none one refusal undoes the others."""
    results: list[Result] = []
    failed = False
    try:
        with org.database.write():
            for deed in deeds:
                result = _attempt(deed)
                failed = failed or not result["success"]
                results.append(result)
            if failed and all_or_none:
                roll_back()
            reckon_cpu_ms(org, chunk)
    except CpuLimitError as error:
        return [_failed(error) for _ in deeds]
    except RollBackError:
        return [each if not each["success"] else _rolled_back(each) for each in results]
    return results


def _attempt(deed: Deed) -> Result:
    """What the writer does to one record is one deed already: it stands or falls by itself."""
    try:
        return deed()
    except ApiError as error:
        return _failed(error)


def _failed(error: ApiError) -> Result:
    return {"success": False, "errors": [each.as_record() for each in error.all()]}


def _rolled_back(result: Result) -> Result:
    error = ApiError(
        "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        "Record rolled back because not all records were valid and the request was using AllOrNone header",
    )
    kept = {"id": result["id"]} if "created" not in result and "id" in result else {}
    return {**kept, **_failed(error)}


def _insert(writer: Writer, record: Mapping[str, Any]) -> Deed:
    def deed() -> Result:
        record_id = writer.insert(_type_of(record), record)
        return {"id": record_id, "success": True, "errors": []}

    return deed


def _update(writer: Writer, record: Mapping[str, Any]) -> Deed:
    def deed() -> Result:
        values = {name: value for name, value in record.items() if name.lower() != "id"}
        record_id = next((value for name, value in record.items() if name.lower() == "id"), None)
        if not record_id:
            raise ApiError("MISSING_ARGUMENT", "Id not specified in an update call", fields=("Id",))
        writer.update(_type_of(record), record_id, values)
        return {"id": ids.to_18(record_id), "success": True, "errors": []}

    return deed


def _upsert(writer: Writer, name: str, key: str, record: Mapping[str, Any]) -> Deed:
    def deed() -> Result:
        values = {field: value for field, value in record.items() if field.lower() != key.lower()}
        key_value = next((value for field, value in record.items() if field.lower() == key.lower()), None)
        record_id, created = writer.upsert(name, key, key_value, values)
        return {"id": record_id, "success": True, "errors": [], "created": created}

    return deed


def _delete(writer: Writer, record_id: str) -> Deed:
    def deed() -> Result:
        sobject = writer.catalog.of_id(record_id) if ids.is_id(record_id) else None
        if sobject is None:
            raise ApiError("MALFORMED_ID", f"malformed id {record_id}", fields=())
        try:
            writer.delete(sobject.name, record_id)
        except ApiError as error:
            if error.code == "NOT_FOUND":
                raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=()) from error
            raise
        return {"id": ids.to_18(record_id), "success": True, "errors": []}

    return deed


def _records(call: Call) -> tuple[list[dict[str, Any]], bool]:
    body = call.exchange.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not records:
        raise ApiError("INVALID_INPUT", "The records list is required and must not be empty")
    _refuse_too_many(len(records), MAX_RECORDS)
    _refuse_many_chunks(records)
    return records, bool(body.get("allOrNone", False))


def _type_of(record: Mapping[str, Any]) -> str:
    kind = record.get("attributes", {}).get("type")
    if not kind:
        raise ApiError("INVALID_INPUT", "The type attribute is required in each record")
    return str(kind)


def _refuse_too_many(count: int, most: int) -> None:
    if count > most:
        raise ApiError(
            "EXCEEDED_MAX_SIZE_REQUEST", f"record limit reached. cannot submit more than {most} records in this call"
        )


def _refuse_many_chunks(records: list[dict[str, Any]]) -> None:
    kinds = [each.get("attributes", {}).get("type") for each in records]
    chunks = sum(1 for before, after in zip([None, *kinds], kinds, strict=False) if before != after)
    if chunks > MAX_TYPE_CHUNKS:
        raise ApiError("INVALID_INPUT", f"Cannot process more than {MAX_TYPE_CHUNKS} chunks of different types")
