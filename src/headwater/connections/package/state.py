"""What of the package is in the account's org: asked for one credit, and kept for pages that spend none.

Not here: what is compared (compare.py) and changing it (install.py).
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from headwater.accounts.models import Account
from headwater.common.clock import now_utc
from headwater.connections.models import PackageCheck
from headwater.connections.package.compare import Change, Comparison, Component, PackageState, compare
from headwater.connections.package.definition import ADMINISTRATOR, VERSION
from headwater.connections.package.seen import Seen, look
from headwater.connections.services import connection_of, session
from headwater.connections.tokens import not_connected
from headwater.salesforce.rest import Org
from headwater.salesforce.transport import Transport

INSTALLING = "package.install"
SEEN_FOR = timedelta(hours=24)
_NAMED = 5


@dataclass(frozen=True, slots=True)
class Checked:
    """What the org showed, and when."""

    comparison: Comparison
    checked_utc: datetime


def installed(account: Account) -> Comparison:
    """Ask the org what of the package is there. One credit."""
    with session(account, job_kind=INSTALLING) as transport:
        return installed_in(transport, account)


def installed_in(transport: Transport, account: Account) -> Comparison:
    """The same, in a session that is open already."""
    return look_and_keep(transport, account)[1]


def look_and_keep(transport: Transport, account: Account) -> tuple[Seen, Comparison]:
    row = connection_of(account)
    if row is None:
        raise not_connected()
    seen = look(Org(transport), row.user_id)
    comparison = compare(seen)
    kept = {"org_id": row.org_id, "user_id": row.user_id, "checked_utc": now_utc(), "found": asdict(comparison)}
    PackageCheck.of(account).update_or_create(account=account, defaults=kept)
    return seen, comparison


def last_check(account: Account) -> Checked | None:
    """What the connected user was shown last, if anything; another user or org has not been asked yet."""
    row = connection_of(account)
    mine = row and PackageCheck.of(account).filter(org_id=row.org_id, user_id=row.user_id)
    kept = mine.first() if mine else None
    return Checked(_comparison(kept.found), kept.checked_utc) if kept else None


def seen_complete(account: Account) -> bool:
    """Whether the connected user was shown the whole package within a day: then nobody needs to look again."""
    checked = last_check(account)
    return checked is not None and checked.comparison.is_complete and checked.checked_utc > now_utc() - SEEN_FOR


def _comparison(kept: dict[str, Any]) -> Comparison:
    components = (
        Component(**{**each, "change": Change(each["change"]), "details": tuple(each["details"])})
        for each in kept["components"]
    )
    told = {
        "state": PackageState(kept["state"]),
        "components": tuple(components),
        "missing": tuple(kept["missing"]),
        "left_alone": tuple(kept["left_alone"]),
    }
    return Comparison(**{**kept, **told})


def why_missing(found: Comparison) -> str:
    """For whoever reads a message about a package that cannot be written to."""
    if found.is_ungranted:
        return f"It is in the org, and the connected user does not have the permission set {ADMINISTRATOR.label}."
    named = ", ".join(found.missing[:_NAMED])
    further = f" and {len(found.missing) - _NAMED} more" if len(found.missing) > _NAMED else ""
    older = (
        f" The org has version {found.version} of the package, this Headwater has {VERSION}."
        if (found.state is PackageState.OLDER)
        else ""
    )
    return f"Missing, or hidden from the connected user: {named}{further}.{older}"
