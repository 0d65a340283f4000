"""Functions of numbers. FLOOR goes towards zero and CEILING away from it, as there; MFLOOR and MCEILING do not."""

from orgsim.formula.functions.signature import Function, of_kinds, refuse_other_kind, written_number
from orgsim.formula.operators import whole_number
from orgsim.formula.surroundings import Surroundings
from orgsim.formula.term import SETTLED_SCALE, Kind, Term, is_whole, rounded, same_unit, units


def _absolute(terms: list[Term]) -> Term:
    [number] = terms
    divisor = f"abs({number.divisor})" if number.divisor else ""
    return Term(Kind.NUMBER, f"abs({number.sql})", number.scale, divisor, number.whole)


def _round(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    number, digits = terms
    refuse_other_kind(name, number, Kind.NUMBER)
    return rounded(number, written_number(name, digits))


def _truncate(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    refuse_other_kind(name, terms[0], Kind.NUMBER)
    scale = written_number(name, terms[1]) if len(terms) == 2 else 0
    return Term(Kind.NUMBER, f"CAST({units(terms[0], scale)} AS INTEGER)", scale)


def _whole(number: Term, step: str) -> Term:
    """Cut towards zero, then one more or less where `step` says so; it sees the value and what is left of it."""
    value = units(number, 0)
    if is_whole(number, 0):
        return whole_number(value)
    cut = f"CAST({value} AS INTEGER)"
    return whole_number(f"({cut}{step.format(value=value, cut=cut)})")


def _extreme(function: str) -> Function:
    def build(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
        for each in terms:
            refuse_other_kind(name, each, Kind.NUMBER)
        if len(terms) == 1:
            return terms[0]
        texts, scale, whole = same_unit(terms)
        return Term(Kind.NUMBER, f"{function}({', '.join(texts)})", scale, whole=whole)

    return Function(1, None, build)


def _remainder(terms: list[Term]) -> Term:
    """With the sign of the dividend; by zero it is the dividend."""
    number, divisor = (each if is_whole(each, each.scale) else rounded(each, SETTLED_SCALE) for each in terms)
    (a, b), scale, _ = same_unit([number, divisor])
    return Term(Kind.NUMBER, f"(CASE {b} WHEN 0 THEN {a} ELSE {a} % {b} END)", scale)


_of_number = of_kinds(Kind.NUMBER)

NUMBERS = {
    "ABS": _of_number(_absolute),
    "ROUND": Function(2, 2, _round),
    "TRUNC": Function(1, 2, _truncate),
    "FLOOR": _of_number(lambda terms: _whole(terms[0], "")),
    "CEILING": _of_number(lambda terms: _whole(terms[0], " + ({value} > {cut}) - ({value} < {cut})")),
    "MFLOOR": _of_number(lambda terms: _whole(terms[0], " - ({value} < {cut})")),
    "MCEILING": _of_number(lambda terms: _whole(terms[0], " + ({value} > {cut})")),
    "MAX": _extreme("max"),
    "MIN": _extreme("min"),
    "MOD": of_kinds(Kind.NUMBER, Kind.NUMBER)(_remainder),
}
