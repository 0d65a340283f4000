"""SAML: a sound, signed answer to this browser's own request logs in; every other one is refused and says why."""

import base64
import builtins
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pyotp
import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account
from headwater.common.errors import Fix
from headwater.signin import saml
from headwater.signin.models import SingleSignOn
from headwater.signin.sso import claim_domain, confirm_domain, keep_saml
from unit.signin.conftest import SECRET, give_factor
from unit.signin.saml_idp import Answer, IdentityProvider, attribute, request_of

BASE = "http://testserver"


@dataclass
class Flow:
    """One browser on its way to the provider and back."""

    client: Client
    provider: IdentityProvider
    account: Account

    def begin(self) -> Answer:
        page = self.client.post(reverse("web:company"), {"email": "bob@alderfinch.example"})
        asked = request_of(page["Refresh"].partition("url=")[2])
        ours = [self.account.slug]
        acs, entity = (BASE + reverse(view, args=ours) for view in ("web:company_saml", "web:company_saml_metadata"))
        assert asked.get("AssertionConsumerServiceURL") == acs
        return Answer(request_id=asked.attrib["ID"], acs=acs, audience=entity, assertion_id=asked.attrib["ID"] + "a")

    def post(self, document: str) -> str:
        """Comes back with the answer; the address that the browser stands on in the end."""
        acs = reverse("web:company_saml", args=[self.account.slug])
        page = Client().post(acs, {"SAMLResponse": document})  # another site's form: it brings no cookie of ours
        assert "sessionid" not in page.cookies  # and its answer must not put another session over the browser's own
        self.client.cookies.update(page.cookies)
        end = self.client.get(page["Location"])
        return str(end.headers.get("Location") or page["Location"])

    def answer(self, told: Answer) -> str:
        return self.post(self.provider.answer(told))

    def told(self) -> str:
        return self.client.get(reverse("web:company")).content.decode()

    def is_in(self) -> bool:
        return self.client.get("/").status_code == 200


@pytest.fixture(scope="module")
def provider() -> IdentityProvider:
    return IdentityProvider()


@pytest.fixture
def flow(client: Client, provider: IdentityProvider, alder: Account, alice: User, settings: Settings) -> Flow:
    settings.BASE_URL = BASE
    cache.clear()
    found = saml.read_metadata(provider.metadata)
    keep_saml(
        alder,
        issuer=found.issuer,
        login_url=found.login_url,
        certificates=found.certificates,
        metadata_url="",
        actor=alice,
    )
    SingleSignOn.of(alder).update(is_on=True)
    claim_domain(alder, "alderfinch.example", actor=alice)
    confirm_domain(alder, "alderfinch.example", actor="root (command line)")
    return Flow(client, provider, alder)


def test_a_signed_answer_logs_the_member_in(flow: Flow, bob: User) -> None:
    told = flow.begin()
    assert not flow.is_in()
    assert flow.answer(told) == "/"
    assert flow.is_in()
    assert int(flow.client.session["_auth_user_id"]) == bob.pk


def test_a_factor_of_their_own_is_asked_as_well_and_the_session_stays_that_accounts(flow: Flow, bob: User) -> None:
    give_factor(bob)
    add_member(create_account("Birch"), bob, Role.ADMIN)
    assert flow.answer(flow.begin()) == reverse("mfa_authenticate")
    assert not flow.is_in()
    flow.client.post(reverse("mfa_authenticate"), {"code": pyotp.TOTP(SECRET).now()})
    assert flow.is_in()
    assert "Birch" not in flow.client.get("/").content.decode()


FAULTS: dict[str, tuple[Callable[[Answer], Answer], str]] = {
    "unsigned": (lambda told: replace(told, signs=""), "signed"),
    "signed as a response only": (lambda told: replace(told, signs="response"), "Assertion"),
    "for another audience": (lambda told: replace(told, audience="https://elsewhere.example"), "audience"),
    "for another destination": (lambda told: replace(told, destination="https://elsewhere.example/acs"), "received at"),
    "expired": (lambda told: replace(told, age=timedelta(hours=1)), "expired"),
    "of the future": (lambda told: replace(told, age=-timedelta(hours=1)), "not yet valid"),
    "of another provider": (lambda told: replace(told, issuer="https://elsewhere.example"), "issuer"),
    "of a domain that is not the account's": (lambda told: replace(told, email="eve@evil.example"), "may not vouch"),
    "with an address that is said to be unverified": (
        lambda told: replace(told, extra=attribute("email_verified", "false")),
        "does not say",
    ),
}


