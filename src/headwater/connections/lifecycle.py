"""What a person decides about the connection: confirm it, leave it, take its log-in away, delete it.

The states and moves are drawn in docs/reference/connections.md. Not here: which org may come (rules.py), the log-in
itself (services.py), and deleting what other rooms keep (headwater/wiring.py).
"""

from django.db import transaction

from headwater.accounts.crypt import unseal
from headwater.accounts.models import Account
from headwater.accounts.services import record_event
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, Wait
from headwater.connections.models import Authorization, Connection, KnownOrg, PackageCheck, PreflightRun, Status
from headwater.connections.rules import PRODUCTION, KnownAs, deletion_in_progress
from headwater.connections.tokens import not_connected
from headwater.credits.services import forget_org
from headwater.salesforce import oauth

GRANT_LEFT = "connections.grant_left"


def known_as(row: Connection | KnownOrg) -> KnownAs:
    return KnownAs(row.org_id, row.org_name, row.org_kind)


def remember(account: Account, row: Connection) -> None:
    """Keep that this org was the account's, with what it is now: a trial may have become production."""
    told = {"org_name": row.org_name, "org_kind": row.org_kind}
    KnownOrg.of(account).update_or_create(
        account=account,
        org_id=row.org_id,
        defaults=told,
        create_defaults={**told, "first_connected_utc": now_utc()},
    )


@transaction.atomic
def confirm(account: Account, *, org_id: str, actor: str) -> Connection:
    """The person has seen which org and which user it is: from now on records are read.

    org_id   What the person was shown; a log-in that replaced it meanwhile is not confirmed unseen.
    """
    row = _locked(account)
    if row.status != Status.AWAITING_CONFIRMATION or row.org_id != org_id:
        raise _nothing_to_confirm()
    row.status = Status.CONNECTED
    row.save(update_fields=["status"])
    remember(account, row)
    record_event(account, actor=actor, action="connections.connected", after=f"{row.org_name} {row.org_id}")
    return row


def decline(account: Account, *, actor: str) -> None:
    """It was the wrong org or user: the log-in is revoked and nothing of it stays."""
    with transaction.atomic():
        row = _locked(account)
        if row.status != Status.AWAITING_CONFIRMATION:
            raise _nothing_to_confirm()
        row.delete()
        forget_org(account)
        record_event(account, actor=actor, action="connections.declined", before=f"{row.org_name} {row.org_id}")
    revoke_or_tell(account, row)


def disconnect(account: Account, *, actor: str) -> Connection:
    """Take the log-in away and keep everything that was read; the key brings it back."""
    with transaction.atomic():
        row = _locked(account)
        if row.status not in (Status.CONNECTED, Status.AUTHORIZATION_REQUIRED):
            raise not_connected()
        revoked = Connection(account=account, login_url=row.login_url, sealed_tokens=row.sealed_tokens)
        row.status = Status.DISCONNECTED
        row.sealed_tokens = ""
        row.token_version += 1
        row.save(update_fields=["status", "sealed_tokens", "token_version"])
        record_event(account, actor=actor, action="connections.disconnected", before=f"{row.org_name} {row.org_id}")
    revoke_or_tell(account, revoked)
    return row


@transaction.atomic
def begin_deletion(account: Account, *, typed_name: str, actor: str) -> Connection:
    """From here on nothing is read or written; the deleting itself is a job. Beginning again is no mistake."""
    row = _locked(account)
    if row.status == Status.DELETING:
        return row
    if row.org_kind == PRODUCTION and row.status != Status.AWAITING_CONFIRMATION:
        raise _production_stays(row)
    if typed_name.strip() != account.name:
        raise _wrong_name(account)
    row.status = Status.DELETING  # a renewal under way still stores its tokens: they are revoked with the rest
    row.save(update_fields=["status"])
    record_event(account, actor=actor, action="connections.deleting", before=f"{row.org_name} {row.org_id}")
    return row


@transaction.atomic
def end_deletion(account: Account) -> None:
    """The last step of a deletion: the connection itself and the log-ins that were under way. Safe to repeat."""
    row = Connection.of(account).filter(status=Status.DELETING).first()
    if row is None:
        return
    Authorization.of(account).delete()
    PackageCheck.of(account).delete()
    PreflightRun.of(account).delete()
    row.delete()
    forget_org(account)
    record_event(account, actor="headwater", action="connections.deleted", before=f"{row.org_name} {row.org_id}")


def revoke(account: Account) -> None:
    """End the grant of the connection at Salesforce. Raises Wait where the log-in server is away."""
    row = Connection.of(account).first()
    if row is not None:
        _revoke(account, row)


def revoke_or_tell(account: Account, row: Connection) -> None:
    """End a grant that is no longer used here; where that fails, keep for the admin that it still stands in the org."""
    try:
        _revoke(account, row)
    except (Fix, Wait) as error:
        tell_grant_left(account, error)


def tell_grant_left(account: Account, error: Fix | Wait) -> None:
    told = f"revoke it in Setup > Connected Apps OAuth Usage: {error.sentence}"
    record_event(account, actor="headwater", action=GRANT_LEFT, after=told)


def _revoke(account: Account, row: Connection) -> None:
    if row.sealed_tokens:
        kept = unseal(account.pk, row.sealed_tokens)
        oauth.revoke(row.login_url, kept["refresh_token"] or kept["access_token"])


def require_live(row: Connection) -> None:
    """Raises Fix unless records may be read through this connection now."""
    if row.status == Status.AWAITING_CONFIRMATION:
        raise _not_confirmed(row)
    if row.status == Status.DELETING:
        raise deletion_in_progress(known_as(row))
    if row.status == Status.DISCONNECTED:
        raise _disconnected(row)


def _locked(account: Account) -> Connection:
    row = Connection.of(account).select_for_update().first()
    if row is None:
        raise not_connected()
    return row


def _nothing_to_confirm() -> Fix:
    return Fix(
        "connections.nothing_to_confirm",
        "There is no new connection that waits for a confirmation.",
        Facts(
            why="It was confirmed or left already, or another log-in took its place.",
            left="Nothing was changed.",
            you_can="look at Settings > Connections",
        ),
    )


def _not_confirmed(row: Connection) -> Fix:
    return Fix(
        "connections.not_confirmed",
        f"Nobody has confirmed yet that {row.org_name} is the org to read.",
        Facts(
            why=f"{row.username} logged in, and the connection waits for a look at which org and user that is.",
            left="Nothing was read or written.",
            you_can="confirm or leave it in Settings > Connections",
        ),
    )


def _disconnected(row: Connection) -> Fix:
    return Fix(
        "connections.disconnected",
        f"This account was disconnected from {row.org_name}.",
        Facts(
            left="What was read stays; nothing new is read or written.",
            next="After a new log-in everything missed is caught up.",
            you_can="click the key in Settings > Connections and log in (headwater connect)",
        ),
    )


def _production_stays(row: Connection) -> Fix:
    return Fix(
        "connections.production_stays",
        f"{row.org_name} is a production org; its connection is not deleted.",
        Facts(
            why="An account stays on its production org for good, so its results never mix with another org's.",
            left="Nothing was changed.",
            you_can="disconnect it instead, which takes Headwater's log-in away and keeps what was read",
        ),
    )


def _wrong_name(account: Account) -> Fix:
    return Fix(
        "connections.name_not_typed",
        "The name that was typed is not the account's.",
        Facts(
            why=f"Deleting is for good; typing “{account.name}” shows that it is meant.",
            left="Nothing was deleted.",
            you_can="type the name exactly as it stands in the dialog",
        ),
    )
