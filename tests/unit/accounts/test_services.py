"""Tenants, people, roles and the record of what was changed."""

from datetime import UTC, datetime, timedelta

import pytest

from headwater.accounts.models import Account, Member, Role, User
from headwater.accounts.services import (
    accounts_of,
    add_member,
    create_account,
    create_user,
    events_of,
    members_of,
    record_event,
    require_admin,
    role_of,
)
from headwater.common.clock import clock_set_to
from headwater.common.errors import Bug, Fix

pytestmark = pytest.mark.django_db
PASSWORD = "three quiet rivers"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def alder() -> Account:
    return create_account("Alder & Finch")


@pytest.fixture
def alice(alder: Account) -> User:
    user = create_user("Alice@Alderfinch.example", PASSWORD, "Alice Larsson")
    add_member(alder, user, Role.ADMIN)
    return user


@pytest.fixture
def charlie() -> User:
    return create_user("charlie@elsewhere.example", PASSWORD)


def test_it_gives_an_account_a_short_name_and_its_birthday() -> None:
    with clock_set_to(NOON):
        account = create_account("  Alder & Finch ")
    assert (account.name, account.slug, account.created_utc) == ("Alder & Finch", "alder-finch", NOON)


@pytest.mark.parametrize(
    ("names", "slugs"),
    [
        (["Alder & Finch", "Alder Finch", "Alder-Finch!"], ["alder-finch", "alder-finch-2", "alder-finch-3"]),
        (["株式会社", "有限会社"], ["account", "account-2"]),
        (["x" * 190, "x" * 191], ["x" * 50, "x" * 50 + "-2"]),
    ],
)
def test_it_keeps_the_short_names_of_namesakes_apart(names: list[str], slugs: list[str]) -> None:
    assert [create_account(name).slug for name in names] == slugs


def test_it_refuses_a_second_account_of_the_same_name_whatever_the_case(alder: Account) -> None:
    with pytest.raises(Fix, match="already") as refused:
        create_account("ALDER & FINCH")
    assert refused.value.code == "accounts.name_taken"


def test_it_refuses_an_account_without_a_name() -> None:
    with pytest.raises(Fix, match="needs a name"):
        create_account("   ")


def test_it_keeps_addresses_in_lower_case_and_once(alice: User) -> None:
    assert alice.email == "alice@alderfinch.example"
    with pytest.raises(Fix) as refused:
        create_user(" ALICE@alderfinch.example", PASSWORD)
    assert refused.value.code == "accounts.email_taken"


@pytest.mark.parametrize("password", ["short", "1234567890", "alice@alderfinch.example"])
def test_it_refuses_a_password_that_is_easy_to_guess(password: str) -> None:
    with pytest.raises(Fix) as refused:
        create_user("alice@alderfinch.example", password)
    assert refused.value.code == "accounts.password_weak"
    assert refused.value.facts.why
    assert not User.objects.exists()


def test_it_knows_the_role_of_a_member_and_none_of_a_stranger(alder: Account, alice: User, charlie: User) -> None:
    assert role_of(alice, alder) is Role.ADMIN
    assert role_of(charlie, alder) is None


def test_it_changes_the_role_of_someone_who_is_a_member_already(alder: Account, alice: User) -> None:
    add_member(alder, alice, Role.STANDARD)
    assert role_of(alice, alder) is Role.STANDARD
    assert members_of(alder).count() == 1


def test_only_an_account_admin_passes_as_one(alder: Account, alice: User) -> None:
    require_admin(alice, alder, Role.ADMIN)
    with pytest.raises(Fix, match="Only an Account Admin of Alder & Finch") as refused:
        require_admin(alice, alder, Role.STANDARD)
    assert refused.value.code == "accounts.admin_needed"


def test_a_superuser_has_no_role_by_birth(alder: Account) -> None:
    operator = User.objects.create_superuser("operator@headwater.example", PASSWORD)
    assert role_of(operator, alder) is None


def test_it_lists_the_accounts_of_a_person_by_name(alder: Account, alice: User) -> None:
    birch = create_account("Aspen Bank")
    create_account("Cedar Mills")
    add_member(birch, alice, Role.STANDARD)
    assert list(accounts_of(alice)) == [alder, birch]


def test_it_keeps_who_changed_what_and_when(alder: Account, alice: User) -> None:
    with clock_set_to(NOON):
        record_event(alder, alice, "crm.daily_limit", 100_000, 150_000)
    with clock_set_to(NOON + timedelta(hours=1)):
        record_event(alder, "scheduler", "sync.paused")
    assert [(event.actor, event.action) for event in events_of(alder)] == [
        ("scheduler", "sync.paused"),
        ("alice@alderfinch.example", "crm.daily_limit"),
    ]
    changed = events_of(alder, "crm.daily_limit").get()
    assert (changed.before, changed.after, changed.at_utc) == ("100000", "150000", NOON)


def test_the_events_of_one_account_are_not_seen_by_another(alder: Account, alice: User) -> None:
    record_event(alder, alice, "crm.daily_limit")
    assert not events_of(create_account("Birch Telecom")).exists()


def test_a_query_without_an_account_is_an_error(alder: Account, alice: User) -> None:
    with pytest.raises(Bug, match=r"Member\.of\(account\)"):
        Member.objects.all()
    with pytest.raises(Bug):
        Member.objects.create(account=alder, user=alice)


def test_a_query_with_an_account_sees_its_rows_only(alder: Account, alice: User, charlie: User) -> None:
    birch = create_account("Birch Telecom")
    add_member(birch, charlie, Role.ADMIN)
    assert [member.user for member in Member.of(alder)] == [alice]
    assert [member.user for member in Member.of(birch.pk)] == [charlie]
    assert Member.of_all().count() == 2
