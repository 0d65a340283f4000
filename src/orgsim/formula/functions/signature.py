"""How a function of the formula language is declared, and how its arguments are refused."""

from collections.abc import Callable
from dataclasses import dataclass

from orgsim.formula.errors import FormulaError, wrong_type
from orgsim.formula.surroundings import Surroundings
from orgsim.formula.term import Kind, Term

# (place, the function's name, its arguments, the field each names or "")
Build = Callable[[Surroundings, str, list[Term], list[str]], Term]


@dataclass(frozen=True, slots=True)
class Function:
    """`most` None takes any number of arguments. Bare picklists are refused unless `takes_picklists`."""

    least: int
    most: int | None
    build: Build
    takes_picklists: bool = False


def of_kinds(*kinds: Kind, least: int | None = None) -> Callable[[Callable[[list[Term]], Term]], Function]:
    """Declares a function whose arguments have these kinds, in this order."""

    def declare(build: Callable[[list[Term]], Term]) -> Function:
        def checked(_place: Surroundings, name: str, terms: list[Term], _names: list[str]) -> Term:
            for term, kind in zip(terms, kinds, strict=False):
                refuse_other_kind(name, term, kind)
            return build(terms)

        return Function(len(kinds) if least is None else least, len(kinds), checked)

    return declare


def refuse_other_kind(name: str, term: Term, *kinds: Kind) -> None:
    if term.kind not in (*kinds, Kind.NULL):
        raise wrong_type(name, kinds, term.kind)


def written_number(name: str, term: Term) -> int:
    """A whole number that is written in the formula, minus included."""
    text = term.literal if term.literal is not None else term.sql.strip("()")
    try:
        return int(text)
    except ValueError as error:
        raise FormulaError(f"orgsim computes {name}() only with a number of digits written in the formula") from error
