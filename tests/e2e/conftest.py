"""Fixtures of the browser tests: a real server, a real browser, a person who may log in."""

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from e2e.browser import Visit, barriers, chromium, open_window, take
from headwater.accounts.models import Account, Role, User
from headwater.accounts.services import add_member, create_account, create_user
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, RunningOrgsim, running_orgsim

PASSWORD = "three quiet rivers"
_failed = pytest.StashKey[bool]()

Shot = Callable[[str], Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with pytest.MonkeyPatch.context() as environment:
        # Playwright keeps an event loop in this thread; the test still asks the database one thing at a time.
        environment.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with chromium() as started:
            yield started


@pytest.fixture
def dark() -> bool:
    return False


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, request: pytest.FixtureRequest, dark: bool) -> Iterator[Page]:
    """A fresh window on the server. A failing test leaves its picture; a page that complains fails its test."""
    context = open_window(browser, live_server.url, dark=dark)
    visit = Visit(context.new_page())
    yield visit.page
    if request.node.stash.get(_failed, False):
        take(visit.page, "failed-" + re.sub(r"[^\w.-]+", "-", request.node.name))
    context.close()
    assert visit.complaints == []


@pytest.fixture
def shot(page: Page) -> Shot:
    return lambda name: take(page, name)


@pytest.fixture
def no_barriers(page: Page) -> Callable[[], None]:
    """Call it on any page: axe-core must find nothing serious or critical."""

    def check() -> None:
        assert barriers(page) == []

    return check


@pytest.fixture
def account(transactional_db: None) -> Account:
    return create_account("Alder & Finch")


@pytest.fixture
def admin(account: Account) -> User:
    user = create_user("alice@alderfinch.example", PASSWORD, "Alice Larsson")
    add_member(account, user, Role.ADMIN)
    return user


@pytest.fixture
def standard_user(account: Account) -> User:
    user = create_user("bob@alderfinch.example", PASSWORD, "Bob Berg")
    add_member(account, user, Role.STANDARD)
    return user


@pytest.fixture(autouse=True)
def _count_log_ins_anew() -> None:
    """The limit of log-ins a minute is for strangers, not for a test after thirty others."""
    cache.clear()


@pytest.fixture(autouse=True)
def base_url(live_server: LiveServer, settings: Settings, tmp_path: Path) -> None:
    settings.BASE_URL = live_server.url
    settings.DATA_DIR = tmp_path / "data"


@pytest.fixture
def org(tmp_path: Path, live_server: LiveServer, settings: Settings) -> Iterator[RunningOrgsim]:
    """A simulated org and its sandbox, served over HTTP, whose app knows this server's callback address."""
    with running_orgsim(tmp_path / "org", callbacks=(f"{live_server.url}/settings/connections/callback/",)) as running:
        settings.SALESFORCE_LOGIN_URL = running.url
        settings.SALESFORCE_SANDBOX_LOGIN_URL = running.sandbox_url
        settings.SALESFORCE_CLIENT_ID = CLIENT_ID
        settings.SALESFORCE_CLIENT_SECRET = CLIENT_SECRET
        yield running


@pytest.fixture
def log_in(page: Page) -> Callable[[User], None]:
    def deed(user: User) -> None:
        page.goto("/")
        page.get_by_label("Email").fill(user.email)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="My Account").wait_for()

    return deed
