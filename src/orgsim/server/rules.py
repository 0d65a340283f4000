"""Validation rules as the side door and the command `orgsim rule` show and change them."""

from dataclasses import asdict
from typing import Any

from orgsim.errors import ApiError, not_found
from orgsim.formula.errors import FormulaError
from orgsim.oauth.users import any_admin
from orgsim.schema.model import SObject, ValidationRule
from orgsim.store.org import Org
from orgsim.store.rules import drop_rule, keep_rule, rules_of


def describe_rules(org: Org) -> list[dict[str, object]]:
    return [{"sobject": sobject.name, **asdict(rule)} for sobject, rule in rules_of(org)]


def set_rule(org: Org, wish: dict[str, Any]) -> list[dict[str, object]]:
    """{"sobject", "name", "formula", "message"} and, if wanted, "display_field", "description", "active"."""
    told = {name: value for name, value in wish.items() if name != "sobject"}
    try:
        keep_rule(org, any_admin(org), sobject_named(org, wish["sobject"]), ValidationRule(id="", **told))
    except FormulaError as error:
        raise ApiError("FIELD_INTEGRITY_EXCEPTION", str(error)) from error
    return describe_rules(org)


def remove_rule(org: Org, sobject_name: str, name: str) -> list[dict[str, object]]:
    drop_rule(org, sobject_named(org, sobject_name), name)
    return describe_rules(org)


def sobject_named(org: Org, name: str) -> SObject:
    sobject = org.catalog().find(name)
    if sobject is None:
        raise not_found(f"There is no object {name}")
    return sobject
