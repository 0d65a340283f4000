"""Connecting an account to its one org: begin a log-in, finish it, and open a session for the other rooms."""

import hashlib
import secrets
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from headwater.accounts.crypt import seal, unseal
from headwater.accounts.models import Account, Role
from headwater.accounts.services import members_of, record_event, require_open
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, HeadwaterError
from headwater.connections.client_app_files import AppFiles
from headwater.connections.client_apps import in_use, row_of, server_grant
from headwater.connections.lifecycle import known_as, remember, require_live, revoke_or_tell
from headwater.connections.models import Authorization, Connection, KnownOrg, LogIn, Status
from headwater.connections.my_domain import my_domain_url
from headwater.connections.rules import KnownAs, Verdict, admit
from headwater.connections.tokens import StoredTokens, not_connected, sealed
from headwater.credits.priorities import Priority
from headwater.credits.services import meter_for
from headwater.jobs.running import RunningJob
from headwater.salesforce import oauth
from headwater.salesforce.errors import Refusal
from headwater.salesforce.login_refusals import as_said, diagnose
from headwater.salesforce.rest import Org, Organization, OrgUser
from headwater.salesforce.transport import ATTEMPTS, PATIENT, Patience, Transport

AUTHORIZATION_LIFETIME = timedelta(minutes=10)
CONNECTING = "connect"
CALLBACK_PATH = "/settings/connections/callback/"  # stands in every org's app: it must not change
LOOPBACK = frozenset({"127.0.0.1", "localhost"})


@dataclass(frozen=True, slots=True)
class Callback:
    """What Salesforce's redirect brought back, as it came."""

    state: str
    code: str
    error: str
    error_description: str


@dataclass(frozen=True, slots=True)
class _Arrival:
    """Where a log-in came from, by which way, and who began it."""

    login_url: str
    log_in: LogIn
    actor: str


class _FreshTokens:
    """The token of a log-in that is not stored yet; there is nothing to renew it with."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    def access_token(self) -> str:
        return self._access_token

    def renew(self, stale: str) -> str:  # noqa: ARG002 - the Tokens protocol's shape
        raise _refused("Salesforce did not accept the token it had just issued.", "connect again")


def login_url_for(environment: str, my_domain: str = "") -> str:
    """Where to log in: `production`, `sandbox`, or `my_domain` with the org's own host name (row A5)."""
    if environment == "production":
        return str(settings.SALESFORCE_LOGIN_URL)
    if environment == "sandbox":
        return str(settings.SALESFORCE_SANDBOX_LOGIN_URL)
    if environment != "my_domain":
        raise Fix(
            "connections.unknown_environment",
            f"“{environment[:20]}” is no place to log in at.",
            Facts(left="Nothing was changed.", you_can="choose production, sandbox or my_domain"),
        )
    return my_domain_url(my_domain)


def place_of(login_url: str) -> tuple[str, str]:
    """The environment and My Domain that login_url_for made the address of."""
    if login_url == settings.SALESFORCE_SANDBOX_LOGIN_URL:
        return "sandbox", ""
    if login_url in ("", settings.SALESFORCE_LOGIN_URL):
        return "production", ""
    return "my_domain", login_url.removeprefix("https://")


def callback_address() -> str:
    """What the org's External Client App must list, and where Salesforce sends the browser back to."""
    return str(settings.BASE_URL).rstrip("/") + CALLBACK_PATH


def client_app_files(account: Account, log_in: LogIn | None = None) -> AppFiles:
    """What the app's metadata is filled with: this installation's address, and the account's way to log in.

    Raises Fix where JWT bearer has no certificate yet: it is made when the way is saved.
    """
    row = row_of(account)
    way = log_in or (LogIn(row.log_in) if row else LogIn.BROWSER)
    if way == LogIn.JWT and not (row and row.certificate):
        raise Fix(
            "connections.no_certificate",
            "There is no certificate yet to put into the app's files.",
            Facts(left="Nothing was changed.", you_can="save JWT bearer as the way to log in, or make the key pair"),
        )
    admin = members_of(account).filter(role=Role.ADMIN).first()
    return AppFiles(
        callback_address(),
        contact_email=admin.user.email if admin else "admin@example.com",
        log_in=way,
        certificate=row.certificate if row else "",
    )


def connection_of(account: Account) -> Connection | None:
    return Connection.of(account).first()


