"""Which org an account may be connected to, as a table: one at a time, a test org first, production for good."""

import pytest

from headwater.common.errors import Fix
from headwater.connections.rules import KnownAs, Verdict, admit

PRODUCTION = KnownAs("00D1", "Acme", "production")
OTHER_PRODUCTION = KnownAs("00D2", "Borg", "production")
SANDBOX = KnownAs("00D3", "Acme", "sandbox")
REFRESHED = KnownAs("00D4", "Acme", "sandbox")
TEST_ORGS = [SANDBOX, *(KnownAs("00D5", "Acme", kind) for kind in ("scratch", "trial", "developer"))]


@pytest.mark.parametrize("org", [PRODUCTION, *TEST_ORGS], ids=lambda org: org.kind)
def test_the_first_org_may_be_of_any_kind(org: KnownAs) -> None:
    assert admit(None, is_leaving=False, past=[], arriving=org) is Verdict.NEW


@pytest.mark.parametrize("org", [PRODUCTION, *TEST_ORGS], ids=lambda org: org.kind)
def test_the_connected_org_may_always_be_authorised_again(org: KnownAs) -> None:
    assert admit(org, is_leaving=False, past=[org], arriving=org) is Verdict.AGAIN


@pytest.mark.parametrize("org", TEST_ORGS, ids=lambda org: org.kind)
def test_production_may_follow_a_test_org_that_was_left(org: KnownAs) -> None:
    assert admit(None, is_leaving=False, past=[org], arriving=PRODUCTION) is Verdict.NEW


@pytest.mark.parametrize("org", [*TEST_ORGS, OTHER_PRODUCTION], ids=lambda org: org.kind)
def test_nothing_follows_production(org: KnownAs) -> None:
    with pytest.raises(Fix, match="has been connected to Acme") as refused:
        admit(None, is_leaving=False, past=[SANDBOX, PRODUCTION], arriving=org)
    assert refused.value.code == "connections.production_for_good"
    assert "in an account of its own" in refused.value.facts.you_can


def test_production_itself_may_come_back() -> None:
    assert admit(None, is_leaving=False, past=[SANDBOX, PRODUCTION], arriving=PRODUCTION) is Verdict.NEW


def test_production_beside_a_sandbox_is_told_to_delete_the_sandbox_first() -> None:
    with pytest.raises(Fix) as refused:
        admit(SANDBOX, is_leaving=False, past=[SANDBOX], arriving=PRODUCTION)
    assert refused.value.code == "connections.second_org"
    assert "delete the connection to Acme (sandbox, 00D3) first" in refused.value.facts.you_can
    assert "refreshed" not in refused.value.facts.why


def test_a_refreshed_sandbox_is_recognised_as_another_org() -> None:
    with pytest.raises(Fix) as refused:
        admit(SANDBOX, is_leaving=False, past=[SANDBOX], arriving=REFRESHED)
    assert "If Acme was refreshed or made anew, it is another org since" in refused.value.facts.why


def test_nobody_comes_while_an_org_is_being_deleted() -> None:
    for arriving in (SANDBOX, PRODUCTION):
        with pytest.raises(Fix) as refused:
            admit(SANDBOX, is_leaving=True, past=[SANDBOX], arriving=arriving)
        assert refused.value.code == "connections.deletion_in_progress"
