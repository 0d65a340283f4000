"""An account's single sign-on: its provider's values, domains and switches, and which accounts a session may act for.

Not here: speaking to a provider (oidc.py, saml.py) and whom it may log in (vouching.py).
"""

import re
from collections.abc import Iterable, Mapping

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from headwater.accounts.crypt import seal, unseal
from headwater.accounts.models import Account, Member, Role, User
from headwater.accounts.services import accounts_of, record_event
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix
from headwater.signin.models import ClaimedDomain, LinkedIdentity, Protocol, SingleSignOn

_DOMAIN = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+")
UNCHANGED = "Nothing was changed."


def sso_of(account: Account) -> SingleSignOn | None:
    return SingleSignOn.of(account).first()


def the_sso(account: Account) -> SingleSignOn:
    """Error: Fix `signin.not_configured`."""
    row = sso_of(account)
    if row is None:
        raise Fix(
            "signin.not_configured",
            f"{account} has no single sign-on.",
            Facts(you_can="set it up under Settings > Security > Authentication"),
        )
    return row


def client_secret(row: SingleSignOn) -> str:
    return unseal(row.account_id, row.sealed_secret)["client_secret"]


@transaction.atomic
def keep_oidc(
    account: Account, *, issuer: str, client_id: str, secret: str, trusts_addresses: bool, actor: User
) -> SingleSignOn:
    """Keep what was checked (oidc.checked_issuer). An empty secret keeps the one there is.

    Error: Fix `signin.incomplete`.
    """
    old = sso_of(account)
    sealed = old.sealed_secret if old else ""
    if secret:
        sealed = seal(account.pk, {"client_secret": secret})
    if not client_id or not sealed:
        raise Fix("signin.incomplete", "Client ID and client secret are both needed.", Facts(left=UNCHANGED))
    values = {"client_id": client_id, "sealed_secret": sealed, "trusts_addresses": trusts_addresses}
    return _keep(account, old, Protocol.OIDC, issuer, values, actor)


@transaction.atomic
def keep_saml(
    account: Account, *, issuer: str, login_url: str, certificates: list[str], metadata_url: str, actor: User
) -> SingleSignOn:
    """Keep what was read from the provider's metadata (saml.read_metadata)."""
    values = {"login_url": login_url, "certificates": certificates, "metadata_url": metadata_url}
    return _keep(account, sso_of(account), Protocol.SAML, issuer, values, actor)


def _keep(
    account: Account, old: SingleSignOn | None, protocol: str, issuer: str, values: Mapping[str, object], actor: User
) -> SingleSignOn:
    """Another provider begins from nothing: switched off, untried, and nobody linked."""
    if old is not None and (old.protocol, old.issuer) != (protocol, issuer):
        LinkedIdentity.of(account).delete()
        old.delete()
        old = None
    row = old or SingleSignOn(account=account, protocol=protocol, issuer=issuer)
    for name, value in values.items():
        setattr(row, name, value)
    row.changed_utc, row.tried_utc = now_utc(), None
    row.save()
    record_event(account, actor, "single_sign_on.kept", after=f"{row.get_protocol_display()}: {issuer}")
    return row


@transaction.atomic
def remove_sso(account: Account, *, actor: User) -> None:
    row = the_sso(account)
    LinkedIdentity.of(account).delete()
    row.delete()
    record_event(account, actor, "single_sign_on.removed", before=f"{row.get_protocol_display()}: {row.issuer}")


def mark_tried(row: SingleSignOn) -> None:
    row.tried_utc = now_utc()
    row.save(update_fields=["tried_utc"])


@transaction.atomic
def switch(account: Account, name: str, *, on: bool, actor: User) -> None:
    """`name` is is_on, is_only_way or joins. Error: Fix `signin.not_tried`, `signin.no_domain` or `signin.not_on`."""
    row = the_sso(account)
    if on and name == "is_on":
        _require_ready(row)
    if on and name == "is_only_way" and not row.is_on:
        raise Fix("signin.not_on", "Switch single sign-on on first.", Facts(left=UNCHANGED))
    if getattr(row, name) == on:
        return
    setattr(row, name, on)
    if name == "is_on" and not on:
        row.is_only_way = False  # nobody may be left without a way in
    row.save(update_fields=[name, "is_only_way"])
    record_event(account, actor, f"single_sign_on.{name}", "off" if on else "on", "on" if on else "off")


