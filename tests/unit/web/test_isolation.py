"""Every address of the product, walked by who must not get in: a member of another account, a Standard user, nobody.

The addresses come from the urlconf, so a page that is added later is walked too. It fails here until its arguments are
known in FOREIGN and, where strangers may open it, its name stands in PUBLIC. Not walked: django-allauth's own pages,
which know no account, and the REST API, which knows no session (tests/unit/api/test_api.py walks it with keys).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FunctionType
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django import Settings

from headwater.accounts.api_keys import make_key
from headwater.accounts.invitations import invite
from headwater.accounts.models import Account, ApiKey, Member, Role, User
from headwater.accounts.scoping import AccountScoped
from headwater.accounts.services import add_member, create_account, create_user, record_event
from headwater.common.clock import now_utc
from headwater.connections.models import OrgSnapshot
from headwater.credits.services import change_daily_limit
from headwater.jobs.models import Job
from headwater.notify.services import tell
from headwater.wiring import sync_cycle
from unit.web.conftest import PASSWORD
from unit.web.test_connections import connect

PUBLIC = {  # strangers may open these
    "web:invitation", "web:company", "web:company_oidc", "web:company_saml", "web:company_saml_finish",
    "web:company_saml_metadata", "metrics",  # the last asks for a token of its own (test_metrics.py)
}  # fmt: skip
POSTED_FROM_ELSEWHERE = {"web:company_saml"}  # by the provider's page; what it posts is signed
MARK = "Birch"  # stands in everything that the other account has
REFUSED, WRONG_METHOD = (403, 404), 405
FORM = {
    "name": "Eve", "email": "eve@elsewhere.example", "role": "standard", "daily_limit_calls": "900000",
    "environment": "production", "began_from": "100000", "org_id": "00D5g0000000001EAA", "sobject": "Contact",
    "field": "Title",
}  # fmt: skip


@dataclass(frozen=True)
class Address:
    name: str
    arguments: tuple[str, ...]
    guards: frozenset[str]

    def path(self, values: dict[str, Any]) -> str:
        unknown = set(self.arguments) - set(values)
        assert not unknown, f"{self.name}: say in FOREIGN what {unknown} of another account is"
        return reverse(self.name, kwargs={argument: values[argument] for argument in self.arguments})


def addresses() -> list[Address]:
    return list(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[URLPattern | URLResolver], namespace: str) -> Iterator[Address]:
    for one in patterns:
        if isinstance(one, URLResolver):
            inner = f"{namespace}{one.namespace}:" if one.namespace else namespace
            yield from _walk(one.url_patterns, inner)
        elif not one.callback.__module__.startswith("allauth.") and namespace != "api:":
            assert one.name, f"{one.pattern} needs a name"
            arguments = tuple(one.pattern.converters)
            yield Address(f"{namespace}{one.name}", arguments, frozenset(_guards(one.callback)))


def _guards(view: Any) -> Iterator[str]:
    """The guards of web/acting.py that a view wears, the outermost first."""
    while view is not None:
        if isinstance(view, FunctionType):
            yield view.__code__.co_qualname.partition(".")[0]
        view = getattr(view, "__wrapped__", None)


WEB = addresses()


def is_own(address: Address) -> bool:
    """Done in the person's own name, whatever their role."""
    return not {"member_page", "operator_page"} & address.guards


def rows_of(account: Account) -> dict[str, list[Any]]:
    """All that the database holds of an account, in every model that has accounts or tenants."""
    found: dict[str, list[Any]] = {"account": list(Account.objects.filter(pk=account.pk).values())}
    for model in apps.get_models():
        rows = _rows(model, account)
        if rows is not None:
            found[model.__name__] = rows
    return found


def _rows(model: type[Model], account: Account) -> list[Any] | None:
    if issubclass(model, AccountScoped):
        return list(model.of(account).order_by("pk").values())
    if "tenant" in {field.name for field in model._meta.get_fields()}:
        return list(model._default_manager.filter(tenant=str(account.pk)).order_by("pk").values())
    return None


@pytest.fixture(autouse=True)
def _no_salesforce(settings: Settings) -> None:
    settings.SALESFORCE_LOGIN_URL = settings.SALESFORCE_SANDBOX_LOGIN_URL = "http://127.0.0.1:1"


@pytest.fixture
def birch(db: None) -> Account:
    """The other account, with a row of everything."""
    account = create_account("Birch Telecom")
    add_member(account, create_user("bob@birch.example", PASSWORD, "Birch Bob"), Role.ADMIN)
    connect(account, org_name="Birch Production", org_id="00D5g0000000002EAA", username="integration@birch.example")
    OrgSnapshot.of(account).create(
        account=account, org_name="Birch", taken_by="Birch", taken_utc=now_utc(), content={"of": "Birch"}, spent_calls=2
    )
    sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    Job.objects.filter(tenant=str(account.pk)).update(reason="Birch waits", reason_code="birch.waits")
    change_daily_limit(account, "777777", "Birch Bob")
    make_key(account, name="Birch key", role=Role.ADMIN, actor="Birch Bob")
    record_event(account, "Birch Bob", "people.invited", after="Birch")
    return account


