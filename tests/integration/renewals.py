"""A process that renews an account's Salesforce session on command, for test_token_renewal.py.

One command a line on standard input, one JSON object a line as answer. It forks the victims that are killed, so that a
killing costs no new interpreter.
"""

import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import django
from django.db import connections

ACTOR = "ann@example.com"
VICTIMS_LEASE_SECONDS = 0.4  # instead of minutes: a test must outlive its victims; the living keep theirs


class Renewer:
    def __init__(self) -> None:
        from headwater.connections import tokens
        from headwater.salesforce import oauth

        self.asked = 0
        self.kill_at = ""
        self.last = ""
        self.tokens, self.oauth, self._refresh = tokens, oauth, oauth.refresh
        tokens.LOOK_AGAIN_SECONDS = 0.002
        setattr(oauth, "refresh", self._watched_refresh)  # noqa: B010  as a test's patch; it ends with the process

    def answer(self, command: str, *arguments: str) -> dict[str, Any]:
        return getattr(self, command)(*arguments) or {}

    def prepare(self) -> None:
        from headwater.accounts.services import create_account

        create_account("Acme")

    def connect(self, username: str, password: str) -> None:
        """Through the org's real log-in page."""
        from headwater.connections.services import begin, finish, login_url_for
        from headwater.wiring import confirm_connection
        from integration.callbacks import REDIRECT_URI, callback_of
        from orgsim.person import answer_login

        account, address = self._account(), login_url_for("production")
        page = begin(account, login_url=address, redirect_uri=REDIRECT_URI, actor=ACTOR)
        row = finish(account, callback_of(answer_login(page, username, password)), actor=ACTOR)
        if row.status == "awaiting_confirmation":
            confirm_connection(account, org_id=row.org_id, actor=ACTOR)

    def look(self) -> dict[str, Any]:
        """What stands in the database."""
        from headwater.connections.models import Connection

        row = Connection.of(self._account()).get()
        return {"status": row.status, "version": row.token_version, "marked": row.renewal_until_utc is not None}

    def remember(self) -> None:
        """Take the present token for a stale one."""
        self.last = self.tokens.StoredTokens(self._account()).access_token()

    def renew(self) -> dict[str, Any]:
        """Renew the remembered token, waiting out a dead holder, and remember the new one."""
        from headwater.common.errors import Fix

        asked = self.asked
        try:
            self.last = self.tokens.StoredTokens(self._account()).renew(self.last)
        except Fix as fix:
            return {"refused": fix.code, "why": fix.facts.why, "asked": self.asked - asked}
        return {"token": self.last, "asked": self.asked - asked}

    def renew_in_threads(self, threads: str) -> dict[str, Any]:
        """The same from several threads of this process at once."""
        stale, got = self.last, []

        def deed() -> None:
            got.append(self.tokens.StoredTokens(self._account()).renew(stale))
            connections.close_all()

        started = [Thread(target=deed) for _ in range(int(threads))]
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        self.last = got[0]
        return {"tokens": got}

    def renew_until(self, stop: str) -> dict[str, Any]:
        """Again and again, each time a stale token, until there is a file of that name; returns how often."""
        times = 0
        while not Path(stop).exists():
            self.last = self.tokens.StoredTokens(self._account()).renew(self.last)
            times += 1
        return {"times": times}

    def plant(self, values: str) -> None:
        """Log-ins under way, each with a sealed verifier."""
        from headwater.accounts.crypt import seal
        from headwater.common.clock import now_utc
        from headwater.connections.models import Authorization

        account = self._account()
        Authorization.of(account).bulk_create(
            Authorization(
                account=account,
                state_digest=f"planted {number}",
                sealed_verifier=seal(account.pk, {"verifier": str(number)}),
                started_utc=now_utc(),
            )
            for number in range(int(values))
        )

    def unplant(self) -> dict[str, Any]:
        """Open what was planted, and take it away."""
        from headwater.accounts.crypt import unseal
        from headwater.connections.models import Authorization

        account = self._account()
        planted = Authorization.of(account).filter(state_digest__startswith="planted").order_by("pk")
        opened = [unseal(account.pk, row.sealed_verifier)["verifier"] for row in planted]
        planted.delete()
        return {"opened": opened}

    def kill(self, where: str) -> None:
        """A forked process renews and is killed: `before` its request, `after` the answer, or so many ms later."""
        connections.close_all()
        victim = os.fork()
        if victim == 0:
            self.kill_at = where
            self.tokens.RENEWAL_LEASE = timedelta(seconds=VICTIMS_LEASE_SECONDS)
            self.tokens.StoredTokens(self._account()).renew(self.last)
            os._exit(0)
        if where not in ("before", "after"):
            time.sleep(float(where) / 1000)
            os.kill(victim, signal.SIGKILL)
        os.waitpid(victim, 0)

    def _watched_refresh(self, *arguments: Any) -> Any:
        self.asked += 1
        if self.kill_at == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        grant = self._refresh(*arguments)
        if self.kill_at == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return grant

    def _account(self) -> Any:
        from headwater.accounts.models import Account

        return Account.objects.get()


def main() -> None:
    django.setup()
    renewer = Renewer()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(renewer.answer(*line.split())) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
