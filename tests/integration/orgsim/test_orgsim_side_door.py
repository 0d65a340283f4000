"""What is laid on an org through the side door is listed there, and can be taken away again."""

import httpx2
import pytest

from orgsim.testing import RunningOrgsim

LEAD = {"sobject": "Lead", "name": "Named"}


def shown(path: str, *methods: str) -> pytest.MarkDecorator:
    return pytest.mark.conformance(
        area="Levers",
        feature=f"The side door lists, lays and takes away: {path.replace('-', ' ')}",
        source="reference",
        endpoint=", ".join(f"{method} /orgsim/orgs/{{org_id}}/{path}" for method in methods),
    )


@pytest.mark.parametrize(
    ("path", "wish"),
    [
        pytest.param(
            "rules",
            {**LEAD, "formula": "ISBLANK(Title)", "message": "Title?"},
            marks=shown("rules", "GET", "POST", "DELETE"),
        ),
        pytest.param("duplicate-rules", LEAD, marks=shown("duplicate-rules", "GET", "POST", "DELETE")),
        pytest.param("triggers", {**LEAD, "cpu_ms_per_record": 1}, marks=shown("triggers", "GET", "POST", "DELETE")),
    ],
)
def test_rules_and_triggers_come_and_go(
    anyone: httpx2.Client, running: RunningOrgsim, path: str, wish: dict[str, object]
) -> None:
    address = f"/orgsim/orgs/{running.production.org_id}/{path}"
    assert anyone.get(address).json() == []
    [laid] = anyone.post(address, json=wish).json()
    assert "Named" in laid.values()
    assert anyone.get(address).json() == [laid]
    assert anyone.delete(address, params=LEAD).json() == []
    assert anyone.get(address).json() == []


@shown("locks", "GET", "POST", "DELETE")
def test_locks_come_and_go(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    account = running.writer().insert("Account", {"Name": "Ask"})
    address = f"/orgsim/orgs/{running.production.org_id}/locks"
    [laid] = anyone.post(address, json={"id": account, "writes": 3}).json()
    assert anyone.get(address).json() == [laid]
    assert anyone.delete(address, params={"id": account}).json() == []


@shown("record-types", "GET", "POST")
def test_record_types_are_listed(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    address = f"/orgsim/orgs/{running.production.org_id}/record-types"
    before = anyone.get(address).json()
    made = anyone.post(address, json={"sobject": "Opportunity", "name": "Renewal_Deal"}).json()
    assert [each for each in made if each not in before] == [
        each for each in anyone.get(address).json() if each["developer_name"] == "Renewal_Deal"
    ]


@shown("currencies", "GET", "POST")
def test_currencies_are_listed(anyone: httpx2.Client, running: RunningOrgsim) -> None:
    address = f"/orgsim/orgs/{running.sandbox.org_id}/currencies"
    before = anyone.get(address).json()
    made = anyone.post(address, json={"corporate": "USD"}).json()
    assert "USD" in str(made)
    assert anyone.get(address).json() == made != before
