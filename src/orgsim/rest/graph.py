"""/composite/graph: up to 75 graphs of records, each of them all or nothing, in one call (facts B.5)."""

import re
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.responses import Response

from orgsim.errors import ApiError, not_found
from orgsim.exchange import json_response
from orgsim.rest.call import Call
from orgsim.rest.composite import ROLLED_BACK, Dispatch, Request, Result, halted, run_all_or_none

MIN_VERSION = 50
MAX_NODES = 500
MAX_GRAPHS = 75
MAX_DEPTH = 15
MAX_NODE_KINDS = 15
MAX_FAILED_GRAPHS = 14
_REFERENCED = re.compile(r"@\{([A-Za-z]\w*)")
# Only records may be nodes: an object (POST), a row by its id, a row by an external id.
_PATH_PARTS = {1: ("POST",), 2: ("GET", "PATCH", "DELETE"), 3: ("GET", "PATCH", "POST", "DELETE")}


def graph(call: Call, dispatch: Dispatch) -> Response:
    if float(call.api_version) < MIN_VERSION:
        raise not_found()
    graphs = call.exchange.json_object().get("graphs")
    _refuse_wrong(graphs)
    answers: list[dict[str, object]] = []
    failed = 0
    for each in graphs or []:
        if failed > MAX_FAILED_GRAPHS:
            results = [halted(request, ROLLED_BACK) for request in each["compositeRequest"]]
        else:
            results = _run(call, dispatch, each["compositeRequest"])
        is_successful = all(int(str(result["httpStatusCode"])) < 400 for result in results)
        failed += not is_successful
        body = {"compositeResponse": results}
        answers.append({"graphId": each["graphId"], "graphResponse": body, "isSuccessful": is_successful})
    return json_response({"graphs": answers})


def _run(call: Call, dispatch: Dispatch, requests: list[Request]) -> list[Result]:
    refused = next((place for place, request in enumerate(requests) if not _is_record(request)), None)
    if refused is None:
        return run_all_or_none(call, dispatch, requests)
    error = ApiError("INVALID_INPUT", "A node of a composite graph must be an sObject, a row or a row by external id")
    wrong: Result = {**halted(requests[refused], ""), "body": [error.as_rest()]}
    return [wrong if place == refused else halted(each, ROLLED_BACK) for place, each in enumerate(requests)]


def _is_record(request: Request) -> bool:
    parts = _node_path(request)
    return str(request.get("method", "GET")).upper() in _PATH_PARTS.get(len(parts), ())


def _node_path(request: Request) -> list[str]:
    """What follows `/services/data/v60.0/sobjects/`; empty for any other path."""
    path = urlsplit(str(request.get("url", ""))).path.strip("/")
    head, _, rest = path.partition("/sobjects/")
    return rest.split("/") if rest and head.startswith("services/data/v") else []


def _refuse_wrong(graphs: Any) -> None:
    if not isinstance(graphs, list) or not graphs:
        raise ApiError("INVALID_INPUT", "graphs is required and must not be empty")
    names = [each.get("graphId") for each in graphs]
    if not all(names) or len(set(names)) < len(names):
        raise ApiError("INVALID_INPUT", "Each graph needs a graphId of its own")
    if any(not each.get("compositeRequest") for each in graphs):
        raise ApiError("INVALID_INPUT", "compositeRequest is required and must not be empty")
    _refuse_over("graphs", len(graphs), MAX_GRAPHS)
    _refuse_over("nodes", sum(len(each["compositeRequest"]) for each in graphs), MAX_NODES)
    for each in graphs:
        _refuse_wrong_graph(each["compositeRequest"])


def _refuse_wrong_graph(requests: list[Request]) -> None:
    if len({each.get("referenceId") for each in requests}) < len(requests):
        raise ApiError("INVALID_INPUT", "Each subrequest needs a referenceId of its own")
    _refuse_over("levels", _depth(requests), MAX_DEPTH)
    kinds = {(str(each.get("method", "GET")).upper(), *_node_path(each)[:1]) for each in requests}
    _refuse_over("different kinds of nodes", len(kinds), MAX_NODE_KINDS)


def _refuse_over(what: str, count: int, most: int) -> None:
    if count > most:
        raise ApiError("LIMIT_EXCEEDED", f"Limit of {most} {what} exceeded: {count}")


def _depth(requests: list[Request]) -> int:
    """How many nodes the longest chain of references holds; a reference to a later node leads nowhere."""
    depths: dict[str, int] = {}
    for each in requests:
        text = str(each.get("url", "")) + orjson.dumps(each.get("body")).decode()
        referenced = [depths.get(name, 0) for name in _REFERENCED.findall(text)]
        depths[str(each.get("referenceId"))] = 1 + max(referenced, default=0)
    return max(depths.values())
