"""Whom an account's provider may log in, what such a session may do, and the attacks that must fail."""

from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from headwater.accounts.invitations import invite
from headwater.accounts.models import Account, Member, Role, User
from headwater.accounts.services import add_member, create_account, create_user, events_of, name_operator, role_of
from headwater.common.clock import now_utc
from headwater.common.errors import Fix
from headwater.signin.factors import require_second_factor
from headwater.signin.models import LinkedIdentity, Protocol, SingleSignOn
from headwater.signin.oidc import GOOGLE, is_verified
from headwater.signin.sso import (
    accounts_open_to,
    claim_domain,
    client_secret,
    confirm_domain,
    keep_oidc,
    mark_tried,
    release_domain,
    remove_sso,
    sso_for,
    switch,
    the_sso,
)
from headwater.signin.vouching import Assertion, person_for
from headwater.web.acting import CAME_BY, ENTERED_ACCOUNT
from unit.signin.conftest import PASSWORD, give_factor

OPERATOR = "root (command line)"
ISSUER = "https://login.alderfinch.example"


def said(email: str, *, subject: str = "", is_verified: bool | None = True, name: str = "") -> Assertion:
    return Assertion(subject or email, email, is_verified, name)


@pytest.fixture(autouse=True)
def _count_log_ins_anew() -> None:
    cache.clear()


@pytest.fixture
def sso(alder: Account, alice: User) -> SingleSignOn:
    keep_oidc(alder, issuer=ISSUER, client_id="hw", secret="s3cret", trusts_addresses=False, actor=alice)
    claim_domain(alder, "@AlderFinch.example ", actor=alice)
    confirm_domain(alder, "alderfinch.example", actor=OPERATOR)
    mark_tried(the_sso(alder))
    switch(alder, "is_on", on=True, actor=alice)
    return the_sso(alder)


@pytest.fixture
def birch(bob: User) -> Account:
    """Another account, of which Bob is the admin."""
    account = create_account("Birch")
    add_member(account, bob, Role.ADMIN)
    return account


def refusal(sso: SingleSignOn, assertion: Assertion) -> str:
    with pytest.raises(Fix) as refused:
        person_for(sso, assertion)
    return refused.value.code


def test_a_member_is_known_by_a_verified_address(sso: SingleSignOn, bob: User) -> None:
    assert person_for(sso, said("bob@alderfinch.example")) == bob


def test_an_address_must_be_verified(sso: SingleSignOn, bob: User) -> None:
    for verified in (False, None):
        assert refusal(sso, said(bob.email, is_verified=verified)) == "signin.address_not_verified"
    sso.trusts_addresses = True
    assert person_for(sso, said(bob.email, is_verified=None)) == bob
    assert refusal(sso, said(bob.email, is_verified=False)) == "signin.address_not_verified"


@pytest.mark.parametrize(
    ("issuer", "claims", "verified"),
    [
        (ISSUER, {"email_verified": True}, True),
        (ISSUER, {"email_verified": "true"}, True),
        (ISSUER, {"email_verified": "yes"}, False),
        (ISSUER, {}, None),
        (GOOGLE, {"email_verified": True}, False),  # anybody's own Google account
        (GOOGLE, {"email_verified": True, "hd": "evil.example"}, False),
        (GOOGLE, {"email_verified": True, "hd": "alderfinch.example"}, True),
    ],
)
def test_what_claims_say_of_an_address(issuer: str, claims: dict[str, object], verified: bool | None) -> None:
    assert is_verified(issuer, {"email": "bob@alderfinch.example", **claims}) is verified


def test_a_provider_may_not_vouch_for_foreign_addresses(sso: SingleSignOn, alder: Account, alice: User) -> None:
    stranger = create_user("carol@birch.example", PASSWORD)
    add_member(alder, stranger, Role.STANDARD)
    assert refusal(sso, said(stranger.email)) == "signin.foreign_address"
    claim_domain(alder, "birch.example", actor=alice)
    assert refusal(sso, said(stranger.email)) == "signin.foreign_address"  # claimed, and nobody confirmed it
    assert refusal(sso, said("evil@sub.alderfinch.example")) == "signin.foreign_address"
    assert refusal(sso, said("")) == "signin.no_address"


