"""Formula fields as SQL inside a scope: what names in a formula mean, and the stored form of its result.

Paths of formulas have joins of their own and see every field, whatever the asker may see.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orgsim.clock import datetime_text
from orgsim.formula.compile import compile_formula, refuse_size
from orgsim.formula.errors import FormulaError, no_such_field, unsupported_field
from orgsim.formula.term import Kind, Term, kind_of, rounded, settled
from orgsim.schema.model import ID_TYPES, NUMBER_TYPES, Field, SObject

if TYPE_CHECKING:
    from orgsim.soql.scope import Scope

MAX_LEVELS = 10
MAX_TEXT_CHARACTERS = 1300
_RESULT_NAMES = {Kind.BOOLEAN: "true or false"}
_USER_ROWS = {
    "$user": ("User", '"Id" = {user}'),
    "$profile": ("Profile", '"Id" = (SELECT "ProfileId" FROM "User" WHERE "Id" = {user})'),
    "$userrole": ("UserRole", '"Id" = (SELECT "UserRoleId" FROM "User" WHERE "Id" = {user})'),
    "$organization": ("Organization", "1"),
}


@dataclass(frozen=True, slots=True)
class Spot:
    """A row that a formula can see, by its alias."""

    alias: str
    sobject: SObject


@dataclass(frozen=True, slots=True)
class FormulaPlace:
    """Where a formula of `spot`'s object is computed. `inside` names the formula fields it is a part of."""

    scope: "Scope"
    spot: Spot
    blanks_as_zero: bool = True
    inside: tuple[str, ...] = ()
    strict: bool = False

    @property
    def today_sql(self) -> str:
        return self.scope.question.param(self.scope.question.today.isoformat())

    @property
    def now_sql(self) -> str:
        return self.scope.question.param(datetime_text(self.scope.question.now))

    def local_day_sql(self, moment_sql: str) -> str:
        return f"substr({self.scope.question.local_sql(moment_sql)}, 1, 10)"

    def reference(self, name: str) -> Term:
        *steps, last = name.split(".")
        if steps and steps[0].lower() in _USER_ROWS:
            return self._of_user(name, steps, last)
        if len(steps) > MAX_LEVELS:
            raise no_such_field(name)
        spot = self.spot
        for step in steps:
            spot = self._parent(spot, step, name)
        field = spot.sobject.find(last)
        if field is None:
            raise no_such_field(name)
        return self._read(self.term_of(spot, field), field)

    def prior(self, _name: str) -> Term | None:
        return None

    def is_new_sql(self) -> str | None:
        return None

    def term_of(self, spot: Spot, field: Field) -> Term:
        """The field's term at a spot, without regard to what blanks count as."""
        if field.formula is not None:
            return self._of_formula(spot, field)
        return column_term(f'{spot.alias}."{field.name}"', field)

    def _read(self, term: Term, field: Field) -> Term:
        if self.blanks_as_zero and term.kind is Kind.NUMBER:
            term = settled(term)
            return Term(Kind.NUMBER, f"coalesce({term.sql}, 0)", term.scale, whole=term.whole, field=field)
        return term

    def _of_formula(self, spot: Spot, field: Field) -> Term:
        full_name = f"{spot.sobject.name}.{field.name}"
        if full_name in self.inside:
            raise FormulaError("Formula cannot use another formula field that directly or indirectly refers to itself.")
        inner = FormulaPlace(self.scope, spot, field.blanks_as_zero, (*self.inside, full_name), self.strict)
        return compile_formula(field.formula or "", inner)

    def _parent(self, spot: Spot, step: str, name: str) -> Spot:
        """`Owner:User` chooses one of the objects a reference may lead to."""
        relationship, _, target = step.partition(":")
        link = spot.sobject.find_relationship(relationship)
        if link is None or (link.is_polymorphic and not target):
            raise no_such_field(name)
        if target and target.lower() not in (each.lower() for each in link.reference_to):
            raise FormulaError(f"{target} is an invalid object type for the {relationship} field. Check spelling.")
        parent = self.scope.question.whole_catalog.get(target or link.reference_to[0])
        known = self.scope.formula_joins
        key = (spot.alias, step.lower())
        if key not in known:
            known[key] = self.scope.join(parent.name, f'{spot.alias}."{link.name}"')
        return Spot(known[key], parent)

    def _of_user(self, name: str, steps: list[str], last: str) -> Term:
        sobject_name, where = _USER_ROWS[steps[0].lower()]
        question = self.scope.question
        field = question.whole_catalog.get(sobject_name).find(last)
        if field is None or len(steps) > 1 or field.formula is not None:
            raise no_such_field(name)
        row = where.format(user=question.param(question.user_id))
        return column_term(f'(SELECT "{field.name}" FROM "{sobject_name}" WHERE {row})', field)  # noqa: S608  names come from the schema


def column_term(sql: str, field: Field) -> Term:
    """A stored value as a formula reads it: percents are hundredths, ids have 15 characters."""
    kind = kind_of(field)
    if kind is None:
        name = "Long Text Area" if field.type == "textarea" else field.type.capitalize()
        raise unsupported_field(name, field.name)
    if field.type in ID_TYPES:
        return Term(kind, f"substr({sql}, 1, 15)", record_id=sql, field=field)
    scale = field.scale + 2 if field.type == "percent" else field.scale
    return Term(kind, sql, scale if kind is Kind.NUMBER else 0, field=field)


def computed_sql(scope: "Scope", alias: str, sobject: SObject, field: Field) -> str:
    """The stored form of a formula field's value. Raises FormulaError."""
    spot = Spot(alias, scope.question.whole(sobject))
    term = FormulaPlace(scope, spot).term_of(spot, field)
    refuse_other_kind(term, kind_of(field) or Kind.TEXT)
    sql = _stored_sql(term, field)
    refuse_size(sql)
    return sql


def _stored_sql(term: Term, field: Field) -> str:
    if field.type in NUMBER_TYPES:
        hundredths = 2 if field.type == "percent" else 0
        result = Term(Kind.NUMBER, term.sql, term.scale - hundredths, term.divisor, term.whole)
        return rounded(result, field.scale).sql
    if field.type == "boolean":
        return f"coalesce({term.sql}, 0)"
    if field.type == "string":
        return f"(nullif(substr({term.sql}, 1, {MAX_TEXT_CHARACTERS}), '') COLLATE NOCASE)"
    return term.sql


def refuse_other_kind(term: Term, wanted: Kind) -> None:
    """The result of a whole formula is of the kind that its place asks for, or null."""
    if term.kind not in (wanted, Kind.NULL):
        received, expected = (_RESULT_NAMES.get(each, each) for each in (term.kind, wanted))
        raise FormulaError(
            f"Formula result is data type ({received}), incompatible with expected data type ({expected})."
        )
