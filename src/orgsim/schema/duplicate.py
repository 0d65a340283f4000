"""Duplicate rules, matching rules and what these match by, as rows that clients can query."""

from dataclasses import replace

from orgsim.schema.declare import (
    area,
    flag,
    moment,
    named,
    pick,
    record_id,
    reference,
    required,
    system_fields,
    text,
    whole,
)
from orgsim.schema.model import Field, SObject

_AUDIT = system_fields(bin_flag=False)
_OBJECTS = ("Account", "Contact", "Lead")


def _named_fields() -> tuple[Field, ...]:
    return (
        record_id(),
        named(required(text("DeveloperName", 80))),
        text("Language", 40),
        required(text("MasterLabel", 80)),
        text("NamespacePrefix", 15),
        required(pick("SobjectType", _OBJECTS, 40)),
        pick("SobjectSubtype", ("None", "PersonAccount"), 40),
        *_AUDIT,
    )


def _read_only(sobject: SObject) -> SObject:
    return replace(
        sobject,
        createable=False,
        updateable=False,
        deletable=False,
        undeletable=False,
        replicateable=False,
        bulk_queryable=False,
        index={},
    )


DUPLICATE_RULE = _read_only(
    SObject(
        "DuplicateRule",
        "Duplicate Rule",
        "Duplicate Rules",
        "0Bm",
        (*_named_fields(), flag("IsActive"), moment("LastViewedDate")),
    )
)
MATCHING_RULE = _read_only(
    SObject(
        "MatchingRule",
        "Matching Rule",
        "Matching Rules",
        "0JD",
        (
            *_named_fields(),
            text("BooleanFilter", 255),
            area("Description", 255),
            pick("MatchEngine", ("ExactMatchEngine", "FuzzyMatchEngine"), 40),
            pick("RuleStatus", ("Active", "Inactive"), 40),
        ),
    )
)
MATCHING_RULE_ITEM = _read_only(
    SObject(
        "MatchingRuleItem",
        "Matching Rule Item",
        "Matching Rule Items",
        "0JE",
        (
            record_id(),
            named(required(text("Field", 40))),
            required(reference("MatchingRuleId", "MatchingRule", child="MatchingRuleItems")),
            whole("SortOrder"),
            pick("MatchingMethod", ("Exact",), 40),
            pick("BlankValueBehavior", ("MatchBlanks", "NullNotAllowed"), 40),
            *_AUDIT,
        ),
    )
)
OBJECTS = (DUPLICATE_RULE, MATCHING_RULE, MATCHING_RULE_ITEM)