def begin(account: Account, *, login_url: str, redirect_uri: str, actor: str) -> str:
    """Start a log-in and return the address to send the person to."""
    _require_safe_address(login_url)
    oauth.probe(login_url)
    app, state, verifier = in_use(account).app, secrets.token_urlsafe(32), oauth.new_verifier()
    Authorization.of(account).create(
        account=account,
        state_digest=_digest(state),
        sealed_verifier=seal(account.pk, {"verifier": verifier}),
        actor=actor,
        login_url=login_url,
        redirect_uri=redirect_uri,
        started_utc=now_utc(),
    )
    return oauth.authorize_url(login_url, app, redirect_uri=redirect_uri, state=state, verifier=verifier)


def finish(account: Account, callback: Callback, *, actor: str) -> Connection:
    """Complete a log-in from its callback. Raises Fix and changes nothing where any part of it does not fit.

    A new org then waits for a person's confirmation (lifecycle.confirm); the org that is connected already is live.
    """
    started = _take_authorization(account, callback.state, actor)
    if callback.error:
        refusal = Refusal(400, callback.error, callback.error_description)
        raise diagnose(refusal) or _refused(as_said(refusal), "start again and choose Allow on Salesforce's page")
    grant = oauth.exchange_code(
        started.login_url,
        in_use(account).app,
        code=callback.code,
        redirect_uri=started.redirect_uri,
        verifier=unseal(account.pk, started.sealed_verifier)["verifier"],
    )
    return _take_in(account, _Arrival(started.login_url, LogIn.BROWSER, started.actor), grant)


def connect_server(account: Account, *, actor: str) -> Connection:
    """Log in without a browser, as the account's client app says; everything else is as after a callback."""
    used = in_use(account)
    if used.needs_browser:
        raise Fix(
            "connections.browser_needed",
            "The account's client app is set to log in by a person.",
            Facts(
                left="Nothing was changed.",
                you_can="connect in the browser, or choose JWT bearer or client credentials in Settings > Connections "
                "> Client app (headwater connect --server)",
            ),
        )
    _require_safe_address(used.login_url)
    grant = server_grant(used, oauth.CONNECTING)
    return _take_in(account, _Arrival(used.login_url, used.log_in, actor), grant)


@contextmanager
def session(
    account: Account,
    *,
    job_kind: str,
    job_id: str = "",
    fence: int = 0,
    priority: Priority = Priority.FRESH,
    attempts: int = ATTEMPTS,
    patience: Patience = PATIENT,
) -> Iterator[Transport]:
    """A metered session with the account's org, for the other rooms. A closed account has none.

    `fence`: that of the job's holder, by which calls are told apart that a dead holder left unanswered.
    `attempts`: how often a call is sent where sending it again may help.
    """
    require_open(account)
    row = connection_of(account)
    if row is None:
        raise not_connected()
    require_live(row)
    meter = meter_for(account, job_kind=job_kind, job_id=job_id, fence=fence, priority=priority)
    with Transport(row.instance_url, StoredTokens(account), meter, attempts=attempts, patience=patience) as transport:
        yield transport


def job_session(
    account: Account, job: RunningJob, *, job_kind: str, priority: Priority = Priority.FRESH
) -> AbstractContextManager[Transport]:
    """As `session`, for a job: who cancels it waits neither for another attempt nor for the end of a download."""
    patience = Patience(job.pause, job.watching)
    return session(
        account, job_kind=job_kind, job_id=str(job.id), fence=job.fence, priority=priority, patience=patience
    )


@contextmanager
def schema_session(account: Account, *, job_kind: str, job_id: str) -> Iterator[Transport]:
    """As `session`, also before the org is confirmed and while it is being deleted: for its schema, never for a record.

    Nothing is sent twice, so that an org that is gone holds nobody up. A closed account has none but for a deletion.
    """
    row = connection_of(account)
    if row is None:
        raise not_connected()
    if row.status != Status.DELETING:
        require_open(account)
    before_and_after = (Status.AWAITING_CONFIRMATION, Status.DELETING)
    if row.status not in before_and_after:
        require_live(row)
    tokens = StoredTokens(account, also=before_and_after)
    meter = meter_for(account, job_kind=job_kind, job_id=job_id)
    with Transport(row.instance_url, tokens, meter, attempts=1) as transport:
        yield transport


