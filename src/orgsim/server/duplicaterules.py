"""Duplicate rules as the side door and the command `orgsim duplicate-rule` show and change them."""

from dataclasses import asdict
from typing import Any

from orgsim.oauth.users import any_admin
from orgsim.schema.model import DuplicateRule
from orgsim.server.rules import sobject_named
from orgsim.store.duplicaterules import drop_duplicate_rule, duplicate_rules_of, keep_duplicate_rule
from orgsim.store.org import Org


def describe_duplicate_rules(org: Org) -> list[dict[str, object]]:
    return [{"sobject": sobject.name, **asdict(rule)} for sobject, rule in duplicate_rules_of(org)]


def set_duplicate_rule(org: Org, wish: dict[str, Any]) -> list[dict[str, object]]:
    """{"sobject", "name"} and, if wanted, "match" (lists of fields), "action", "alert", "message", "active"."""
    told = {name: value for name, value in wish.items() if name not in ("sobject", "match")}
    match = tuple(tuple(names) for names in wish.get("match", ()))
    keep_duplicate_rule(
        org, any_admin(org), sobject_named(org, wish["sobject"]), DuplicateRule(id="", match=match, **told)
    )
    return describe_duplicate_rules(org)


def remove_duplicate_rule(org: Org, sobject_name: str, name: str) -> list[dict[str, object]]:
    drop_duplicate_rule(org, any_admin(org), sobject_named(org, sobject_name), name)
    return describe_duplicate_rules(org)
