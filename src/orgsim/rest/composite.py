"""/composite, /composite/batch and /composite/tree: several requests in one (facts C.6, costs B.5)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import orjson
from lark import Lark, Token
from lark.exceptions import LarkError
from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response

from orgsim.errors import ApiError
from orgsim.exchange import Exchange, json_response
from orgsim.rest.call import Call
from orgsim.store.chunk import Chunk
from orgsim.store.database import RollBackError, roll_back
from orgsim.store.triggers import CpuLimitError, reckon_cpu_ms
from orgsim.store.write import Writer

MAX_SUBREQUESTS = 25
MAX_QUERIES_OR_COLLECTIONS = 5
MAX_TREE_RECORDS = 200
ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."
Request = dict[str, Any]
Result = dict[str, object]
Dispatch = Callable[[Call, str, str], Response]
_SHOWN_HEADERS = ("Location", "ETag", "Last-Modified")
_QUERY_PARTS = ("/query", "/queryAll", "/composite/sobjects")

# `@{ref.a[0].b}` inside any text; everything else is literal.
_REFERENCES = Lark(
    r"""
    start: (LITERAL | reference)*
    reference: "@{" NAME step* "}"
    step: "." NAME | "[" INDEX "]"
    NAME: /[A-Za-z][A-Za-z0-9_]*/
    INDEX: /\d+/
    LITERAL: /(?:[^@]|@(?!\{))+/
    """,
    parser="lalr",
)


class _UnresolvedError(Exception):
    """A reference to a value that an earlier subrequest did not give."""


def composite(call: Call, dispatch: Dispatch) -> Response:
    body = call.exchange.json_object()
    requests = body.get("compositeRequest")
    if not isinstance(requests, list) or not requests:
        raise ApiError("INVALID_INPUT", "compositeRequest is required and must not be empty")
    _refuse_too_many(call, requests)
    if body.get("allOrNone"):
        return json_response({"compositeResponse": run_all_or_none(call, dispatch, requests)})
    return json_response({"compositeResponse": list(_run(call, dispatch, requests))})


def batch_size(exchange: Exchange) -> int:
    """How many subrequests a /composite/batch body holds: that many credits. A body without any costs one."""
    try:
        requests = orjson.loads(exchange.body)["batchRequests"]
        return max(1, len(requests))
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return 1


def batch(call: Call, dispatch: Dispatch) -> Response:
    body = call.exchange.json_object()
    requests = body.get("batchRequests") or []
    if not 1 <= len(requests) <= MAX_SUBREQUESTS:
        raise ApiError("INVALID_INPUT", f"The batch must contain 1 to {MAX_SUBREQUESTS} subrequests")
    results: list[dict[str, object]] = []
    for request in requests:
        if body.get("haltOnError") and any(int(str(each["statusCode"])) >= 400 for each in results):
            error = ApiError("BATCH_PROCESSING_HALTED", "Batch processing halted per request")
            results.append({"statusCode": 412, "result": [error.as_rest()]})
            continue
        # `v60.0/limits` (D rest-api/composite-batch), or with /services/data before it (C aiosalesforce).
        url = f"/services/data/{str(request.get('url', '')).removeprefix('/services/data').lstrip('/')}"
        response = _subcall(call, dispatch, request.get("method", "GET"), url, request.get("richInput"), {})
        results.append({"statusCode": response.status_code, "result": _body(response)})
    failed = any(int(str(each["statusCode"])) >= 400 for each in results)
    return json_response({"hasErrors": failed, "results": results})


def tree(call: Call) -> Response:
    """Records with their children, all or nothing; answers by the callers' reference ids."""
    records = call.exchange.json_object().get("records") or []
    if not 1 <= sum(1 for _ in _tree_records(records)) <= MAX_TREE_RECORDS:
        raise ApiError("INVALID_INPUT", f"The tree must contain 1 to {MAX_TREE_RECORDS} records")
    results: list[dict[str, object]] = []
    failures: list[dict[str, object]] = []
    chunk = Chunk()
    writer = call.writer.in_chunk(chunk)
    try:
        with call.org.database.write():
            for record in records:
                _plant(writer, call.sobject().name, record, {}, results, failures)
            if failures:
                roll_back()
            reckon_cpu_ms(call.org, chunk)
    except CpuLimitError as error:
        refused = [_unplanted(record, error) for record in _tree_records(records)]
        return json_response({"hasErrors": True, "results": refused}, 400)
    except RollBackError:
        return json_response({"hasErrors": True, "results": failures}, 400)
    return json_response({"hasErrors": False, "results": results}, 201)


def _tree_records(records: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for record in records:
        yield record
        for value in record.values():
            if isinstance(value, dict) and "records" in value:
                yield from _tree_records(value["records"])


def _plant(
    writer: Writer,
    name: str,
    record: Mapping[str, Any],
    link: dict[str, object],
    results: list[dict[str, object]],
    failures: list[dict[str, object]],
) -> None:
    reference = record.get("attributes", {}).get("referenceId")
    nested = {key: value for key, value in record.items() if isinstance(value, dict) and "records" in value}
    values = {key: value for key, value in record.items() if key not in nested}
    try:
        record_id = writer.insert(name, {**values, **link})
    except ApiError as error:
        failures.append(_unplanted(record, error))
        return
    results.append({"referenceId": reference, "id": record_id})
    for relationship, children in nested.items():
        found = writer.catalog.child_relationship(name, relationship)
        if found is None:
            unknown = ApiError("INVALID_FIELD", f"No such relationship '{relationship}' on sobject of type {name}")
            failures.append(_unplanted(record, unknown))
            continue
        for child in children["records"]:
            _plant(writer, found.child.name, child, {found.field.name: record_id}, results, failures)


def _unplanted(record: Mapping[str, Any], error: ApiError) -> Result:
    reference = record.get("attributes", {}).get("referenceId")
    return {"referenceId": reference, "errors": [each.as_record() for each in error.all()]}


def run_all_or_none(call: Call, dispatch: Dispatch, requests: list[Request]) -> list[Result]:
    """Answers of one transaction: when a subrequest fails, it alone tells why and the others are undone."""
    done: list[Result] = []
    try:
        with call.org.database.write():
            for result in _run(call, dispatch, requests, all_or_none=True):
                done.append(result)
                if int(str(result["httpStatusCode"])) >= 400:
                    roll_back()
    except RollBackError:
        failed_at = len(done) - 1
        return [
            done[place] if place == failed_at else halted(request, ROLLED_BACK)
            for place, request in enumerate(requests)
        ]
    return done


def _run(
    call: Call, dispatch: Dispatch, requests: list[dict[str, Any]], *, all_or_none: bool = False
) -> Iterator[dict[str, object]]:
    answers: dict[str, Any] = {}
    for request in requests:
        reference = str(request.get("referenceId", ""))
        try:
            url = _fill(str(request.get("url", "")), answers, as_url=True)
            body = _fill_all(request.get("body"), answers)
        except _UnresolvedError as error:
            yield halted(request, str(error))
            continue
        headers = request.get("httpHeaders") or {}
        response = _subcall(call, dispatch, request.get("method", "GET"), url, body, headers)
        result = _body(response)
        if all_or_none and response.status_code < 400 and _has_failed_record(result):
            response.status_code = 400
        if response.status_code < 400:
            answers[reference] = result
        yield {
            "body": result,
            "httpHeaders": {name: response.headers[name] for name in _SHOWN_HEADERS if name in response.headers},
            "httpStatusCode": response.status_code,
            "referenceId": reference,
        }


def _has_failed_record(result: object) -> bool:
    """With allOrNone a collection in which a record failed fails as a whole."""
    return isinstance(result, list) and any(isinstance(each, dict) and each.get("success") is False for each in result)


def halted(request: Mapping[str, Any], message: str) -> Result:
    return {
        "body": [ApiError("PROCESSING_HALTED", message).as_rest()],
        "httpHeaders": {},
        "httpStatusCode": 400,
        "referenceId": request.get("referenceId"),
    }


def _subcall(
    call: Call, dispatch: Dispatch, method: str, url: str, body: object, headers: Mapping[str, str]
) -> Response:
    parts = urlsplit(url)
    exchange = replace(
        call.exchange,
        method=method.upper(),
        path=parts.path,
        query=QueryParams(parse_qsl(parts.query, keep_blank_values=True)),
        headers=Headers({**call.exchange.headers, **{name.lower(): value for name, value in headers.items()}}),
        content=BytesIO(b"" if body is None else orjson.dumps(body)),
    )
    return dispatch(replace(call, exchange=exchange), method.upper(), parts.path)


def _body(response: Response) -> Any:
    return orjson.loads(response.body) if response.body else None


def _refuse_too_many(call: Call, requests: list[dict[str, Any]]) -> None:
    if len(requests) > MAX_SUBREQUESTS:
        raise ApiError("LIMIT_EXCEEDED", f"Limit of {MAX_SUBREQUESTS} subrequests exceeded")
    heavy = [
        each
        for each in requests
        if urlsplit(str(each.get("url", ""))).path.removeprefix(call.base_path).rstrip("/").startswith(_QUERY_PARTS)
    ]
    if len(heavy) > MAX_QUERIES_OR_COLLECTIONS:
        message = f"Limit of {MAX_QUERIES_OR_COLLECTIONS} query and sObject collection subrequests exceeded"
        raise ApiError("LIMIT_EXCEEDED", message)
    if len({each.get("referenceId") for each in requests}) < len(requests):
        raise ApiError("INVALID_INPUT", "Each subrequest needs a referenceId of its own")


def _fill_all(value: Any, answers: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return _fill(value, answers, as_url=False)
    if isinstance(value, list):
        return [_fill_all(each, answers) for each in value]
    if isinstance(value, dict):
        return {name: _fill_all(each, answers) for name, each in value.items()}
    return value


def _fill(text: str, answers: Mapping[str, Any], *, as_url: bool) -> Any:
    """A text that is one reference becomes the referenced value itself, whatever its type."""
    if "@{" not in text:
        return text
    try:
        parts = _REFERENCES.parse(text).children
    except LarkError as error:
        raise _UnresolvedError(f"Invalid reference specified. {text}") from error
    values = [str(part) if isinstance(part, Token) else _resolve(part.children, answers) for part in parts]
    if len(values) == 1 and not as_url:
        return values[0]
    return "".join(
        quote(str(value), safe="") if as_url and not isinstance(part, Token) else str(value)
        for part, value in zip(parts, values, strict=True)
    )


def _resolve(steps: list[Any], answers: Mapping[str, Any]) -> Any:
    name, *path = [str(step) if isinstance(step, Token) else str(step.children[0]) for step in steps]
    value: Any = answers.get(name)
    for step in path:
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        elif isinstance(value, dict):
            value = next((each for key, each in value.items() if key.lower() == step.lower()), None)
        else:
            value = None
    if value is None:
        raise _UnresolvedError(f"Invalid reference specified. No value for {'.'.join(path)} found in {name}")
    return value
