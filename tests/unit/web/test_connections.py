"""Settings > Connections over HTTP: who sees what, who may act, and that no other account's connection is touched."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account
from headwater.common.clock import now_utc
from headwater.connections.models import Authorization, Connection, Status
from headwater.connections.services import CALLBACK_PATH

PAGE = "/settings/connections/"
ACTS = ["connect/"]


def connect(account: Account, **changed: str) -> Connection:
    values = {
        "org_id": "00D5g0000000001EAA",
        "org_name": "Alder Production",
        "org_kind": "production",
        "instance_url": "https://alder.my.salesforce.com",
        "login_url": "http://127.0.0.1:1",
        "user_id": "0055g0000000001AAA",
        "username": "integration@alderfinch.example",
        "user_name": "Integration User",
        "connected_by": "alice@alderfinch.example",
        "sealed_tokens": "sealed",
    }
    return Connection.of(account).create(account=account, connected_utc=now_utc(), **{**values, **changed})


def text_of(browser: Client, path: str = PAGE) -> str:
    return browser.get(path).content.decode()


def test_an_admin_without_a_connection_is_offered_one(as_admin: Client) -> None:
    page = text_of(as_admin)
    assert "no records are read from Salesforce" in page
    assert "Set Up New CRM Connection" in page
    assert "Select CRM Connection" in page


def test_a_standard_user_is_told_who_can(as_standard: Client) -> None:
    page = text_of(as_standard)
    assert "An Account Admin can connect one" in page
    assert "Set Up New CRM Connection" not in page


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("production", "Production"),
        ("sandbox", "Sandbox"),
        ("scratch", "Scratch org"),
        ("trial", "Trial"),
        ("developer", "Developer Edition"),
    ],
)
def test_the_environment_is_said_in_words(as_standard: Client, alder: Account, kind: str, words: str) -> None:
    connect(alder, org_kind=kind)
    assert f'data-label="Environment">{words}<' in text_of(as_standard)


def test_the_key_turns_red_when_the_token_is_dead(as_admin: Client, alder: Account) -> None:
    row = connect(alder)
    assert "key-dead" not in text_of(as_admin)
    Connection.of(alder).filter(pk=row.pk).update(status=Status.AUTHORIZATION_REQUIRED)
    page = text_of(as_admin)
    assert "key-dead" in page
    assert "Authorization Required" in page


def test_another_accounts_connection_is_not_shown(as_admin: Client) -> None:
    connect(create_account("Birch Telecom"), org_name="Birch Production")
    page = text_of(as_admin)
    assert "Birch Production" not in page
    assert "No CRM is connected" in page


@pytest.mark.parametrize("act", ACTS)
def test_only_an_admin_acts(as_standard: Client, alder: Account, act: str) -> None:
    answer = as_standard.post(PAGE + act, {"environment": "production"})
    assert answer.status_code == 403
    assert "Only an Account Admin" in answer.content.decode()
    assert Authorization.of(alder).count() == 0


def test_a_standard_user_cannot_finish_what_an_admin_began(as_standard: Client) -> None:
    assert as_standard.get(PAGE + "callback/?state=x&code=y").status_code == 403


@pytest.mark.parametrize("act", ACTS)
def test_no_act_hides_behind_a_link(as_admin: Client, act: str) -> None:
    assert as_admin.get(PAGE + act).status_code == 405


def test_a_visitor_who_comes_back_from_salesforce_logs_in_first(client: Client) -> None:
    answer = client.get(PAGE + "callback/?state=x&code=y")
    assert answer.headers["Location"].startswith("/accounts/login/?next=/settings/connections/callback/")


def test_a_host_that_is_no_my_domain_is_refused_with_what_was_typed(as_admin: Client) -> None:
    answer = as_admin.post(PAGE + "connect/", {"environment": "my_domain", "my_domain": "evil.example.com"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "connections.bad_my_domain" in page
    assert 'value="evil.example.com"' in page


def test_an_org_that_cannot_be_reached_is_told_with_all_its_facts(
    as_admin: Client, alder: Account, settings: Settings
) -> None:
    settings.SALESFORCE_LOGIN_URL = "http://127.0.0.1:1"
    page = as_admin.post(PAGE + "connect/", {"environment": "production"}, follow=True).content.decode()
    for part in ("could not be reached", "Why", "Left", "Next", "You can", "salesforce.unavailable"):
        assert part in page
    assert Authorization.of(alder).count() == 0


def test_authorising_again_goes_where_the_org_was_connected(as_admin: Client, alder: Account) -> None:
    connect(alder, login_url="http://127.0.0.1:2")
    page = as_admin.post(PAGE + "connect/", {"environment": "again"}, follow=True).content.decode()
    assert "could not be reached at http://127.0.0.1:2" in page


def test_there_is_nothing_to_authorise_again_before_the_first_time(as_admin: Client) -> None:
    answer = as_admin.post(PAGE + "connect/", {"environment": "again"})
    assert "connections.unknown_environment" in answer.content.decode()


@pytest.mark.parametrize("query", ["", "?state=&code=", "?state=forged&code=stolen", "?error=access_denied"])
def test_an_answer_that_nobody_asked_for_is_refused(as_admin: Client, alder: Account, query: str) -> None:
    page = as_admin.get(f"{PAGE}callback/{query}", follow=True).content.decode()
    assert "connections.wrong_state" in page
    assert Connection.of(alder).count() == 0


def test_the_callback_address_is_shown_for_copying(as_standard: Client) -> None:
    assert 'data-copy="http://testserver/settings/connections/callback/"' in text_of(as_standard)


def test_the_way_to_an_external_client_app_is_shown_until_there_is_one(as_standard: Client, settings: Settings) -> None:
    settings.SALESFORCE_CLIENT_ID = ""
    assert "Not set up yet" in text_of(as_standard)
    assert "/settings/connections/client-app/guide/" in text_of(as_standard)
    settings.SALESFORCE_CLIENT_ID = "key"
    settings.SALESFORCE_CLIENT_SECRET = "not for any page"
    page = text_of(as_standard)
    assert "Not set up yet" not in page
    assert "not for any page" not in page


def test_it_warns_who_opened_headwater_under_another_name(as_admin: Client, settings: Settings) -> None:
    warning = "Salesforce sends the browser back to"
    assert warning not in text_of(as_admin)
    settings.BASE_URL = "https://headwater.example.com"
    assert warning in text_of(as_admin)


def test_a_form_may_lead_to_the_log_in_page_that_is_set(as_admin: Client, settings: Settings) -> None:
    settings.SALESFORCE_LOGIN_URL = "http://127.0.0.1:8700"
    assert "http://127.0.0.1:8700" in as_admin.get(PAGE).headers["Content-Security-Policy"]


def test_who_switches_the_account_sees_that_accounts_connection(as_admin: Client, alice: User, alder: Account) -> None:
    birch = create_account("Birch Telecom")
    add_member(birch, alice, Role.STANDARD)
    connect(alder)
    as_admin.post("/account/birch-telecom/choose/")
    assert "Alder Production" not in text_of(as_admin)


def test_the_callback_address_is_the_pages_own(as_admin: Client) -> None:
    assert reverse("web:connections_callback") == CALLBACK_PATH
