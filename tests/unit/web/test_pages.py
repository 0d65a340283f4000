"""The pages over HTTP: who is let in, for which account, and what is said to whoever is not."""

from datetime import UTC, datetime

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account, create_user, record_event
from headwater.common.errors import Bug, Facts, Fix, HeadwaterError, Wait
from headwater.web.acting import MemberRequest, admin_action
from headwater.web.middleware import AccountMiddleware
from unit.web.conftest import PASSWORD

pytestmark = pytest.mark.django_db
PAGES = [
    "/",
    "/revenue/",
    "/opportunities/",
    "/credits/",
    "/jobs/",
    "/settings/",
    "/settings/connections/",
    "/settings/crm/general/",
    "/settings/crm/schedule/",
    "/settings/account/",
]


@pytest.mark.parametrize("page", PAGES)
def test_it_asks_a_visitor_to_log_in_and_remembers_where_to_go(client: Client, page: str) -> None:
    answer = client.get(page)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"/accounts/login/?next={page}"


@pytest.mark.parametrize("page", PAGES)
def test_it_explains_itself_to_a_user_of_no_account(browser: Client, page: str) -> None:
    answer = browser.get(page)
    assert answer.status_code == 403
    assert "not a member of any account" in answer.content.decode()


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("role", Role)
def test_every_member_may_read_every_page(browser: Client, alice: User, alder: Account, page: str, role: Role) -> None:
    add_member(alder, alice, role)
    assert browser.get(page, follow=True).status_code == 200


def test_it_logs_in_by_e_mail_and_password_and_goes_to_the_overview(
    client: Client, alice: User, alder: Account
) -> None:
    add_member(alder, alice, Role.STANDARD)
    answer = client.post("/accounts/login/", {"login": "ALICE@alderfinch.example", "password": PASSWORD})
    assert answer.headers["Location"] == "/"


def test_it_tells_a_wrong_password_without_telling_whether_the_address_exists(client: Client, alice: User) -> None:
    answers = [
        client.post("/accounts/login/", {"login": email, "password": "not my password"}).content.decode()
        for email in (alice.email, "nobody@alderfinch.example")
    ]
    assert all("are not correct" in answer for answer in answers)


def test_there_is_no_open_sign_up(client: Client) -> None:
    assert "no open sign-up" in client.get("/accounts/signup/").content.decode()
    new = {"email": "eve@elsewhere.example", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/accounts/signup/", new)
    assert not User.objects.filter(email="eve@elsewhere.example").exists()


def test_a_standard_user_is_told_who_can_connect(browser: Client, alice: User, alder: Account) -> None:
    add_member(alder, alice, Role.STANDARD)
    add_member(alder, create_user("bob@alderfinch.example", PASSWORD, "Bob Berg"), Role.ADMIN)
    page = browser.get("/").content.decode()
    assert "mailto:bob@alderfinch.example" in page
    assert "Go to Connections" not in page


def test_the_account_of_choice_is_kept_for_the_next_pages(browser: Client, alice: User, alder: Account) -> None:
    birch = create_account("Birch Telecom")
    add_member(alder, alice, Role.ADMIN)
    add_member(birch, alice, Role.STANDARD)
    assert "<h1>Alder &amp; Finch</h1>" in browser.get("/").content.decode()
    browser.post("/account/birch-telecom/choose/")
    assert "<h1>Birch Telecom</h1>" in browser.get("/").content.decode()


def test_nobody_chooses_an_account_of_others(browser: Client, alice: User, alder: Account) -> None:
    add_member(alder, alice, Role.ADMIN)
    create_account("Birch Telecom")
    assert browser.post("/account/birch-telecom/choose/").status_code == 404
    assert "<h1>Alder &amp; Finch</h1>" in browser.get("/").content.decode()


def test_who_loses_the_membership_loses_the_page_at_once(browser: Client, alice: User, alder: Account) -> None:
    member = add_member(alder, alice, Role.ADMIN)
    assert browser.get("/").status_code == 200
    member.delete()
    assert browser.get("/").status_code == 403


def test_account_configuration_shows_no_other_accounts_changes(browser: Client, alice: User, alder: Account) -> None:
    add_member(alder, alice, Role.STANDARD)
    record_event(alder, alice, "crm.daily_limit", "100,000", "150,000")
    record_event(create_account("Birch Telecom"), "somebody", "sync.paused")
    page = browser.get("/settings/account/").content.decode()
    assert "150,000" in page
    assert "sync.paused" not in page


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/no/such/page/"])
def test_every_page_forbids_foreign_and_inline_scripts(client: Client, path: str) -> None:
    policy = client.get(path).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy


def test_an_address_that_is_not_there_has_a_page_in_our_look(client: Client) -> None:
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "There is no such page" in answer.content.decode()


def _request(user: User) -> HttpRequest:
    """A request as it leaves the middleware."""
    request = RequestFactory().post("/")
    request.user, request.session = user, {}  # type: ignore[assignment]  # a plain dict serves as the session
    AccountMiddleware(lambda _: HttpResponse())(request)
    return request


@admin_action
def _deed(_request: MemberRequest) -> HttpResponse:
    return HttpResponse("done")


def test_an_admin_action_is_for_admins(alice: User, alder: Account) -> None:
    add_member(alder, alice, Role.ADMIN)
    assert _deed(_request(alice)).status_code == 200
    add_member(alder, alice, Role.STANDARD)
    with pytest.raises(Fix) as refused:
        _deed(_request(alice))
    assert refused.value.code == "accounts.admin_needed"


LATER = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Fix("accounts.admin_needed", "Only an Account Admin may do this."), 403),
        (Fix("connections.token_dead", "Salesforce refused.", Facts(you_can="authorise again")), 409),
        (Wait("credits.quota_used", "The quota is used up.", retry_utc=LATER), 503),
    ],
)
def test_our_errors_are_shown_as_a_page(alice: User, error: HeadwaterError, status: int) -> None:
    answer = AccountMiddleware(lambda _: HttpResponse()).process_exception(_request(alice), error)
    assert answer is not None
    assert answer.status_code == status
    page = answer.content.decode()
    assert error.sentence in page
    assert error.code in page
    assert error.facts.you_can in page


@pytest.mark.parametrize("error", [Bug("web.odd", "This cannot be."), ValueError("odd")])
def test_a_defect_is_left_to_the_log_and_the_500_page(alice: User, error: Exception) -> None:
    assert AccountMiddleware(lambda _: HttpResponse()).process_exception(_request(alice), error) is None


def test_htmx_gets_the_error_alone_without_the_page_around_it(alice: User) -> None:
    request = _request(alice)
    request.META["HTTP_HX_REQUEST"] = "true"
    error = Fix("connections.token_dead", "Salesforce refused.")
    answer = AccountMiddleware(lambda _: HttpResponse()).process_exception(request, error)
    assert answer is not None
    assert "Salesforce refused." in answer.content.decode()
    assert "<html" not in answer.content.decode()
