"""Formula fields of a deployment: those that others are made of first, and a refusal of what does not compute."""

import re
from graphlib import CycleError, TopologicalSorter

from orgsim.errors import ApiError
from orgsim.formula.errors import FormulaError
from orgsim.metadata.fields import ComponentError
from orgsim.schema.model import Field, SObject
from orgsim.soql.computed import computed_sql
from orgsim.soql.plan import Asker
from orgsim.soql.scope import Scope
from orgsim.store.org import Org

_WORD = re.compile(r"\w+")
_NEWEST_VERSION = "67.0"


def in_order_of_use(formulas: dict[str, str]) -> list[str]:
    """Full names such that each comes after those whose field name stands in its formula. A cycle keeps its order."""
    own_names = {full_name: full_name.partition(".")[2].lower() for full_name in formulas}
    graph = {}
    for full_name, formula in formulas.items():
        words = set(_WORD.findall(formula.lower()))
        graph[full_name] = [other for other, name in own_names.items() if name in words and other != full_name]
    try:
        return list(TopologicalSorter(graph).static_order())
    except CycleError:
        return list(formulas)


def check_formula_field(org: Org, user_id: str, sobject: SObject, field: Field) -> None:
    """Raises ComponentError in the words of the formula engine."""
    question = Asker(org, user_id, _NEWEST_VERSION).question("", all_rows=False)
    scope = Scope(question, sobject, None)
    try:
        computed_sql(scope, scope.alias, sobject, field)
    except (FormulaError, ApiError) as error:
        raise ComponentError(str(error)) from error
