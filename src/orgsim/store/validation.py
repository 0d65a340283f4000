"""Validation rules: their formulas over a record that is about to be saved, as SQL over its new and its old values."""

import sqlite3
from dataclasses import dataclass

from orgsim.errors import ApiError
from orgsim.formula.compile import compile_formula
from orgsim.formula.errors import FormulaError
from orgsim.formula.term import Kind, Term
from orgsim.schema.model import SObject, ValidationRule
from orgsim.soql.computed import FormulaPlace, Spot, refuse_other_kind
from orgsim.soql.plan import Asker
from orgsim.soql.scope import Question, Scope
from orgsim.store.org import Org
from orgsim.store.rows import Row

CODE = "FIELD_CUSTOM_VALIDATION_EXCEPTION"
MAX_MESSAGE_CHARACTERS = 255
_ANY_VERSION = "67.0"


@dataclass(frozen=True, slots=True)
class _RulePlace(FormulaPlace):
    """Sees the record as it will be, and at `before` as it was; a new one was as it will be."""

    before: Spot | None = None
    is_new: bool = False

    def prior(self, name: str) -> Term | None:
        field = self.before.sobject.find(name) if self.before else None
        return self.term_of(self.before, field) if self.before and field else None

    def is_new_sql(self) -> str | None:
        return str(int(self.is_new))


def refuse_invalid(org: Org, user_id: str, sobject: SObject, row: Row, old: Row | None) -> None:
    """Raises ApiError with every rule that the record breaks (facts C.21)."""
    errors = [
        error
        for rule in sobject.validation_rules
        if rule.active and (error := _broken(org, user_id, sobject, rule, row, old))
    ]
    if errors:
        errors[0].further = tuple(errors[1:])
        raise errors[0]


def check_rule(org: Org, user_id: str, sobject: SObject, rule: ValidationRule) -> None:
    """Raises FormulaError for a rule that Salesforce would not save."""
    if not rule.message:
        raise FormulaError("Required field is missing: errorMessage")
    if len(rule.message) > MAX_MESSAGE_CHARACTERS:
        raise FormulaError(f"Error Message: data value too large (max length={MAX_MESSAGE_CHARACTERS})")
    if rule.display_field and sobject.find(rule.display_field) is None:
        raise FormulaError(f"Field {rule.display_field} does not exist. Check spelling.")
    blank: Row = dict.fromkeys((each.name for each in sobject.stored_fields), None)
    _compile(_question(org, user_id), sobject, rule, blank, None)


def _broken(
    org: Org, user_id: str, sobject: SObject, rule: ValidationRule, row: Row, old: Row | None
) -> ApiError | None:
    question = _question(org, user_id)
    fields = (rule.display_field,) if rule.display_field else ()
    try:
        sql = _compile(question, sobject, rule, row, old)
        [fires] = org.database.connect().execute(sql, question.params).fetchone()
    except FormulaError as error:
        return ApiError(CODE, f'Validation Formula "{rule.name}" Invalid ({error})', fields=())
    except sqlite3.OperationalError as error:
        if "malformed JSON" not in str(error):
            raise
        # see the division in formula/operators.py
        return ApiError(CODE, f'Validation Formula "{rule.name}" Invalid (Division by zero)', fields=())
    return ApiError(CODE, rule.message, fields=fields) if fires else None


def _compile(question: Question, sobject: SObject, rule: ValidationRule, row: Row, old: Row | None) -> str:
    scope = Scope(question, sobject, None, source=_values_sql(question, row))
    before = Spot(question.alias(), sobject)
    scope.joins.append(f"CROSS JOIN {_values_sql(question, row if old is None else old)} {before.alias}")
    spot = Spot(scope.alias, sobject)
    place = _RulePlace(scope, spot, blanks_as_zero=False, strict=True, before=before, is_new=old is None)
    term = compile_formula(rule.formula, place)
    refuse_other_kind(term, Kind.BOOLEAN)
    return f"SELECT {term.sql} FROM {scope.from_sql()}"  # noqa: S608  names come from the schema


def _values_sql(question: Question, row: Row) -> str:
    """A row of one record that need not be in the table."""
    values = ", ".join(f'{question.param(value)} AS "{name}"' for name, value in row.items())
    return f"(SELECT {values})"


def _question(org: Org, user_id: str) -> Question:
    return Asker(org, user_id, _ANY_VERSION).question("", all_rows=True)