def test_a_provider_may_not_log_in_as_a_member_of_another_account(sso: SingleSignOn) -> None:
    dave = create_user("dave@alderfinch.example", PASSWORD)
    add_member(create_account("Cedar"), dave, Role.ADMIN)
    assert refusal(sso, said(dave.email)) == "signin.not_a_member"


def test_an_operator_is_vouched_for_by_nobody(sso: SingleSignOn, bob: User) -> None:
    bob.is_superuser = True
    bob.save()
    assert refusal(sso, said(bob.email)) == "signin.operator_here"


def test_new_people_join_as_standard_members_only_where_the_account_says_so(
    sso: SingleSignOn, alder: Account, alice: User
) -> None:
    assert refusal(sso, said("new@alderfinch.example")) == "signin.not_a_member"
    assert not User.objects.filter(email="new@alderfinch.example").exists()
    switch(alder, "joins", on=True, actor=alice)
    new = person_for(the_sso(alder), said("new@alderfinch.example", name="Nia New"))
    assert (role_of(new, alder), new.name, new.has_usable_password()) == (Role.STANDARD, "Nia New", False)
    assert events_of(alder, "member.joined").get().after == "new@alderfinch.example, Standard"


def test_an_address_given_to_somebody_else_does_not_open_its_former_owners_log_in(
    sso: SingleSignOn, alder: Account, bob: User
) -> None:
    assert person_for(sso, said(bob.email, subject="employee-1")) == bob
    assert refusal(sso, said(bob.email, subject="employee-2")) == "signin.other_identity"
    assert person_for(sso, said("robert@alderfinch.example", subject="employee-1")) == bob
    assert LinkedIdentity.of(alder).count() == 1
    Member.of(alder).filter(user=bob).delete()
    assert refusal(sso, said(bob.email, subject="employee-2")) == "signin.not_a_member"
    add_member(alder, bob, Role.STANDARD)
    assert person_for(sso, said(bob.email, subject="employee-2")) == bob


def test_another_provider_begins_from_nothing(sso: SingleSignOn, alder: Account, alice: User, bob: User) -> None:
    person_for(sso, said(bob.email, subject="employee-1"))
    keep_oidc(alder, issuer="https://new.example", client_id="x", secret="y", trusts_addresses=False, actor=alice)
    now = the_sso(alder)
    assert (now.is_on, now.tried_utc, LinkedIdentity.of(alder).count()) == (False, None, 0)


def test_changed_values_are_tried_anew_and_an_empty_secret_keeps_the_one_there_is(
    sso: SingleSignOn, alder: Account, alice: User
) -> None:
    keep_oidc(alder, issuer=ISSUER, client_id="other", secret="", trusts_addresses=False, actor=alice)
    row = the_sso(alder)
    assert (row.is_on, row.tried_utc, client_secret(row)) == (True, None, "s3cret")
    assert "s3cret" not in row.sealed_secret


def test_it_is_switched_on_only_once_it_was_tried_and_a_domain_is_confirmed(alder: Account, alice: User) -> None:
    keep_oidc(alder, issuer=ISSUER, client_id="hw", secret="s", trusts_addresses=False, actor=alice)
    for code in ("signin.not_tried", "signin.no_domain"):
        with pytest.raises(Fix) as refused:
            switch(alder, "is_on", on=True, actor=alice)
        assert refused.value.code == code
        mark_tried(the_sso(alder))
    with pytest.raises(Fix, match="Switch single sign-on on first"):
        switch(alder, "is_only_way", on=True, actor=alice)


