"""One middle-sized org for all tests that only read it."""

import pytest

from unit.orgsim_seeding.orgs import Org, seed_org


@pytest.fixture(scope="session")
def org() -> Org:
    return seed_org(records=20_000, seed=7)
