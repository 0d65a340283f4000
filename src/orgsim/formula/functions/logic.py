"""Logical functions, and those about what was before: IF, CASE, ISBLANK, ISPICKVAL, ISCHANGED …"""

from orgsim.formula.errors import not_here, wrong_argument, wrong_type
from orgsim.formula.functions.signature import Function, refuse_other_kind
from orgsim.formula.operators import boolean, equal, not_blank
from orgsim.formula.surroundings import Surroundings
from orgsim.formula.term import Kind, Term, same_unit, settled

_ENUMS = (Kind.PICKLIST, Kind.MULTIPICKLIST)


def _joined(operator: str, stop: int) -> Function:
    """Stops at the first operand that decides, as Salesforce does, so that what follows cannot fail."""

    def build(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
        for each in terms:
            refuse_other_kind(name, each, Kind.BOOLEAN)
        sql = terms[-1].sql
        for each in reversed(terms[:-1]):
            sql = f"(CASE WHEN {each.sql} IS {stop} THEN {stop} ELSE {each.sql} {operator} {sql} END)"
        return boolean(sql)

    return Function(1, None, build)


def _if(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    condition, then, otherwise = terms
    refuse_other_kind(name, condition, Kind.BOOLEAN)
    return _chosen(name, [(condition.sql, then)], otherwise)


def _case(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    subject, otherwise = terms[0], terms[-1]
    pairs = list(zip(terms[1:-1:2], terms[2:-1:2], strict=True)) if len(terms) % 2 == 0 else None
    if not pairs or subject.kind is Kind.MULTIPICKLIST:
        raise wrong_argument(name)
    whens = []
    for value, result in pairs:
        if subject.kind in _ENUMS:
            _refuse_unwritten(name, value)
        elif value.kind is not subject.kind and Kind.NULL not in (value.kind, subject.kind):
            raise wrong_type(name, [subject.kind], value.kind)
        whens.append((_is(subject, value), result))
    return _chosen(name, whens, otherwise)


def _is(subject: Term, value: Term) -> str:
    if value.kind is Kind.NULL:
        return f"({subject.sql} IS NULL)"
    return f"({not_blank(subject)} = {value.sql} COLLATE NOCASE)" if subject.kind in _ENUMS else equal(subject, value)


def _chosen(name: str, whens: list[tuple[str, Term]], otherwise: Term) -> Term:
    """The first result whose condition holds. Results are of one kind, numbers in one unit."""
    results = [*(result for _, result in whens), otherwise]
    kind = next((each.kind for each in results if each.kind is not Kind.NULL), Kind.NULL)
    for each in results:
        refuse_other_kind(name, each, kind)
        if each.kind in _ENUMS:
            raise wrong_argument(name)
    texts, scale, whole = [each.sql for each in results], 0, True
    if kind is Kind.NUMBER:
        texts, scale, whole = same_unit(results)
    cases = " ".join(f"WHEN {condition} THEN {sql}" for (condition, _), sql in zip(whens, texts, strict=False))
    return Term(kind, f"(CASE {cases} ELSE {texts[-1]} END)", scale, whole=whole)


def _is_blank_sql(term: Term) -> str:
    if term.kind in (Kind.TEXT, Kind.MULTIPICKLIST):
        return f"({not_blank(term)} = '')"
    quotient = f"{term.sql} / {term.divisor}" if term.divisor else term.sql
    return f"(({quotient}) IS NULL)"


def _is_blank(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    [term] = terms
    if term.kind in (Kind.BOOLEAN, Kind.PICKLIST):
        raise wrong_argument(name)
    if name == "ISNULL" and term.kind is Kind.TEXT:
        return boolean("0")  # text is never null, only empty
    return boolean(_is_blank_sql(term))


def _blank_value(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    value, substitute = terms
    if value.kind is Kind.BOOLEAN:
        raise wrong_argument(name)
    if name == "NULLVALUE" and value.kind is Kind.TEXT:
        return value
    return _chosen(name, [(_is_blank_sql(value), substitute)], value)


def _is_pick_value(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    """Without regard to case, unlike the comparison of texts."""
    field, value = terms
    refuse_other_kind(name, field, Kind.PICKLIST)
    _refuse_unwritten(name, value)
    return boolean(f"({not_blank(field)} = {value.sql} COLLATE NOCASE)")


def _includes(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    field, value = terms
    refuse_other_kind(name, field, Kind.MULTIPICKLIST)
    _refuse_unwritten(name, value)
    return boolean(f"(instr(';' || lower({not_blank(field)}) || ';', ';' || lower({value.sql}) || ';') > 0)")


def _refuse_unwritten(name: str, value: Term) -> None:
    if value.kind is not Kind.TEXT or value.literal is None:
        raise wrong_type(name, ["Text Literal"], value.kind)


def _is_new(place: Surroundings, name: str, _terms: list[Term], _names: list[str]) -> Term:
    known = place.is_new_sql()
    if known is None:
        raise not_here(name)
    return boolean(known)


def _prior_value(place: Surroundings, name: str, _terms: list[Term], names: list[str]) -> Term:
    [field] = names
    prior = place.prior(field) if field else None
    if prior is None:
        raise not_here(name) if place.is_new_sql() is None else wrong_argument(name)
    return prior


def _is_changed(place: Surroundings, name: str, terms: list[Term], names: list[str]) -> Term:
    prior = _prior_value(place, name, terms, names)
    collation = " COLLATE BINARY" if prior.kind in (Kind.TEXT, *_ENUMS) else ""
    return boolean(f"({settled(terms[0]).sql} IS NOT {settled(prior).sql}{collation})")


LOGIC = {
    "AND": _joined("AND", 0),
    "OR": _joined("OR", 1),
    "IF": Function(3, 3, _if),
    "CASE": Function(4, None, _case, takes_picklists=True),
    "ISBLANK": Function(1, 1, _is_blank),
    "ISNULL": Function(1, 1, _is_blank),
    "BLANKVALUE": Function(2, 2, _blank_value),
    "NULLVALUE": Function(2, 2, _blank_value),
    "ISPICKVAL": Function(2, 2, _is_pick_value, takes_picklists=True),
    "INCLUDES": Function(2, 2, _includes, takes_picklists=True),
    "ISNEW": Function(0, 0, _is_new),
    "ISCHANGED": Function(1, 1, _is_changed, takes_picklists=True),
    "PRIORVALUE": Function(1, 1, _prior_value, takes_picklists=True),
}