def _take_in(account: Account, arrival: _Arrival, grant: oauth.Grant) -> Connection:
    """Ask the org what it is, and store the log-in where the rules admit it; else end the grant."""
    try:
        organization, user = _ask_who(account, grant)
        return _store(account, arrival, grant, organization, user)
    except HeadwaterError:
        oauth.revoke(arrival.login_url, grant.refresh_token or grant.access_token)  # nobody will use this grant
        raise


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()


def _take_authorization(account: Account, state: str, actor: str) -> Authorization:
    """The log-in that `state` belongs to, marked as used by a conditional update that touches exactly one row."""
    mine = Authorization.of(account).filter(
        state_digest=_digest(state),
        actor=actor,
        used_utc=None,
        started_utc__gt=now_utc() - AUTHORIZATION_LIFETIME,
    )
    if not state or mine.update(used_utc=now_utc()) != 1:
        raise Fix(
            "connections.wrong_state",
            "This answer does not belong to a connection that you started here.",
            Facts(
                why="Its state is unknown, older than ten minutes, or was used before.",
                left="Nothing was changed.",
                you_can="start again from Settings > Connections",
            ),
        )
    return Authorization.of(account).get(state_digest=_digest(state))


def _ask_who(account: Account, grant: oauth.Grant) -> tuple[Organization, OrgUser]:
    meter = meter_for(account, job_kind=CONNECTING)
    with Transport(grant.instance_url, _FreshTokens(grant.access_token), meter, attempts=1) as transport:
        org = Org(transport)
        return org.organization(), org.user(grant.identity_url.rstrip("/").rsplit("/", 1)[-1])


def _store(
    account: Account, arrival: _Arrival, grant: oauth.Grant, organization: Organization, user: OrgUser
) -> Connection:
    values = {
        "org_id": organization.id,
        "org_name": organization.name,
        "org_kind": organization.kind,
        "instance_name": organization.instance_name,
        "instance_url": grant.instance_url,
        "login_url": arrival.login_url,
        "log_in": arrival.log_in,
        "user_id": user.id,
        "username": user.username,
        "user_name": user.name,
        "connected_utc": now_utc(),
        "connected_by": arrival.actor,
        "sealed_tokens": sealed(account, grant.access_token, grant.refresh_token),
        "renewal_until_utc": None,
    }
    arriving = KnownAs(organization.id, organization.name, organization.kind)
    with transaction.atomic():
        # Two callbacks at once meet here: the second one waits and finds the first one's row.
        Account.objects.select_for_update().get(pk=account.pk)
        row = connection_of(account)
        is_unconfirmed = row is not None and row.status == Status.AWAITING_CONFIRMATION
        verdict = _admit(account, None if is_unconfirmed else row, arriving)
        replaced = Connection(login_url=row.login_url, sealed_tokens=row.sealed_tokens) if row else None
        if verdict is Verdict.AGAIN:
            stored, action = _write(account, row, {**values, "status": Status.CONNECTED}), "connections.authorised"
            remember(account, stored)
        else:
            stored = _write(account, row, {**values, "status": Status.AWAITING_CONFIRMATION})
            action = "connections.logged_in"
        told = f"{stored.org_name} {stored.org_id} as {stored.username}"
        record_event(account, actor=arrival.actor, action=action, after=told)
    if replaced is not None:
        revoke_or_tell(account, replaced)
    return stored


def _admit(account: Account, current: Connection | None, arriving: KnownAs) -> Verdict:
    return admit(
        known_as(current) if current else None,
        is_leaving=current is not None and current.status == Status.DELETING,
        past=[known_as(each) for each in KnownOrg.of(account)],
        arriving=arriving,
    )


def _write(account: Account, row: Connection | None, values: dict[str, object]) -> Connection:
    row = row or Connection(account=account, token_version=0)
    for name, value in values.items():
        setattr(row, name, value)
    row.token_version += 1
    row.save()
    return row


def _refused(why: str, you_can: str) -> Fix:
    return Fix(
        "connections.refused",
        "The connection was not authorised.",
        Facts(why=why, left="Nothing was changed.", you_can=you_can),
    )


def _require_safe_address(url: str) -> None:
    """Tokens travel to a log-in host only over https, or to this machine itself (facts A.2)."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Fix("connections.insecure_login_url", f"{url} is not https; tokens are not sent there.")
