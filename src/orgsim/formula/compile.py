"""A formula's syntax tree to one SQL expression, typed as Salesforce types it. Raises FormulaError."""

import re
from collections.abc import Callable

from orgsim.formula import tree
from orgsim.formula.errors import FormulaError, picklist_field, wrong_count
from orgsim.formula.functions import FUNCTIONS
from orgsim.formula.functions.signature import Function
from orgsim.formula.operators import BINARY, negation, signed
from orgsim.formula.parse import parse
from orgsim.formula.surroundings import Surroundings
from orgsim.formula.term import Kind, Term

MAX_COMPILED_CHARACTERS = 15_000
MAX_BRACKETS = 500  # one in another; SQLite allows a depth of 1,000 with what stands around
_QUOTED = re.compile(r"'[^']*'")
_PICKLISTS = (Kind.PICKLIST, Kind.MULTIPICKLIST)


def compile_formula(formula: str, place: Surroundings) -> Term:
    term = _Compiler(place).term(parse(formula))
    refuse_size(term.sql + term.divisor)
    _refuse_bare_picklist(term)
    return term


def refuse_size(sql: str) -> None:
    if len(sql) > MAX_COMPILED_CHARACTERS or _brackets(sql) > MAX_BRACKETS:
        raise FormulaError(
            f"Compiled formula is too big to execute ({len(sql):,} characters). "
            f"Maximum size is {MAX_COMPILED_CHARACTERS:,} characters"
        )


class _Compiler:
    def __init__(self, place: Surroundings) -> None:
        self._place = place

    def term(self, formula: tree.Formula) -> Term:
        match formula:
            case tree.Number(text):
                whole, _, fraction = text.partition(".")
                return Term(Kind.NUMBER, str(int(whole + fraction)), len(fraction), literal=text)
            case tree.Text(value):
                return Term(Kind.TEXT, quoted(value), literal=value)
            case tree.Truth(value):
                return Term(Kind.BOOLEAN, str(int(value)), literal=str(value).lower())
            case tree.Null():
                return Term(Kind.NULL, "NULL")
            case tree.Reference(name):
                return self._place.reference(name)
            case tree.Call(name, arguments):
                return self._call(name, arguments)

    def _call(self, name: str, arguments: tuple[tree.Formula, ...]) -> Term:
        if name in ("+", "-") and len(arguments) == 1:
            return signed(name, self._plain(arguments[0]))
        if name in BINARY:
            return BINARY[name](self._place, name, *(self._plain(each) for each in arguments))
        if name == "NOT":
            if len(arguments) != 1:
                raise wrong_count(name, 1, len(arguments))
            return negation(self._plain(arguments[0]))
        function = FUNCTIONS.get(name)
        if function is None:
            raise FormulaError(f"Unknown function {name}. Check spelling.")
        return self._function(name, function, arguments)

    def _function(self, name: str, function: Function, arguments: tuple[tree.Formula, ...]) -> Term:
        most = function.most if function.most is not None else len(arguments)
        if not function.least <= len(arguments) <= most:
            raise wrong_count(name, function.least if len(arguments) < function.least else most, len(arguments))
        read: Callable[[tree.Formula], Term] = self.term if function.takes_picklists else self._plain
        terms = [read(each) for each in arguments]
        names = [each.name if isinstance(each, tree.Reference) else "" for each in arguments]
        result = function.build(self._place, name, terms, names)
        refuse_size(result.sql + result.divisor)
        return result

    def _plain(self, formula: tree.Formula) -> Term:
        term = self.term(formula)
        _refuse_bare_picklist(term)
        return term


def _refuse_bare_picklist(term: Term) -> None:
    if term.kind in _PICKLISTS and term.field is not None:
        raise picklist_field(term.field.name, multi=term.kind is Kind.MULTIPICKLIST)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''").replace("\0", "") + "'"


def _brackets(sql: str) -> int:
    """How deep brackets stand in one another, those inside texts left out."""
    depth = deepest = 0
    for each in _QUOTED.sub("", sql):
        if each == "(":
            depth += 1
            deepest = max(deepest, depth)
        elif each == ")":
            depth -= 1
    return deepest
