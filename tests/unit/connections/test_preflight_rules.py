"""The rules of the preflight as a table of facts and findings, without an org; and the laws that hold for all facts."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from headwater.connections.package import FIELDS, VERSION
from headwater.connections.preflight_rules import (
    ASKED,
    REPLICATED,
    TO_INSTALL,
    Facts,
    Finding,
    Kind,
    Level,
    find,
    granted_as,
    needed_to_read,
)
from headwater.sync.objects import OBJECTS

USER = "005000000000001AAA"
PAGE = Path(__file__).parents[3] / "docs/reference/preflight.md"


def describe(fields: list[str], **flags: bool) -> dict[str, Any]:
    rights = {"createable": True, "permissionable": True}
    return {
        "queryable": True,
        "replicateable": True,
        "createable": True,
        "updateable": True,
        "deletable": True,
        "fields": [{"name": name, **rights} for name in fields],
        **flags,
    }


DESCRIBED = {
    **{name: describe(list(fields)) for name, fields in OBJECTS.items()},
    **{name: describe([field.name for field in fields]) for name, fields in FIELDS.items()},
}
WHOLE = Facts(
    USER,
    permissions=frozenset(ASKED),
    is_marketing_user=True,
    described=DESCRIBED,
    package_set="0PS000000000001AAA",
    package_version=VERSION,
    is_package_assigned=True,
)


def missing(facts: Facts) -> list[Finding]:
    return [finding for finding in find(facts, OBJECTS) if finding.level is not Level.FINE]


def test_who_holds_all_misses_nothing() -> None:
    assert missing(WHOLE) == []


def test_an_object_that_is_not_replicateable_is_a_matter_for_salesforce() -> None:
    for name in REPLICATED:
        blind = {**DESCRIBED, name: describe(list(OBJECTS[name]), replicateable=False)}
        [found] = missing(replace(WHOLE, described=blind))
        assert (found.code, found.level) == ("replicateable", Level.SHOULD)
        assert [(grant.kind, grant.name) for grant in found.grants] == [(Kind.SUPPORT, name)]


def test_all_hidden_fields_of_an_object_are_named_at_once() -> None:
    shown = {**DESCRIBED, "Lead": describe(["Id"])}
    [found] = missing(replace(WHOLE, described=shown))
    assert [grant.name for grant in found.grants] == [f"Lead.{name}" for name in OBJECTS["Lead"] if name != "Id"]


def test_a_part_of_an_address_is_granted_with_the_whole() -> None:
    assert granted_as("BillingCountry") == "BillingAddress"
    assert granted_as("City") == "Address"
    assert granted_as("CountryOfBirth__c") == "CountryOfBirth__c"


def test_installing_is_asked_for_only_while_the_package_is_absent() -> None:
    nothing_to_install_with = WHOLE.permissions - set(TO_INSTALL) if WHOLE.permissions else frozenset()
    assert missing(replace(WHOLE, permissions=nothing_to_install_with)) == []
    found = missing(replace(WHOLE, permissions=nothing_to_install_with, package_set=""))
    assert [finding.code for finding in found] == ["package", "package_install"]


def test_a_package_that_cannot_be_written_in_part_names_the_part() -> None:
    sobject, fields = next(iter(FIELDS.items()))
    described = {**DESCRIBED, sobject: describe([field.name for field in fields[1:]])}
    [found] = missing(replace(WHOLE, described=described))
    assert (found.code, found.level) == ("package", Level.WRITING)
    assert f"{sobject}.{fields[0].name}" in found.sentence


def test_an_older_package_is_to_be_updated_and_a_newer_one_asks_for_a_newer_headwater() -> None:
    [older] = missing(replace(WHOLE, package_version=VERSION - 1))
    assert (older.code, older.level, older.grants[0].kind) == ("package", Level.WRITING, Kind.INSTALL)
    assert f"version {VERSION - 1} of the package" in older.sentence
    [newer] = missing(replace(WHOLE, package_version=VERSION + 1))
    assert (newer.code, newer.level, newer.grants[0].kind) == ("package", Level.WRITING, Kind.UPGRADE)
    assert f"version {VERSION + 1} of the package" in newer.sentence


facts = st.builds(
    Facts,
    user_id=st.just(USER),
    permissions=st.none() | st.frozensets(st.sampled_from(ASKED)),
    viewed_in_full=st.frozensets(st.sampled_from(sorted(OBJECTS))),
    is_marketing_user=st.none() | st.booleans(),
    described=st.frozensets(st.sampled_from(sorted(DESCRIBED))).map(
        lambda names: {name: DESCRIBED[name] for name in names}
    ),
    package_set=st.sampled_from([None, "", "0PS000000000001AAA"]),
    package_version=st.integers(0, VERSION + 1),
    is_package_assigned=st.booleans(),
)


@given(facts)
def test_every_finding_says_what_it_costs_and_how_to_mend_it(facts: Facts) -> None:
    found = find(facts, OBJECTS)
    levels = list(Level)
    assert [finding.level for finding in found] == sorted((finding.level for finding in found), key=levels.index)
    for finding in found:
        assert finding.level is Level.FINE or finding.cost
        if finding.level not in (Level.FINE, Level.UNKNOWN):
            assert finding.where
            assert finding.grants or finding.sentence.startswith("User ")  # everybody sees users


@given(facts)
def test_what_was_not_told_is_never_fine(facts: Facts) -> None:
    levels = {finding.code: finding.level for finding in find(facts, OBJECTS)}
    if facts.permissions is None:
        assert levels["converted_leads"] is levels["view_all_data"] is Level.UNKNOWN
    if facts.is_marketing_user is None:
        assert levels["marketing_user"] is Level.UNKNOWN
    if facts.package_set is None:
        assert levels["package"] is Level.UNKNOWN


@given(facts)
def test_the_permission_set_holds_every_right_to_read_that_is_missing(facts: Facts) -> None:
    held = set(needed_to_read(facts, OBJECTS))
    reading = {"api_enabled", "view_setup", "view_all_data", "converted_leads", "object_readable", "field_readable"}
    wanted = {grant for finding in missing(facts) if finding.code in reading for grant in finding.grants}
    assert {grant for grant in wanted if grant.name not in ("User", "ActivitiesAccess")} <= held


def test_every_finding_has_its_row_in_the_reference() -> None:
    source = Path(find.__code__.co_filename).read_text()
    codes = {finding.code for finding in find(WHOLE, OBJECTS)} | {"package_install"}
    assert all(f'"{code}"' in source for code in codes)
    rows = {line.split("`")[1] for line in PAGE.read_text().splitlines() if line.startswith("| `")}
    assert rows == codes
