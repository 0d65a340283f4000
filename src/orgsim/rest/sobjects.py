"""Describes, and single records: create, read, update, upsert, delete."""

from starlette.responses import Response

from orgsim import ids
from orgsim.errors import ApiError, missing_on_sobject, not_found
from orgsim.exchange import empty_response, json_response, json_text_response
from orgsim.rest.call import Call
from orgsim.rest.conditional import answer_if_changed, refuse_if_changed, row_version, schema_version
from orgsim.schema.describe import full_describe, global_entry
from orgsim.schema.model import SObject
from orgsim.soql.plan import read_record
from orgsim.store.recordtypes import record_types_of

MAX_BATCH_RECORDS = 200


def global_describe(call: Call) -> Response:
    def answer() -> Response:
        entries = [global_entry(each, call.api_version) for each in call.catalog]
        return json_response({"encoding": "UTF-8", "maxBatchSize": MAX_BATCH_RECORDS, "sobjects": entries})

    return answer_if_changed(call, schema_version(call), answer)


def basic_information(call: Call) -> Response:
    sobject = call.sobject()
    body = {"objectDescribe": global_entry(sobject, call.api_version), "recentItems": []}
    return answer_if_changed(call, schema_version(call), lambda: json_response(body))


def describe(call: Call) -> Response:
    sobject = call.sobject()

    def answer() -> Response:
        record_types = record_types_of(call.org, sobject)
        return json_response(full_describe(sobject, call.catalog, call.api_version, record_types))

    return answer_if_changed(call, schema_version(call), answer)


def create(call: Call) -> Response:
    sobject = call.sobject()
    record_id = call.writer.insert(sobject.name, call.exchange.json_object())
    return _created(call, sobject, record_id)


def read(call: Call) -> Response:
    sobject = call.sobject()
    return _record(call, sobject, _path_id(call, sobject))


def update(call: Call) -> Response:
    sobject = call.sobject()
    values = call.exchange.json_object()
    if any(name.lower() == "id" for name in values):
        raise ApiError("INVALID_FIELD", "The Id field should not be specified in the sobject data.", fields=())
    record_id = _path_id(call, sobject)
    with call.org.database.write():
        refuse_if_changed(call, row_version(call, sobject, record_id))
        call.writer.update(sobject.name, record_id, values)
    return empty_response()


def delete(call: Call) -> Response:
    sobject = call.sobject()
    record_id = _path_id(call, sobject)
    with call.org.database.write():
        refuse_if_changed(call, row_version(call, sobject, record_id))
        call.writer.delete(sobject.name, record_id)
    return empty_response()


def read_by_key(call: Call) -> Response:
    sobject = call.sobject()
    field = call.writer.external_id(sobject, call.param("field"))
    found = call.writer.find_by_key(sobject, field, call.param("value"))
    if len(found) > 1:
        return _choices(call, sobject, found)
    if not found:
        raise not_found()
    return _record(call, sobject, found[0])


def upsert(call: Call) -> Response:
    """201 when created; 200 with a body from v46 on when updated, 204 before; 300 when several match."""
    sobject = call.sobject()
    values = call.exchange.json_object()
    try:
        record_id, created = call.writer.upsert(sobject.name, call.param("field"), call.param("value"), values)
    except ApiError as error:
        if error.code != "DUPLICATE_EXTERNAL_ID":
            raise
        field = call.writer.external_id(sobject, call.param("field"))
        return _choices(call, sobject, call.writer.find_by_key(sobject, field, call.param("value")))
    if created:
        return _created(call, sobject, record_id)
    if float(call.api_version) < 46:
        return empty_response()
    return json_response({"id": record_id, "success": True, "errors": [], "created": False})


def delete_by_key(call: Call) -> Response:
    sobject = call.sobject()
    field = call.writer.external_id(sobject, call.param("field"))
    found = call.writer.find_by_key(sobject, field, call.param("value"))
    if not found:
        raise not_found()
    call.writer.delete(sobject.name, found[0])
    return empty_response()


def _created(call: Call, sobject: SObject, record_id: str) -> Response:
    body: dict[str, object] = {"id": record_id, "success": True, "errors": []}
    if "field" in call.exchange.path_params:
        body["created"] = True
    return json_response(body, 201, {"Location": f"{call.base_path}/sobjects/{sobject.name}/{record_id}"})


def _record(call: Call, sobject: SObject, record_id: str) -> Response:
    names = [name for name in call.exchange.query.get("fields", "").split(",") if name]
    for name in names:
        if sobject.find(name) is None:
            raise missing_on_sobject(name, sobject.name)
    with call.org.database.read():
        text = read_record(call.asker, sobject, record_id, names or None)
        version = row_version(call, sobject, record_id)
    if text is None:
        raise not_found()
    return answer_if_changed(call, version, lambda: json_text_response(text))


def _choices(call: Call, sobject: SObject, found: list[str]) -> Response:
    return json_response([f"{call.base_path}/sobjects/{sobject.name}/{record_id}" for record_id in found], 300)


def _path_id(call: Call, sobject: SObject) -> str:
    given = call.param("record_id")
    if not ids.is_id(given):
        raise not_found("Provided external ID field does not exist or is not accessible: Id")
    if not given.startswith(sobject.key_prefix):
        raise not_found()
    return ids.to_18(given)