def test_a_confirmed_domain_has_one_account(sso: SingleSignOn, birch: Account, bob: User) -> None:
    claim_domain(birch, "alderfinch.example", actor=bob)
    with pytest.raises(Fix) as refused:
        confirm_domain(birch, "alderfinch.example", actor=OPERATOR)
    assert refused.value.code == "signin.domain_taken"
    found = sso_for("Anybody@AlderFinch.example")
    assert found == sso
    assert sso_for("anybody@birch.example") is None


def test_what_was_never_claimed_and_what_is_no_domain_are_refused(alder: Account, alice: User) -> None:
    with pytest.raises(Fix) as refused:
        confirm_domain(alder, "elsewhere.example", actor=OPERATOR)
    assert refused.value.code == "signin.not_claimed"
    for name in ("", "nodots", "spa ce.example", "https://a.example"):
        with pytest.raises(Fix) as bad:
            claim_domain(alder, name, actor=alice)
        assert bad.value.code == "signin.bad_domain"


def test_every_change_is_on_record(sso: SingleSignOn, alder: Account, alice: User) -> None:
    release_domain(alder, "alderfinch.example", actor=alice)
    remove_sso(alder, actor=alice)
    kept = [event.action.removeprefix("single_sign_on.") for event in events_of(alder) if "single" in event.action]
    assert kept == ["removed", "domain_released", "is_on", "domain_confirmed", "domain_claimed", "kept"]
    with pytest.raises(Fix, match="has no single sign-on"):
        the_sso(alder)


def test_a_session_from_one_accounts_provider_acts_for_that_account_alone(
    client: Client, sso: SingleSignOn, alder: Account, birch: Account, bob: User
) -> None:
    assert accounts_open_to(bob, None) == [alder, birch]
    assert accounts_open_to(bob, alder.pk) == [alder]
    came_through(client, bob, alder)
    assert "Birch" not in client.get("/").content.decode()
    client.post(reverse("web:choose_account", args=[birch.slug]))
    assert "Birch" not in client.get("/").content.decode()


def test_a_session_from_a_provider_may_not_touch_what_opens_the_other_accounts(
    client: Client, sso: SingleSignOn, alder: Account, birch: Account, bob: User
) -> None:
    came_through(client, bob, alder)
    for view in ("account_change_password", "account_email", "mfa_index", "mfa_activate_totp", "mfa_add_webauthn"):
        answer = client.get(reverse(view))
        assert (view, answer.status_code) == (view, 403)
        assert "single sign-on" in answer.content.decode()
    assert client.post(reverse("account_logout")).status_code == 302


def test_a_session_ends_with_the_switch_or_the_membership_that_it_came_by(
    client: Client, sso: SingleSignOn, alder: Account, alice: User, bob: User
) -> None:
    came_through(client, bob, alder)
    assert client.get("/").status_code == 200
    switch(alder, "is_on", on=False, actor=alice)
    assert client.get("/").status_code == 302
    assert "_auth_user_id" not in client.session


def test_a_password_log_in_afterwards_opens_every_account_again(
    client: Client, sso: SingleSignOn, alder: Account, birch: Account, bob: User
) -> None:
    came_through(client, bob, alder)
    client.post(reverse("account_logout"))
    client.post(reverse("account_login"), {"login": bob.email, "password": PASSWORD})
    assert CAME_BY not in client.session
    assert "Birch" in client.get("/").content.decode()


def test_whoever_comes_by_the_provider_brings_its_second_factor(
    client: Client, sso: SingleSignOn, alder: Account, alice: User, bob: User
) -> None:
    give_factor(alice)
    require_second_factor(alder, required=True, actor=alice)
    came_through(client, bob, alder)
    assert client.get("/").status_code == 200