@pytest.mark.usefixtures("bob")
@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_is_refused_that_is(fault: str, flow: Flow) -> None:
    spoil, reason = FAULTS[fault]
    flow.answer(spoil(flow.begin()))
    assert reason.lower() in flow.told().lower()
    assert not flow.is_in()


@pytest.mark.usefixtures("bob", "alice")
def test_an_answer_that_was_tampered_with_is_refused(flow: Flow) -> None:
    document = flow.provider.document(flow.begin())
    flow.post(_packed(document.replace(">bob@", ">alice@")))
    assert "not accepted" in flow.told()
    assert not flow.is_in()


@pytest.mark.usefixtures("bob", "alice")
def test_an_unsigned_assertion_beside_a_signed_one_is_refused(flow: Flow) -> None:
    told = flow.begin()
    forged = flow.provider.document(replace(told, signs="", email="alice@alderfinch.example", assertion_id="_forged"))
    inner = forged[forged.index("<saml:Assertion") : forged.index("</samlp:Response>")]
    document = flow.provider.document(told)
    place = document.index("<saml:Assertion")
    flow.post(_packed(document[:place] + inner + document[place:]))
    assert "not accepted" in flow.told()
    assert not flow.is_in()


@pytest.mark.usefixtures("bob")
def test_an_answer_signed_by_a_key_that_is_not_in_the_metadata_is_refused(flow: Flow) -> None:
    stranger = IdentityProvider()
    flow.post(stranger.answer(flow.begin()))
    assert "not accepted" in flow.told()
    assert not flow.is_in()


@pytest.mark.usefixtures("bob")
def test_an_answer_counts_once(flow: Flow) -> None:
    document = flow.provider.answer(flow.begin())
    flow.post(document)
    assert flow.is_in()
    flow.client.logout()
    flow.begin()
    flow.post(document)
    assert "used already" in flow.told()
    assert not flow.is_in()


@pytest.mark.usefixtures("bob")
def test_an_answer_to_another_browsers_request_is_refused(flow: Flow) -> None:
    asked_elsewhere = Flow(Client(), flow.provider, flow.account).begin()
    flow.begin()
    flow.answer(asked_elsewhere)
    assert "did not ask for that answer" in flow.told()
    assert not flow.is_in()


@pytest.mark.usefixtures("bob")
def test_an_answer_that_nobody_asked_for_is_refused(flow: Flow) -> None:
    told = flow.begin()
    stranger = Flow(Client(), flow.provider, flow.account)
    stranger.answer(replace(told, request_id=""))
    assert not stranger.is_in()


def test_our_metadata_names_our_addresses(client: Client, alder: Account, settings: Settings) -> None:
    settings.BASE_URL = "https://headwater.example"
    answer = client.get(reverse("web:company_saml_metadata", args=[alder.slug]))
    assert answer["Content-Type"] == "application/samlmetadata+xml"
    assert f"https://headwater.example/company/{alder.slug}/saml/" in answer.content.decode()
    assert 'WantAssertionsSigned="true"' in answer.content.decode()


@pytest.mark.parametrize(
    "text",
    ["", "<html/>", "not xml at all", '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'],
    ids=["nothing", "a web page", "text", "an entity"],
)
def test_what_is_no_metadata_of_a_provider_is_refused(text: str) -> None:
    with pytest.raises(Fix) as refused:
        saml.read_metadata(text)
    assert refused.value.code == "signin.bad_metadata"


def test_without_the_extra_a_person_learns_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("onelogin"):
            raise ImportError(f"No module named {name!r}")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(Fix, match="without SAML") as refused:
        saml.read_metadata("<x/>")
    assert "headwater[saml]" in refused.value.facts.you_can


def _packed(document: str) -> str:
    return base64.b64encode(document.encode()).decode()
