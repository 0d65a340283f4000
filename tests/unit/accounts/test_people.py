"""Members of an account: roles, removals, and the last Account Admin, who stays whatever is tried."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from headwater.accounts.models import Account, Member, Role, User
from headwater.accounts.people import change_role, join, member_by_email, remove
from headwater.accounts.services import (
    account_of_job,
    accounts_of,
    add_member,
    close_account,
    create_account,
    create_user,
    enter_account,
    events_about,
    events_of,
    has_operator,
    members_of,
    name_operator,
    open_account_of_job,
    reopen_account,
    role_of,
    user_by_email,
)
from headwater.common.errors import Bug, Fix

pytestmark = pytest.mark.django_db
PASSWORD = "three quiet rivers"


@pytest.fixture
def alder() -> Account:
    return create_account("Alder & Finch")


@pytest.fixture
def alice(alder: Account) -> Member:
    return add_member(alder, create_user("alice@alderfinch.example", PASSWORD, "Alice Larsson"), Role.ADMIN)


@pytest.fixture
def bob(alder: Account, alice: Member) -> Member:
    return add_member(alder, create_user("bob@alderfinch.example", PASSWORD, "Bob Berg"), Role.STANDARD)


def test_a_new_role_counts_at_once_and_is_kept_in_the_history(alder: Account, alice: Member, bob: Member) -> None:
    change_role(bob, Role.ADMIN, actor=alice.user)
    assert role_of(bob.user, alder) is Role.ADMIN
    [event] = events_of(alder)
    assert (event.actor, event.action) == ("alice@alderfinch.example", "people.role_changed")
    assert (event.before, event.after) == ("bob@alderfinch.example, Standard", "bob@alderfinch.example, Account Admin")


def test_the_role_one_has_already_is_no_change(alder: Account, bob: Member) -> None:
    change_role(bob, Role.STANDARD, actor="ops (command line)")
    assert not events_of(alder)


def test_who_is_removed_has_no_role_and_no_account(alder: Account, alice: Member, bob: Member) -> None:
    remove(bob, actor=alice.user)
    assert role_of(bob.user, alder) is None
    assert not accounts_of(bob.user)
    assert events_of(alder)[0].before == "bob@alderfinch.example, Standard"
    with pytest.raises(Fix, match="not a member"):
        remove(bob, actor=alice.user)
    with pytest.raises(Fix, match="not a member"):
        change_role(bob, Role.ADMIN, actor=alice.user)


def test_the_last_account_admin_stays(alder: Account, alice: Member, bob: Member) -> None:
    with pytest.raises(Fix) as refused:
        remove(alice, actor="bob")
    assert refused.value.code == "accounts.last_admin"
    with pytest.raises(Fix) as refused:
        change_role(alice, Role.STANDARD, actor="bob")
    assert refused.value.code == "accounts.last_admin"
    assert role_of(alice.user, alder) is Role.ADMIN
    assert not events_of(alder)


def test_an_admin_who_cannot_log_in_does_not_count_as_another(alder: Account, alice: Member, bob: Member) -> None:
    change_role(bob, Role.ADMIN, actor=alice.user)
    User.objects.filter(pk=bob.user_id).update(is_active=False)
    with pytest.raises(Fix, match="last Account Admin"):
        remove(alice, actor="ops")


def test_a_member_is_found_by_address_in_this_account_alone(alder: Account, bob: Member) -> None:
    assert member_by_email(alder, " BOB@alderfinch.example").user == bob.user
    with pytest.raises(Fix) as refused:
        member_by_email(create_account("Birch Telecom"), "bob@alderfinch.example")
    assert refused.value.code == "accounts.not_a_member"


def test_joining_twice_is_joining_once(alder: Account, bob: Member) -> None:
    join(alder, bob.user, Role.ADMIN)
    assert role_of(bob.user, alder) is Role.STANDARD
    assert not events_of(alder)


class AnyDeeds(TestCase):
    """Whatever is done to whom, in whatever order: an account that had an admin keeps one."""

    @settings(deadline=None, max_examples=30)  # each example is some twenty transactions
    @given(deeds=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["admin", "standard", "remove"])), max_size=12))
    def test_no_sequence_of_deeds_leaves_an_account_without_an_admin(self, deeds: list[tuple[int, str]]) -> None:
        account = create_account("Cedar Mills")
        people = [User.objects.create_user(f"person{number}@cedar.example") for number in range(3)]
        members = [add_member(account, user, Role.ADMIN if user is people[0] else Role.STANDARD) for user in people]
        for whom, deed in deeds:
            with suppress(Fix):  # the refusals have their own tests
                if deed == "remove":
                    remove(members[whom], actor="test")
                else:
                    change_role(members[whom], Role(deed), actor="test")
            assert members_of(account).filter(role=Role.ADMIN).exists()


def test_a_closed_account_is_nobodys_until_it_is_open_again(alder: Account, alice: Member) -> None:
    close_account(alder, actor="operator")
    close_account(alder, actor="operator")  # a second time changes nothing
    assert not accounts_of(alice.user)
    with pytest.raises(Fix) as refused:
        open_account_of_job(str(alder.pk), alder.pk)
    assert refused.value.code == "accounts.closed"
    reopen_account(alder, actor="operator")
    assert list(accounts_of(alice.user)) == [alder]
    assert open_account_of_job(str(alder.pk), alder.pk) == alder
    assert [event.action for event in events_of(alder)] == ["account.reopened", "account.closed"]


def test_a_job_works_for_the_account_of_its_tenant_alone(alder: Account) -> None:
    birch = create_account("Birch Telecom")
    assert account_of_job(str(alder.pk), alder.pk) == alder
    with pytest.raises(Bug) as refused:
        account_of_job(str(alder.pk), birch.pk)
    assert refused.value.code == "accounts.foreign_job"


def test_an_operators_entry_is_kept_for_the_admins(alder: Account) -> None:
    olga = create_user("olga@headwater.example", PASSWORD)
    assert not has_operator()
    name_operator(olga, is_operator=True)
    assert has_operator()
    assert user_by_email("OLGA@headwater.example").is_operator
    enter_account(alder, olga)
    assert [(event.actor, event.action) for event in events_of(alder)] == [(olga.email, "operator.entered")]
    close_account(alder, actor=olga)
    with pytest.raises(Fix, match="closed"):
        enter_account(alder, olga)
    name_operator(olga, is_operator=False)
    assert not user_by_email(olga.email).is_operator
    with pytest.raises(Fix, match="no user"):
        user_by_email("nobody@headwater.example")


def test_the_history_of_people_leaves_other_subjects_out(alder: Account, bob: Member) -> None:
    change_role(bob, Role.ADMIN, actor="ops")
    close_account(alder, actor="ops")
    assert [event.action for event in events_about(alder, ["people"])] == ["people.role_changed"]
    assert [event.action for event in events_about(alder, ["people", "account"])] == [
        "account.closed",
        "people.role_changed",
    ]
