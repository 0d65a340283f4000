"""What may be asked in bulk: no more than plain rows with their parents (facts C.4). Both Bulk APIs refuse alike."""

from orgsim.errors import ApiError
from orgsim.soql import tree
from orgsim.soql.compile import compile_csv
from orgsim.soql.functions import is_aggregate
from orgsim.soql.parse import parse
from orgsim.soql.plan import Asker


def check_query(asker: Asker, soql: str, delimiter: str) -> str:
    """The object's name. Raises ApiError for what only REST can answer."""
    select = parse(soql)
    if select.group or any(_is_counting(item) for item in select.items):
        raise ApiError("API_ERROR", "Implementation restriction: Aggregate Relationships not supported in Bulk Query")
    if any(isinstance(item, tree.Subquery) for item in select.items):
        raise ApiError("API_ERROR", "Implementation restriction: nested queries not supported in Bulk Query")
    if select.offset is not None:
        raise ApiError("API_ERROR", "Implementation restriction: OFFSET not supported in Bulk Query")
    sobject = asker.catalog.find(str(select.source))
    if sobject is not None and not sobject.bulk_queryable:
        raise ApiError("INVALIDENTITY", f"Entity '{sobject.name}' is not supported by the Bulk API.")
    question = asker.question(soql, all_rows=True)
    parts = compile_csv(question, select, delimiter)
    return parts.scope.sobject.name


def _is_counting(item: tree.Item | tree.Subquery | tree.Typeof) -> bool:
    return isinstance(item, tree.Item) and is_aggregate(item.expression)
