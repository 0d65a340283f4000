"""The connection's tokens: opened when a call needs one, renewed once for all workers.

A new refresh token is stored before its access token is used, and only one process renews at a time: replaying an
old refresh token would end the grant (facts A.3, 0.5). Salesforce keeps no grace for an answer that was lost on the
way to the store; then only a new authorisation helps, and this says so.
"""

import time
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q

from headwater.accounts.crypt import seal, unseal
from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, Wait
from headwater.connections.client_apps import in_use, server_grant
from headwater.connections.models import Connection, LogIn, Status
from headwater.salesforce import oauth

# The longest request takes two minutes (oauth.py: four phases of 30 s); the rest is for clocks that disagree.
RENEWAL_LEASE = timedelta(minutes=4)
PATIENCE_SECONDS = 30.0  # for another process that renews
LOOK_AGAIN_SECONDS = 0.1
DEAD = "salesforce.authorization_dead"
AUTHORIZATION_LOST = "connections.authorization_lost"


def sealed(account: Account, access_token: str, refresh_token: str) -> str:
    return seal(account.pk, {"access_token": access_token, "refresh_token": refresh_token})


class StoredTokens:
    """The Tokens of an account's connection (see salesforce/transport.py).

    also   Further states in which they may be used; only the look at an org's schema has any (services.schema_session).
    """

    def __init__(self, account: Account, *, also: Collection[Status] = ()) -> None:
        self._account = account
        self._live = {Status.CONNECTED, *also}

    def access_token(self) -> str:
        return self._open(self._row())["access_token"]

    def renew(self, stale: str) -> str:
        """A token other than `stale`. Raises Fix when the grant is dead, Wait when the log-in server is away."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            row = self._row()
            kept = self._open(row)
            if kept["access_token"] != stale:
                return kept["access_token"]
            if self._take_renewal(row):
                return self._renew_now(row, kept["refresh_token"])
            if time.monotonic() >= deadline:
                raise _renewal_busy(row)
            time.sleep(LOOK_AGAIN_SECONDS)

    def _row(self) -> Connection:
        row = Connection.of(self._account).first()
        if row is None:
            raise not_connected()
        if row.status == Status.AUTHORIZATION_REQUIRED:
            raise authorization_required(row)
        if row.status not in self._live or not row.sealed_tokens:
            raise not_connected()  # it was left while this work went on
        return row

    def _open(self, row: Connection) -> dict[str, str]:
        return unseal(self._account.pk, row.sealed_tokens)

    def _take_renewal(self, row: Connection) -> bool:
        free = Q(renewal_until_utc=None) | Q(renewal_until_utc__lt=now_utc())
        mine = Connection.of(self._account).filter(free, pk=row.pk, token_version=row.token_version)
        return mine.update(renewal_until_utc=now_utc() + RENEWAL_LEASE) == 1

    def _renew_now(self, row: Connection, refresh_token: str) -> str:
        mine = Connection.of(self._account).filter(pk=row.pk, token_version=row.token_version)
        try:
            grant = self._ask(row, refresh_token)
        except Wait:
            mine.update(renewal_until_utc=now_utc())  # free at once, but marked: Salesforce may have renewed unheard
            raise
        except Fix as refused:
            return self._refused(row, refused)
        stored = mine.update(
            sealed_tokens=sealed(self._account, grant.access_token, grant.refresh_token or refresh_token),
            token_version=F("token_version") + 1,
            renewal_until_utc=None,
        )
        if stored:
            return grant.access_token
        # Meanwhile the connection was left or authorised anew: nobody will use what was just renewed.
        oauth.revoke(row.login_url, grant.refresh_token or refresh_token or grant.access_token)
        return self.access_token()

    def _ask(self, row: Connection, refresh_token: str) -> oauth.Grant:
        used = in_use(self._account)
        if row.log_in == LogIn.BROWSER:
            return oauth.refresh(row.login_url, used.app, refresh_token)
        asked = replace(used, log_in=LogIn(row.log_in), login_url=row.login_url, username=row.username)
        return server_grant(asked, oauth.RENEWING)

    def _refused(self, row: Connection, refused: Fix) -> str:
        """Raises Fix; returns the token of an authorisation that came meanwhile, whose predecessor was refused."""
        mine = Connection.of(self._account).filter(pk=row.pk, token_version=row.token_version)
        if refused.code != DEAD:
            mine.update(renewal_until_utc=None)
            raise refused
        may_have_rotated = row.renewal_until_utc and row.log_in == LogIn.BROWSER
        told = _cut_off(refused) if may_have_rotated else refused
        with transaction.atomic():
            is_ours = mine.update(renewal_until_utc=None) == 1
            # Before a confirmation and during a deletion the state stays: it says what a person decided.
            if mine.filter(status=Status.CONNECTED).update(status=Status.AUTHORIZATION_REQUIRED) == 1:
                why, name = told.facts.why, row.org_name
                record_event(self._account, actor="headwater", action=AUTHORIZATION_LOST, before=name, after=why)
        if is_ours:
            raise told
        return self.access_token()


def _cut_off(refused: Fix) -> Fix:
    """The refusal, where an earlier renewal has no known end: the likely cause is ours to tell."""
    why = (
        f"{refused.facts.why}. An earlier renewal was cut off between Salesforce and Headwater. If Salesforce had "
        "renewed by then, it takes what is stored here for a stolen log-in and ends it (refresh token rotation)."
    )
    return Fix(refused.code, refused.sentence, replace(refused.facts, why=why))


def _renewal_busy(row: Connection) -> Wait:
    return Wait(
        "connections.renewal_busy",
        "Another process is renewing the Salesforce session.",
        retry_utc=max(row.renewal_until_utc or now_utc(), now_utc()),
        facts=Facts(
            why="Only one may renew at a time; one that died in the middle is waited for until its time is over.",
            left="Nothing is lost.",
            next="It is tried again by itself.",
        ),
    )


def not_connected() -> Fix:
    return Fix(
        "connections.not_connected",
        "This account is not connected to a Salesforce org.",
        Facts(
            left="Nothing was read or written.",
            you_can="Settings > Connections > Set Up New CRM Connection (headwater connect)",
        ),
    )


def authorization_required(row: Connection) -> Fix:
    return Fix(
        "connections.authorization_required",
        f"{row.org_name} wants a new authorisation before anything is read or written.",
        Facts(
            why="Salesforce no longer accepts the stored log-in.",
            left="What was read stays. Everything missed is caught up afterwards.",
            you_can="click the key in Settings > Connections and log in (headwater connect)",
        ),
    )