def _require_ready(row: SingleSignOn) -> None:
    if row.tried_utc is None:
        raise Fix(
            "signin.not_tried",
            "Try it before you switch it on.",
            Facts(why="A wrong value would be met by everybody else first.", left=UNCHANGED, you_can="press Try it"),
        )
    if not domains_of(row.account).exclude(confirmed_utc=None).exists():
        raise Fix(
            "signin.no_domain",
            "No domain of this account is confirmed.",
            Facts(
                why="The provider may vouch for addresses of confirmed domains only.",
                left=UNCHANGED,
                you_can="add your domain, and ask whoever operates this Headwater to confirm it",
            ),
        )


def domains_of(account: Account) -> QuerySet[ClaimedDomain]:
    return ClaimedDomain.of(account).order_by("name")


def claim_domain(account: Account, name: str, *, actor: User) -> ClaimedDomain:
    """Error: Fix `signin.bad_domain`."""
    name = name.strip().lower().removeprefix("@")
    if not _DOMAIN.fullmatch(name):
        raise Fix("signin.bad_domain", f"“{name}” is not a domain, such as example.com.", Facts(left=UNCHANGED))
    claimed, is_new = ClaimedDomain.of(account).get_or_create(
        account=account, name=name, defaults={"claimed_by": actor.email}
    )
    if is_new:
        record_event(account, actor, "single_sign_on.domain_claimed", after=name)
    return claimed


def release_domain(account: Account, name: str, *, actor: User) -> None:
    if ClaimedDomain.of(account).filter(name=name).delete()[0]:
        record_event(account, actor, "single_sign_on.domain_released", before=name)


def confirm_domain(account: Account, name: str, *, actor: str) -> None:
    """The operator's word that the domain is the account's: its provider may then log in whoever has an address there.

    Error: Fix `signin.not_claimed` or `signin.domain_taken`.
    """
    claimed = ClaimedDomain.of(account).filter(name=name.strip().lower()).first()
    if claimed is None:
        raise Fix(
            "signin.not_claimed", f"{account} has not claimed {name}.", Facts(you_can="let an Account Admin add it")
        )
    if claimed.confirmed_utc is None:
        claimed.confirmed_utc = now_utc()
        try:
            with transaction.atomic():
                claimed.save(update_fields=["confirmed_utc"])
        except IntegrityError as taken:
            raise Fix("signin.domain_taken", f"{claimed.name} is confirmed for another account.") from taken
        record_event(account, actor, "single_sign_on.domain_confirmed", after=claimed.name)


def domain_of(email: str) -> str:
    return email.strip().lower().rpartition("@")[2]


def sso_for(email: str) -> SingleSignOn | None:
    """The switched-on provider that may vouch for this address."""
    claimed = ClaimedDomain.of_all().filter(name=domain_of(email), confirmed_utc__isnull=False).first()
    return SingleSignOn.of(claimed.account_id).filter(is_on=True).first() if claimed else None


def accounts_open_to(user: User, came_by: int | None) -> list[Account]:
    """The accounts a session may act for.

    `came_by` is the account whose provider logged the person in: then that account alone, while its single sign-on is
    on. Otherwise every account of theirs, but for those that take single sign-on only and where they are no admin.
    """
    accounts = accounts_of(user)
    if came_by is not None:
        return list(accounts.filter(pk__in=SingleSignOn.of(came_by).filter(is_on=True).values("account")))
    administered = Member.of_all().filter(user=user, role=Role.ADMIN).values("account")
    closed = SingleSignOn.of_all().filter(is_on=True, is_only_way=True).exclude(account__in=administered)
    return list(accounts.exclude(pk__in=closed.values("account")))


def is_shut_out(user: User, open_to: Iterable[Account]) -> bool:
    """Whether every account of theirs takes single sign-on only; people of no account are not."""
    return not list(open_to) and accounts_of(user).exists()
