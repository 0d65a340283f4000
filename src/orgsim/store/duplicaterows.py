"""Shows duplicate rules as rows of DuplicateRule, MatchingRule and MatchingRuleItem. Not here: the rules themselves."""

from collections.abc import Iterator
from itertools import count

from orgsim.schema.duplicate import DUPLICATE_RULE, MATCHING_RULE, MATCHING_RULE_ITEM, OBJECTS
from orgsim.schema.model import DuplicateRule, SObject
from orgsim.store.duplicates import matching_rule_name
from orgsim.store.org import Org
from orgsim.store.rows import Row, erase_row, find_rows, insert_row

Known = dict[tuple[str, object], Row]  # by object and DeveloperName


def show_rules(org: Org, user_id: str, sobject: SObject, rules: tuple[DuplicateRule, ...]) -> None:
    """Rows of these rules, instead of those there were for the object. A rule keeps its ids and when it was made."""
    unknown = [each for each in OBJECTS if org.catalog().find(each.name) is None]
    if unknown:  # the org is older than these objects
        org.add_sobjects(unknown)
    known = _take_away(org, sobject)
    now = org.now_text()
    made: Row = {"CreatedById": user_id, "CreatedDate": now}
    changed: Row = {"LastModifiedById": user_id, "LastModifiedDate": now, "SystemModstamp": now}
    for rule in rules:
        for shown, row in _rows(org, sobject, rule, known):
            before = known.get((shown.name, row.get("DeveloperName")), made)
            insert_row(org.database.connect(), shown, {**before, **changed, **row})


def _take_away(org: Org, sobject: SObject) -> Known:
    """What there was of each rule and matching rule: its id, who made it and when."""
    connection = org.database.connect()
    known: Known = {}
    for shown in (DUPLICATE_RULE, MATCHING_RULE):
        for row in find_rows(connection, shown, "SobjectType", sobject.name):
            known[shown.name, row["DeveloperName"]] = {name: row[name] for name in ("Id", "CreatedById", "CreatedDate")}
            connection.execute('DELETE FROM "MatchingRuleItem" WHERE "MatchingRuleId" = ?', (row["Id"],))
            erase_row(connection, shown, str(row["Id"]))
    return known


def _rows(org: Org, sobject: SObject, rule: DuplicateRule, known: Known) -> Iterator[tuple[SObject, Row]]:
    kind: Row = {"Language": "en_US", "SobjectType": sobject.name, "SobjectSubtype": "None"}
    yield DUPLICATE_RULE, {**_named(rule.name), **kind, "Id": rule.id, "IsActive": int(rule.active)}
    name = matching_rule_name(rule)
    before = known.get((MATCHING_RULE.name, name))
    matching_id = before["Id"] if before else org.new_id(MATCHING_RULE.key_prefix)
    status = "Active" if rule.active else "Inactive"
    matching: Row = {"Id": matching_id, "MatchEngine": "ExactMatchEngine", "RuleStatus": status}
    yield MATCHING_RULE, {**_named(name), **kind, **matching, "BooleanFilter": _boolean_filter(rule)}
    fields = [field for names in rule.match for field in names]
    for number, field in enumerate(fields, start=1):
        item: Row = {"MatchingMethod": "Exact", "BlankValueBehavior": "NullNotAllowed", "SortOrder": number}
        item_id = org.new_id(MATCHING_RULE_ITEM.key_prefix)
        yield MATCHING_RULE_ITEM, {**item, "Id": item_id, "MatchingRuleId": matching_id, "Field": field}


def _boolean_filter(rule: DuplicateRule) -> str:
    """`1 OR (2 AND 3)`, by the numbers of the items."""
    numbers = count(1)
    ways = [" AND ".join(str(next(numbers)) for _ in names) for names in rule.match]
    return " OR ".join(f"({way})" if " " in way and len(ways) > 1 else way for way in ways)


def _named(name: str) -> Row:
    return {"DeveloperName": name, "MasterLabel": name.replace("_", " ")}