def test_only_single_sign_on_refuses_passwords_but_for_account_admins(
    client: Client, sso: SingleSignOn, alder: Account, alice: User, bob: User
) -> None:
    switch(alder, "is_only_way", on=True, actor=alice)
    answer = client.post(reverse("account_login"), {"login": bob.email, "password": PASSWORD})
    assert answer["Location"] == reverse("web:company")
    assert "single sign-on only" in client.get(reverse("web:company")).content.decode()
    assert client.get("/").status_code == 302
    client.post(reverse("account_login"), {"login": alice.email, "password": PASSWORD})
    assert client.get("/").status_code == 200
    switch(alder, "is_on", on=False, actor=alice)
    assert accounts_open_to(bob, None) == [alder]


def test_only_single_sign_on_closes_that_account_alone(
    client: Client, sso: SingleSignOn, alder: Account, birch: Account, alice: User, bob: User
) -> None:
    client.force_login(bob)
    assert "Alder" in client.get("/").content.decode()
    switch(alder, "is_only_way", on=True, actor=alice)
    assert "Alder" not in client.get("/").content.decode()
    assert client.get("/").status_code == 200


def test_a_standard_member_changes_nothing_of_it(client: Client, sso: SingleSignOn, bob: User) -> None:
    client.force_login(bob)
    for name in ("oidc", "saml", "try", "switch", "remove", "domain"):
        assert client.post(reverse(f"web:authentication_{name}"), {"switch": "joins", "to": "on"}).status_code == 403
    shown = client.get(reverse("web:authentication")).content.decode()
    assert "Client secret" not in shown
    assert "s3cret" not in shown


def test_an_address_that_no_company_here_answers_for_is_told_so(client: Client, db: None) -> None:
    answer = client.post(reverse("web:company"), {"email": "who@nowhere.example"})
    assert "Log in with your password" in answer.content.decode()


def test_a_stranger_cannot_make_us_ask_providers_without_end(client: Client, db: None) -> None:
    codes = [client.post(reverse("web:company"), {"email": "who@nowhere.example"}).status_code for _ in range(31)]
    assert (set(codes[:30]), codes[30]) == ({200}, 429)


def test_protocols_do_not_answer_for_one_another(client: Client, sso: SingleSignOn, alder: Account) -> None:
    assert sso.protocol == Protocol.OIDC
    assert client.post(reverse("web:company_saml", args=[alder.slug]), {"SAMLResponse": "x"}).status_code == 404
    answer = client.get(reverse("web:company_oidc", args=[alder.slug]), {"code": "stolen", "state": "guessed"})
    assert answer["Location"] == reverse("web:company")
    assert "_auth_user_id" not in client.session
    assert sso.changed_utc <= now_utc()


def came_through(client: Client, user: User, account: Account) -> None:
    """A session as the provider's answer leaves it (test_saml.py and the integration tests come by the real way)."""
    client.force_login(user)
    session = client.session
    session[CAME_BY] = account.pk
    session.save()


def test_a_provider_makes_nobody_an_operator_of_all_accounts(
    client: Client, sso: SingleSignOn, alder: Account, birch: Account, bob: User
) -> None:
    name_operator(bob, is_operator=True)
    came_through(client, bob, alder)
    assert client.get(reverse("web:operator")).status_code == 404
    assert client.post(reverse("web:operator_enter", args=[birch.slug])).status_code == 404
    session = client.session
    session[ENTERED_ACCOUNT] = birch.pk
    session.save()
    assert "Birch" not in client.get("/").content.decode()
    client.logout()
    client.force_login(bob)
    assert "Birch" in client.get(reverse("web:operator")).content.decode()


def test_a_provider_accepts_no_invitation_into_another_account(
    client: Client, sso: SingleSignOn, alder: Account, alice: User, bob: User
) -> None:
    sent = invite(create_account("Cedar Mills"), bob.email, Role.ADMIN, actor="carl@cedar.example")
    came_through(client, bob, alder)
    answer = client.post(urlsplit(sent.link).path)
    assert answer.status_code == 403
    assert "log in with your password to accept" in answer.content.decode()
    assert role_of(bob, sent.invitation.account) is None
