"""The duplicate rules an org has: kept with the schema of their object. What they refuse: store/duplicates.py."""

from collections.abc import Iterator
from dataclasses import replace

from orgsim.errors import ApiError, missing_on_sobject
from orgsim.schema.model import DuplicateRule, SObject
from orgsim.store import ddl
from orgsim.store.duplicaterows import show_rules
from orgsim.store.org import Org
from orgsim.store.rules import refuse_odd_name

ACTIONS = ("Block", "Allow")
MAX_ACTIVE_RULES = 5
# What stands for Salesforce's standard matching rules where a rule names no fields (facts C.22).
STANDARD_MATCH: dict[str, tuple[tuple[str, ...], ...]] = {
    "Account": (("Name",),),
    "Contact": (("Email",), ("FirstName", "LastName", "AccountId")),
    "Lead": (("Email",), ("FirstName", "LastName", "Company")),
}
_KEY_PREFIX = "0Bm"


def duplicate_rules_of(org: Org) -> Iterator[tuple[SObject, DuplicateRule]]:
    for sobject in org.catalog():
        for rule in sobject.duplicate_rules:
            yield sobject, rule


def keep_duplicate_rule(org: Org, user_id: str, sobject: SObject, wanted: DuplicateRule) -> None:
    """Add a rule or change the one of that name. Raises ApiError. `wanted.id` is not looked at."""
    refuse_odd_name(wanted.name)
    if wanted.action not in ACTIONS:
        raise _wrong(f"The action of a duplicate rule is {' or '.join(ACTIONS)}")
    if not (sobject.custom or sobject.name in STANDARD_MATCH):
        raise _wrong(f"{sobject.name} has no duplicate rules: accounts, contacts, leads and custom objects have")
    match = tuple(_field_names(sobject, each) for each in wanted.match or STANDARD_MATCH.get(sobject.name, ()))
    if not match:
        raise _wrong("A duplicate rule needs fields to match by")
    others = tuple(each for each in sobject.duplicate_rules if each.name.lower() != wanted.name.lower())
    if wanted.active and sum(each.active for each in others) >= MAX_ACTIVE_RULES:
        raise _wrong(f"An object has at most {MAX_ACTIVE_RULES} active duplicate rules")
    known = find_duplicate_rule(sobject, wanted.name)
    with org.database.write():
        rule_id = known.id if known else org.new_id(_KEY_PREFIX)
        _save(org, user_id, sobject, (*others, replace(wanted, id=rule_id, match=match)))


def drop_duplicate_rule(org: Org, user_id: str, sobject: SObject, name: str) -> None:
    dropped = find_duplicate_rule(sobject, name)
    if dropped is None:
        raise ApiError("NOT_FOUND", f"{sobject.name} has no duplicate rule {name}", status=404)
    kept = tuple(each for each in sobject.duplicate_rules if each is not dropped)
    _save(org, user_id, sobject, kept)


def find_duplicate_rule(sobject: SObject, name: str) -> DuplicateRule | None:
    return next((each for each in sobject.duplicate_rules if each.name.lower() == name.lower()), None)


def _save(org: Org, user_id: str, sobject: SObject, rules: tuple[DuplicateRule, ...]) -> None:
    """With an index for each way to match, and none for those that are not wanted any more."""
    wanted = {names for rule in rules for names in rule.match}
    unwanted = {names for rule in sobject.duplicate_rules for names in rule.match} - wanted
    with org.database.write() as connection:
        for names in sorted(wanted):
            connection.execute(ddl.create_match_index(sobject, names))
        for names in sorted(unwanted):
            connection.execute(ddl.drop_match_index(sobject, names))
        org.change_sobject(sobject.with_duplicate_rules(rules))
        show_rules(org, user_id, sobject, rules)


def _field_names(sobject: SObject, names: tuple[str, ...]) -> tuple[str, ...]:
    """As the schema spells them."""
    fields = []
    for name in names:
        field = sobject.find(name)
        if field is None:
            raise missing_on_sobject(name, sobject.name)
        if not field.is_stored or not field.filterable:
            raise _wrong(f"{field.name} cannot be matched by")
        fields.append(field.name)
    if not fields:
        raise _wrong("A duplicate rule needs fields to match by")
    return tuple(fields)


def _wrong(message: str) -> ApiError:
    return ApiError("FIELD_INTEGRITY_EXCEPTION", message)
