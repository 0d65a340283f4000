"""The validation rules an org has: kept with the schema of their object. What they refuse: store/validation.py."""

import re
from collections.abc import Iterator
from dataclasses import replace

from orgsim.errors import ApiError
from orgsim.schema.model import SObject, ValidationRule
from orgsim.store.org import Org
from orgsim.store.validation import check_rule

_KEY_PREFIX = "03d"
_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")


def rules_of(org: Org) -> Iterator[tuple[SObject, ValidationRule]]:
    for sobject in org.catalog():
        for rule in sobject.validation_rules:
            yield sobject, rule


def keep_rule(org: Org, user_id: str, sobject: SObject, wanted: ValidationRule) -> bool:
    """Whether the rule is new; one of the same name is changed. `wanted.id` is not looked at.

    Raises FormulaError for its formula, ApiError for its name.
    """
    refuse_odd_name(wanted.name)
    check_rule(org, user_id, sobject, wanted)
    known = find_rule(sobject, wanted.name)
    with org.database.write():
        rule_id = known.id if known else org.new_id(_KEY_PREFIX)
        org.change_sobject(sobject.with_rule(replace(wanted, id=rule_id)))
    return known is None


def refuse_odd_name(name: str) -> None:
    """Raises ApiError for what cannot be the name of a rule of any kind."""
    if not _NAME.fullmatch(name):
        raise ApiError(
            "FIELD_INTEGRITY_EXCEPTION",
            "The Rule Name can only contain underscores and alphanumeric characters. It must begin with a letter, not "
            "include spaces, not end with an underscore, and not contain two consecutive underscores.",
        )


def drop_rule(org: Org, sobject: SObject, name: str) -> None:
    if find_rule(sobject, name) is None:
        raise ApiError("NOT_FOUND", f"{sobject.name} has no validation rule {name}", status=404)
    org.change_sobject(sobject.without_rule(name))


def find_rule(sobject: SObject, name: str) -> ValidationRule | None:
    return next((each for each in sobject.validation_rules if each.name.lower() == name.lower()), None)
