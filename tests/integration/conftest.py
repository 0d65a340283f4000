"""A simulated org served over real HTTP, and an account connected to it through the real log-in."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from headwater.accounts.models import Account
from headwater.accounts.services import create_account
from headwater.connections.models import Connection, Status
from headwater.connections.services import begin, finish, login_url_for
from headwater.jobs.models import Job, State
from headwater.jobs.services import job_view, run_here
from headwater.wiring import confirm_connection, install_package
from integration.callbacks import REDIRECT_URI, callback_of
from postgres import postgres_cluster

__all__ = ["postgres_cluster"]
from orgsim.person import answer_login
from orgsim.testing import CLIENT_ID, CLIENT_SECRET, PASSWORD, USERNAME, RunningOrgsim, running_orgsim

ACTOR = "ann@example.com"


@pytest.fixture
def org(tmp_path: Path, settings: Settings) -> Iterator[RunningOrgsim]:
    with running_orgsim(tmp_path / "org", callbacks=(REDIRECT_URI,)) as running:
        settings.SALESFORCE_LOGIN_URL = running.url
        settings.SALESFORCE_SANDBOX_LOGIN_URL = running.sandbox_url
        settings.SALESFORCE_CLIENT_ID = CLIENT_ID
        settings.SALESFORCE_CLIENT_SECRET = CLIENT_SECRET
        settings.DATA_DIR = tmp_path / "data"
        yield running


@pytest.fixture
def account(transactional_db: None) -> Account:
    return create_account("Acme")


@pytest.fixture
def connected(org: RunningOrgsim, account: Account) -> Connection:
    return connect(account)


def connect(account: Account, environment: str = "production", username: str = USERNAME) -> Connection:
    """Logs in, and confirms the org where it is a new one."""
    row = log_in(account, environment, username)
    if row.status == Status.AWAITING_CONFIRMATION:
        return confirm_connection(account, org_id=row.org_id, actor=ACTOR)
    return row


def log_in(account: Account, environment: str = "production", username: str = USERNAME) -> Connection:
    address = start_login(account, environment)
    return finish(account, callback_of(answer_login(address, username, PASSWORD)), actor=ACTOR)


def start_login(account: Account, environment: str = "production") -> str:
    """The address that the person is sent to."""
    return begin(account, login_url=login_url_for(environment), redirect_uri=REDIRECT_URI, actor=ACTOR)


@pytest.fixture(autouse=True)
def _ask_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated org deploys at once; a real one is asked after 2, 4, 8 … seconds."""
    monkeypatch.setattr("headwater.connections.package.install.poll_delay_seconds", lambda _: 0.1)
    monkeypatch.setattr("headwater.connections.package.install.POLLS_IN_A_ROW", 300)


def have_package(account: Account) -> dict[str, Any]:
    """The package is installed and granted; returns what the job told."""
    return result_of(run_here(install_package(account, actor=ACTOR), poll_seconds=0.05))


def result_of(job: Job) -> dict[str, Any]:
    """What a finished job told."""
    assert job.state == State.DONE, job_view(job)
    assert isinstance(job.result, dict)
    return job.result
