"""Text functions. Positions count from 1 and letters as they are written; upper and lower case only from A to Z."""

from orgsim.formula.errors import FormulaError, wrong_argument
from orgsim.formula.functions.signature import Function, of_kinds
from orgsim.formula.operators import boolean, not_blank, text, whole_number
from orgsim.formula.surroundings import Surroundings
from orgsim.formula.term import Kind, Term, is_whole, rounded, units

SHOWN_SCALE = 10  # digits behind the point that TEXT() shows of a quotient
_VALUE_SCALE = 8
_MOST_PADDED = 1300


def _count(number: Term) -> str:
    """A number of characters: whole, never negative."""
    return f"max(CAST({units(number, 0)} AS INTEGER), 0)"


def _text(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    [term] = terms
    if term.kind is Kind.NUMBER:
        return text(_plain_number(term))
    if term.kind in (Kind.DATE, Kind.PICKLIST):
        return text(term.sql)
    if term.kind is Kind.DATETIME:
        return text(f"(substr({term.sql}, 1, 10) || ' ' || substr({term.sql}, 12, 8) || 'Z')")
    raise wrong_argument(name)


def _plain_number(number: Term) -> str:
    """No zeros at the end, and none before the point: Salesforce writes one half as `.5`."""
    if number.literal is not None:
        return f"'{number.literal}'"
    scale = max(number.scale, 0) if is_whole(number, max(number.scale, 0)) else SHOWN_SCALE
    value = f"CAST({rounded(number, scale).sql} AS INTEGER)"
    if scale == 0:
        return f"CAST({value} AS TEXT)"
    size = 10**scale
    digits = f"printf('%d.%0{scale}d', abs({value}) / {size}, abs({value}) % {size})"
    shown = f"ltrim(rtrim(rtrim({digits}, '0'), '.'), '0')"
    sign = f"CASE WHEN {value} < 0 THEN '-' ELSE '' END"
    return f"(CASE {value} WHEN 0 THEN '0' ELSE {sign} || {shown} END)"


def _value(place: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    """What is no number is null, or an error of the statement where the place is strict."""
    [term] = terms
    if term.kind is Kind.NUMBER:
        return term
    if term.kind is not Kind.TEXT:
        raise wrong_argument(name)
    number = f"CAST(round(CAST({term.sql} AS REAL) * {10**_VALUE_SCALE}) AS INTEGER)"
    other = f"CASE WHEN {not_blank(term)} <> '' THEN json('{{' || {term.sql}) END" if place.strict else "NULL"
    return Term(Kind.NUMBER, f"(CASE WHEN {_is_number_sql(term)} THEN {number} ELSE {other} END)", _VALUE_SCALE)


def _is_number_sql(term: Term) -> str:
    unsigned = f"substr({term.sql}, 1 + (substr({term.sql}, 1, 1) IN ('-', '+')))"
    digits = f"replace({unsigned}, '.', '')"
    return f"({digits} <> '' AND {digits} NOT GLOB '*[^0-9]*' AND length({unsigned}) - length({digits}) <= 1)"


def _find(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    for each, kind in zip(terms, (Kind.TEXT, Kind.TEXT, Kind.NUMBER), strict=False):
        if each.kind not in (kind, Kind.NULL):
            raise wrong_argument(name)
    wanted, where = (not_blank(each) for each in terms[:2])
    if len(terms) == 2:
        return whole_number(f"(CASE {wanted} WHEN '' THEN 0 ELSE instr({where}, {wanted}) END)")
    start = f"max({_count(terms[2])}, 1)"
    found = f"instr(substr({where}, {start}), {wanted})"
    return whole_number(f"(CASE WHEN {wanted} = '' OR {found} = 0 THEN 0 ELSE {found} + {start} - 1 END)")


def _padded(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    for each, kind in zip(terms, (Kind.TEXT, Kind.NUMBER, Kind.TEXT), strict=False):
        if each.kind not in (kind, Kind.NULL):
            raise wrong_argument(name)
    subject, count = terms[0].sql, f"min({_count(terms[1])}, {_MOST_PADDED})"
    pad = terms[2].sql if len(terms) == 3 else "' '"
    filling = f"replace(hex(zeroblob({count})), '00', {pad})"
    if name == "RPAD":
        return text(f"substr({subject} || {filling}, 1, {count})")
    missing = f"max({count} - length({subject}), 0)"
    return text(f"substr({filling}, 1, {missing}) || substr({subject}, 1, {count})")


def _case_safe_id(_: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
    [term] = terms
    if not term.record_id:
        raise FormulaError(f"orgsim computes {name}() only for a field that holds an id")
    return text(term.record_id)


def _hyperlink(terms: list[Term]) -> Term:
    url, shown = (not_blank(each) for each in terms[:2])
    target = not_blank(terms[2]) if len(terms) == 3 else "'_blank'"
    return text(f"""('<a href="' || {url} || '" target="' || {target} || '">' || {shown} || '</a>')""")


def _image(terms: list[Term]) -> Term:
    url, alternative = (not_blank(each) for each in terms[:2])
    size = ""
    if len(terms) == 4:
        height, width = (_plain_number(each) for each in terms[2:])
        size = f" style=\"height:' || {height} || 'px; width:' || {width} || 'px;\""
    return text(f"""('<img src="' || {url} || '" alt="' || {alternative} || '"{size} border="0"/>')""")


_of_text = of_kinds(Kind.TEXT)
_of_two_texts = of_kinds(Kind.TEXT, Kind.TEXT)
_of_text_and_number = of_kinds(Kind.TEXT, Kind.NUMBER)

TEXTS = {
    "TEXT": Function(1, 1, _text, takes_picklists=True),
    "VALUE": Function(1, 1, _value),
    "ISNUMBER": _of_text(lambda terms: boolean(f"coalesce({_is_number_sql(terms[0])}, 0)")),
    "LEN": _of_text(lambda terms: whole_number(f"length({not_blank(terms[0])})")),
    "LEFT": _of_text_and_number(lambda terms: text(f"substr({terms[0].sql}, 1, {_count(terms[1])})")),
    "RIGHT": _of_text_and_number(
        lambda terms: text(
            f"substr({terms[0].sql}, length({terms[0].sql}) + 1 - min({_count(terms[1])}, length({terms[0].sql})))"
        )
    ),
    "MID": of_kinds(Kind.TEXT, Kind.NUMBER, Kind.NUMBER)(
        lambda terms: text(f"substr({terms[0].sql}, max({_count(terms[1])}, 1), {_count(terms[2])})")
    ),
    "UPPER": _of_text(lambda terms: text(f"upper({terms[0].sql})")),
    "LOWER": _of_text(lambda terms: text(f"lower({terms[0].sql})")),
    "TRIM": _of_text(lambda terms: text(f"trim({terms[0].sql})")),
    "CONTAINS": _of_two_texts(lambda terms: boolean(f"(instr({not_blank(terms[0])}, {not_blank(terms[1])}) > 0)")),
    "BEGINS": _of_two_texts(
        lambda terms: boolean(
            f"(substr(nullif({terms[0].sql}, ''), 1, length({not_blank(terms[1])})) COLLATE BINARY = "
            f"{not_blank(terms[1])})"
        )
    ),
    "SUBSTITUTE": of_kinds(Kind.TEXT, Kind.TEXT, Kind.TEXT)(
        lambda terms: text(f"replace({terms[0].sql}, {not_blank(terms[1])}, {not_blank(terms[2])})")
    ),
    "FIND": Function(2, 3, _find),
    "LPAD": Function(2, 3, _padded),
    "RPAD": Function(2, 3, _padded),
    "BR": Function(0, 0, lambda *_: text("'<br>'")),
    "CASESAFEID": Function(1, 1, _case_safe_id),
    "HYPERLINK": of_kinds(Kind.TEXT, Kind.TEXT, Kind.TEXT, least=2)(_hyperlink),
    "IMAGE": of_kinds(Kind.TEXT, Kind.TEXT, Kind.NUMBER, Kind.NUMBER, least=2)(_image),
}