@pytest.fixture
def foreign(birch: Account) -> dict[str, Any]:
    """FOREIGN: what each argument of an address is for the other account."""
    sent = invite(birch, "new@birch.example", Role.ADMIN, actor="Birch Bob")
    return {
        "slug": birch.slug,
        "job_id": Job.objects.get(tenant=str(birch.pk)).pk,
        "member_id": birch_member(birch),
        "invitation_id": sent.invitation.pk,
        "secret": sent.link.rstrip("/").rpartition("/")[2],
        "key_id": ApiKey.of(birch).get().pk,
        "notification_id": tell(birch, "birch.trouble", "Birch", "Birch is in trouble").pk,
        "opportunity_id": "0065g0000000001AAA",
        "work": "sync",
        "name": "package.xml",
        "shape": "json",
        "setting": "daily-limit",
        "sheet": "hours",
        "snapshot_id": OrgSnapshot.of(birch).get().pk,
    }


def birch_member(birch: Account) -> int:
    return Member.of(birch).get().pk


def own(account: Account, user: User, foreign: dict[str, Any]) -> dict[str, Any]:
    """The same arguments for the walker's own account."""
    sync_cycle.enqueue(tenant=str(account.pk), account_id=account.pk)
    sent = invite(account, "carol@alderfinch.example", Role.STANDARD, actor="test")
    return {
        **foreign,
        "slug": account.slug,
        "job_id": Job.objects.get(tenant=str(account.pk)).pk,
        "member_id": user.memberships.get().pk,
        "invitation_id": sent.invitation.pk,
    }


Ask = Callable[[Client, str], Any]


def get(browser: Client, path: str) -> Any:
    return browser.get(path)


def post(browser: Client, path: str) -> Any:
    return browser.post(path, FORM)


def test_the_walk_finds_the_pages_and_their_guards() -> None:
    guards = {address.name: address.guards for address in WEB}
    unguarded = {name for name, worn in guards.items() if not worn & {"member_deed", "own_page"}}
    assert unguarded == PUBLIC
    assert "member_page" in guards["web:revenue"]
    assert {"admin_action", "member_page"} <= guards["web:jobs_start"]
    assert "operator_page" in guards["web:operator"]
    assert {address.name for address in WEB if is_own(address)} >= {"web:profile", "web:choose_account"}


@pytest.mark.parametrize("ask", [get, post])
@pytest.mark.parametrize("role", Role)
def test_a_member_of_another_account_sees_and_changes_nothing(
    browser: Client, alice: User, alder: Account, birch: Account, foreign: dict[str, Any], role: Role, ask: Ask
) -> None:
    add_member(alder, alice, role)
    add_member(alder, create_user("dora@alderfinch.example", PASSWORD, "Dora"), Role.ADMIN)
    before = rows_of(birch)
    for address in WEB:
        answer = ask(browser, address.path(foreign))
        if address.name in PUBLIC:
            continue
        assert MARK.encode() not in answer.content, address
        if {"slug", "job_id", "member_id", "invitation_id", "notification_id", "snapshot_id"} & set(address.arguments):
            assert answer.status_code in (*REFUSED, WRONG_METHOD), address
    assert rows_of(birch) == before


def test_a_standard_user_changes_nothing_whatever_is_posted(
    as_standard: Client, alice: User, alder: Account, foreign: dict[str, Any]
) -> None:
    connect(alder)
    values = own(alder, alice, foreign)
    before = rows_of(alder)
    for address in WEB:
        answer = as_standard.post(address.path(values), FORM)
        if address.name not in PUBLIC and not is_own(address):
            assert answer.status_code in (*REFUSED, WRONG_METHOD), address
    assert rows_of(alder) == before


@pytest.mark.parametrize("ask", [get, post])
def test_nobody_gets_further_than_the_log_in(client: Client, birch: Account, foreign: dict[str, Any], ask: Ask) -> None:
    before = rows_of(birch)
    for address in WEB:
        path = address.path(foreign)
        answer = ask(client, path)
        if address.name not in PUBLIC and answer.status_code != WRONG_METHOD:
            assert answer.status_code == 302, address
            assert answer.headers["Location"].startswith("/accounts/login/?next="), address
    assert rows_of(birch) == before


@pytest.mark.parametrize("ask", [get, post])
def test_the_operators_pages_are_not_there_for_ordinary_people(
    as_admin: Client, foreign: dict[str, Any], ask: Ask
) -> None:
    pages = [address for address in WEB if "operator_page" in address.guards]
    assert pages
    for address in pages:
        assert ask(as_admin, address.path(foreign)).status_code in (404, WRONG_METHOD), address


def test_a_form_of_another_site_is_refused_everywhere(alice: User, alder: Account, foreign: dict[str, Any]) -> None:
    add_member(alder, alice, Role.ADMIN)
    values = own(alder, alice, foreign)
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(alice)
    before = rows_of(alder)
    for address in WEB:
        if address.name not in POSTED_FROM_ELSEWHERE:
            assert browser.post(address.path(values), FORM).status_code in (403, WRONG_METHOD), address
    assert rows_of(alder) == before
