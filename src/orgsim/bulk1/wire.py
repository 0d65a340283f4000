"""Bulk API 1 on the wire: descriptions and refusals as XML or JSON, whichever the job's content type asks for."""

from typing import Any
from xml.etree import ElementTree as ET

import orjson
from starlette.responses import Response

from orgsim.errors import ApiError
from orgsim.exchange import Exchange
from orgsim.xmltext import Tree, document, fill

NAMESPACE = "http://www.force.com/2009/06/asyncapi/dataload"
# Bulk API 1 has words of its own for what all APIs refuse.
_WORDS = {
    "INVALID_SESSION_ID": ("InvalidSessionId", "Invalid session id", 400),
    "REQUEST_LIMIT_EXCEEDED": ("ExceededQuota", None, 400),
    "API_DISABLED_FOR_ORG": ("FeatureNotEnabled", "Async API not enabled", 400),
    "METHOD_NOT_ALLOWED": ("InvalidUrl", None, 405),
    "NOT_FOUND": ("InvalidUrl", None, 404),
    "JSON_PARSER_ERROR": ("ClientInputError", None, 400),
    "UNKNOWN_EXCEPTION": ("InternalServerError", None, 500),
}


def prefers_json(exchange: Exchange) -> bool:
    """What the Content-Type asks for where no job tells (D: api-asynch/content-type-header)."""
    return exchange.headers.get("content-type", "").startswith("application/json")


def read_info(exchange: Exchange) -> dict[str, Any]:
    """The values of a jobInfo, in XML or JSON whatever the header says: some clients name neither."""
    if exchange.body.lstrip()[:1] == b"{":
        return exchange.json_object()
    try:
        root = ET.fromstring(exchange.body.strip())  # noqa: S314  expat fetches nothing and bounds entity expansion
    except ET.ParseError as error:
        raise ApiError("InvalidXml", f"Unable to parse the request: {error}") from error
    return {each.tag.rpartition("}")[2]: each.text or "" for each in root}


def described(name: str, values: dict[str, Any], *, json: bool, status: int = 200) -> Response:
    """`values` one jobInfo, batchInfo or the like, or (as JSON) what the whole answer is."""
    if json:
        return _json(values, status)
    return _xml(name, _as_xml(values), status)


def result_list(result_ids: list[str], *, json: bool) -> Response:
    return _json(result_ids, 200) if json else _xml("result-list", {"result": result_ids}, 200)


def refused(error: ApiError, *, json: bool) -> Response:
    code, message, status = _WORDS.get(error.code, (error.code, None, error.status))
    values = {"exceptionCode": code, "exceptionMessage": message or error.message}
    return _json(values, status) if json else _xml("error", values, status)


def _as_xml(values: dict[str, Any]) -> dict[str, Any]:
    """Moments end in Z, and lists hold descriptions."""
    shown: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, list):
            shown[name] = [_as_xml(each) for each in value]
        else:
            text = str(value)
            shown[name] = text.replace("+0000", "Z") if name in ("createdDate", "systemModstamp") else text
    return shown


def _xml(name: str, tree: Tree, status: int) -> Response:
    root = ET.Element(name, {"xmlns": NAMESPACE})
    fill(root, tree)
    return Response(document(root), status_code=status, headers={"Content-Type": "application/xml"})


def _json(value: object, status: int) -> Response:
    """Without a charset: clients compare the type as a whole (C tap-salesforce)."""
    return Response(orjson.dumps(value), status_code=status, headers={"Content-Type": "application/json"})
