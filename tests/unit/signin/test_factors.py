"""Second factors: sealed at rest, demanded by an account, reset by an operator, and every deed on record."""

import pyotp
import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, reverse
from pytest_django import Settings

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account, events_of
from headwater.common.errors import Fix
from headwater.signin.factors import (
    has_second_factor,
    members_without_factor,
    require_second_factor,
    requires_second_factor,
    reset_factors,
)
from headwater.web.urls import urlpatterns
from unit.signin.conftest import PASSWORD, SECRET, give_factor

NEEDED = "/second-factor/"


@pytest.fixture(autouse=True)
def _count_log_ins_anew() -> None:
    cache.clear()


def type_password(client: Client, user: User) -> str:
    answer = client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return str(answer["Location"])


def test_what_the_database_keeps_of_a_factor_is_sealed(alice: User, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    give_factor(alice)
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert SECRET not in kept
    seed = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).data["seed"]
    assert seed.startswith("gAAAA")  # how every Fernet text begins
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    totp = Authenticator.objects.get(type=Authenticator.Type.TOTP).wrap()
    with pytest.raises(Fix, match="cannot be opened"):
        totp.validate_code(pyotp.TOTP(SECRET).now())


def test_a_password_alone_does_not_log_in_whoever_has_a_factor(client: Client, alice: User) -> None:
    give_factor(alice)
    assert type_password(client, alice) == reverse("mfa_authenticate")
    assert client.get("/")["Location"].startswith(reverse("account_login"))
    client.post(reverse("mfa_authenticate"), {"code": pyotp.TOTP(SECRET).now()})
    assert client.get("/").status_code == 200


def test_a_wrong_code_and_one_used_before_are_refused(client: Client, alice: User) -> None:
    give_factor(alice)
    code = pyotp.TOTP(SECRET).now()
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    type_password(client, alice)
    assert "Incorrect code" in client.post(reverse("mfa_authenticate"), {"code": wrong}).content.decode()
    client.post(reverse("mfa_authenticate"), {"code": code})
    assert client.get("/").status_code == 200
    second = Client()
    type_password(second, alice)
    assert "Incorrect code" in second.post(reverse("mfa_authenticate"), {"code": code}).content.decode()


def test_each_recovery_code_works_once(client: Client, alice: User) -> None:
    give_factor(alice)
    code = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES).wrap().get_unused_codes()[0]
    for browser, lets_in in ((client, True), (Client(), False)):
        type_password(browser, alice)
        browser.post(reverse("mfa_authenticate"), {"code": code})
        assert (browser.get("/").status_code == 200) is lets_in


def test_an_account_may_demand_a_factor_and_keeps_who_decided_it(alder: Account, alice: User, bob: User) -> None:
    give_factor(alice)
    assert [member.user for member in members_without_factor(alder)] == [bob]
    require_second_factor(alder, required=True, actor=alice)
    require_second_factor(alder, required=True, actor=alice)
    assert requires_second_factor(alder)
    require_second_factor(alder, required=False, actor=alice)
    kept = events_of(alder, "second_factor.rule").values_list("actor", "before", "after")
    assert list(kept) == [(alice.email, "required", "optional"), (alice.email, "optional", "required")]


def test_nobody_demands_what_he_has_not_himself(alder: Account, alice: User) -> None:
    with pytest.raises(Fix) as refused:
        require_second_factor(alder, required=True, actor=alice)
    assert refused.value.code == "signin.own_factor_first"
    assert not requires_second_factor(alder)


def test_no_page_of_the_account_opens_to_a_member_without_one(
    client: Client, alder: Account, alice: User, bob: User
) -> None:
    give_factor(alice)
    require_second_factor(alder, required=True, actor=alice)
    client.force_login(bob)
    opened = {}
    for name, address in plain_addresses():
        answer = client.get(address)
        if answer.headers.get("Location") != NEEDED and answer.status_code not in (404, 405):
            opened[name] = answer.status_code
    # "company" is for strangers and shows nothing of an account; "profile" is the person's own affair.
    assert set(opened) == {"factor_needed", "company", "profile"}
    part = client.get("/jobs/", headers={"HX-Request": "true"})
    assert part["HX-Redirect"] == NEEDED
    give_factor(bob)
    assert client.get("/").status_code == 200


def plain_addresses() -> list[tuple[str, str]]:
    """Every page of the web room whose address has no part to fill in."""
    pages = [page for page in urlpatterns if isinstance(page, URLPattern) and not page.pattern.converters]
    return [(str(page.name), reverse(f"web:{page.name}")) for page in pages]


def test_an_account_that_demands_none_stays_open_to_the_same_person(
    client: Client, alder: Account, alice: User, bob: User
) -> None:
    birch = create_account("Birch")
    add_member(birch, bob, Role.STANDARD)
    give_factor(alice)
    require_second_factor(alder, required=True, actor=alice)
    client.force_login(bob)
    assert client.get("/").headers["Location"] == NEEDED
    session = client.session
    session["account_id"] = birch.pk
    session.save()
    assert client.get("/").status_code == 200


def test_only_an_account_admin_sets_the_rule(client: Client, alder: Account, bob: User) -> None:
    give_factor(bob)
    client.force_login(bob)
    shown = client.get(reverse("web:authentication")).content.decode()
    assert "Only an Account Admin can change this." in shown
    assert "Require it of everybody" not in shown
    assert client.post(reverse("web:authentication_factor"), {"rule": "required"}).status_code == 403
    assert not requires_second_factor(alder)


def test_a_lost_factor_is_reset_and_each_account_keeps_that_it_was(alder: Account, alice: User) -> None:
    give_factor(alice)
    assert reset_factors("Alice@alderfinch.example ", actor="root (command line)") == [
        "recovery codes",
        "authenticator app",
    ]
    assert not has_second_factor(alice)
    event = events_of(alder, "second_factor.reset").get()
    assert (event.actor, event.after) == ("root (command line)", "alice@alderfinch.example: none")
    for address, code in ((alice.email, "signin.no_factor"), ("nobody@alderfinch.example", "signin.no_such_person")):
        with pytest.raises(Fix) as refused:
            reset_factors(address, actor="root (command line)")
        assert refused.value.code == code
