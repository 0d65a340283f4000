"""GET /tooling/query: the schema's rows with the limits their kind of storage has; other objects as in /query.

Sentences of the refusals: Salesforce's page on SOQL operation limitations (facts C.7).
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import orjson
from starlette.responses import Response

from orgsim.errors import ApiError
from orgsim.exchange import json_response
from orgsim.rest import query as data_query
from orgsim.rest.call import Call
from orgsim.rest.tooling.definitions import DEFINITIONS, TOOLING_CATALOG, open_definitions
from orgsim.soql import tree
from orgsim.soql.compile import compile_records
from orgsim.soql.functions import is_aggregate
from orgsim.soql.parse import parse
from orgsim.soql.refuse import no_such_sobject
from orgsim.store.access import may

NO_ID = "000000000000000AAA"
_DEFINITION_NAMES = frozenset(each.name for each in DEFINITIONS)
_SETUP_NAMES = frozenset(each.name for each in TOOLING_CATALOG) - _DEFINITION_NAMES
_REIFIED = {
    "FieldDefinition": ("EntityDefinitionId", "DurableId"),
    "EntityParticle": ("EntityDefinitionId", "FieldDefinitionId", "DurableId"),
}
_SAME_AS_ID = {
    "entitydefinition.qualifiedapiname": "entitydefinitionid",
    "entitydefinition.durableid": "entitydefinitionid",
}
_ONE_ROW = (
    "When retrieving results with Metadata or FullName fields, the query qualifications must specify no more than one "
    "row for retrieval. Result size: {}"
)


def query(call: Call) -> Response:
    text = call.query("q")
    select = parse(text)
    sobject = TOOLING_CATALOG.find(str(select.source))
    if sobject is None:
        return data_query.query(call)
    if sobject.name in _SETUP_NAMES and not may(call.org, call.session.user_id, "ViewSetup"):
        raise no_such_sobject(str(select.source), text, select.source.at)
    if sobject.name in _DEFINITION_NAMES:
        _refuse_unsupported(sobject.name, select)
        select = replace(select, limit=None, offset=None)  # ignored without a word, as there
    records = _run(call, text, select)
    if isinstance(records, int):
        return json_response({"size": 0, "totalSize": records, "done": True, "queryLocator": None, "records": []})
    if len(records) > 1 and any(_is_full_name(item) for item in select.items):
        raise ApiError("MALFORMED_QUERY", _ONE_ROW.format(len(records)))
    return json_response(
        {
            "size": len(records),
            "totalSize": len(records),
            "done": True,
            "queryLocator": None,
            "entityTypeName": sobject.name,
            "records": [_as_tooling(each) for each in records],
        }
    )


def _run(call: Call, text: str, select: tree.Select) -> list[dict[str, Any]] | int:
    """The records, or the number that COUNT() gives."""
    question = call.asker.question(text, all_rows=False)
    question.catalog = TOOLING_CATALOG
    parts = compile_records(question, select)
    with closing(open_definitions(call.org, call.catalog)) as connection:
        rows = [row[0] for row in connection.execute(parts.sql, question.params)]
    return int(rows[0]) if parts.kind == "count" else [orjson.loads(row) for row in rows]


def _as_tooling(value: Any) -> Any:
    """Rows of the schema have no id of their own, and addresses of all rows lie under /tooling."""
    if isinstance(value, list):
        return [_as_tooling(each) for each in value]
    if not isinstance(value, dict):
        return value
    shown = {name: _as_tooling(each) for name, each in value.items()}
    attributes = value.get("attributes", {})
    if "url" in attributes:
        shown["attributes"] = {**attributes, "url": attributes["url"].replace("/sobjects/", "/tooling/sobjects/", 1)}
    if attributes.get("type") in _DEFINITION_NAMES and "Id" in shown:
        shown["Id"] = NO_ID
    return shown


def _refuse_unsupported(name: str, select: tree.Select) -> None:
    counts = any(isinstance(item, tree.Item) and is_aggregate(item.expression) for item in select.items)
    if counts or select.group:
        message = (
            "The requested operation is not yet supported by this SObject storage type, contact salesforce.com support "
            "for more information."
        )
        raise _unsupported(message)
    filtered = {_filtered_name(each) for each in _comparisons(select.where)}
    wanted = _REIFIED.get(name)
    if wanted and not filtered & {each.lower() for each in wanted}:
        raise ApiError("MALFORMED_QUERY", f"{name}: a filter on a reified column is required [{','.join(wanted)}]")


def _comparisons(condition: tree.Condition | None) -> Iterator[tree.Comparison]:
    """Those of a condition that is nothing but equalities joined by AND. Raises ApiError for any other."""
    match condition:
        case tree.Both(conditions, either):
            if either:
                raise _unsupported("Disjunctions not supported")
            for each in conditions:
                yield from _comparisons(each)
        case tree.Not():
            raise _unsupported("Only equals comparisons permitted")
        case tree.Comparison(operator="includes" | "excludes"):
            raise _unsupported("Unsupported filter type")
        case tree.Comparison(operator="=" | "in" | "like"):
            yield condition
        case tree.Comparison():
            raise _unsupported("Only equals comparisons permitted")


def _filtered_name(comparison: tree.Comparison) -> str:
    name = str(comparison.left).lower()
    return "" if comparison.operator == "like" else _SAME_AS_ID.get(name, name)


def _is_full_name(item: object) -> bool:
    return isinstance(item, tree.Item) and str(item.expression).lower() == "fullname"


def _unsupported(message: str) -> ApiError:
    return ApiError("EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION", message)
