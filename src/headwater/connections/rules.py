"""Which org an account may be connected to: one at a time, a test org first, production for good (rows A7 to A9).

Pure: what is known goes in, a verdict or a Fix comes out. Not here: asking the org and storing (services.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from headwater.common.errors import Facts, Fix

PRODUCTION = "production"


@dataclass(frozen=True, slots=True)
class KnownAs:
    """An org by what it says of itself: `kind` is production, sandbox, scratch, trial or developer (facts A.8)."""

    id: str
    name: str
    kind: str

    @property
    def is_production(self) -> bool:
        return self.kind == PRODUCTION

    def __str__(self) -> str:
        """A sandbox often has its production's name: kind and id are told."""
        return f"{self.name} ({self.kind}, {self.id})"


class Verdict(Enum):
    NEW = "new"  # to be confirmed by a person first
    AGAIN = "again"  # the org that is connected already, by whichever of its users


def admit(current: KnownAs | None, *, is_leaving: bool, past: Sequence[KnownAs], arriving: KnownAs) -> Verdict:
    """May `arriving` be connected? Raises Fix with the reason and the way out, and then nothing is to change.

    current      The confirmed org of the account, if there is one; `is_leaving` while it is being deleted.
    past         Every org that was ever confirmed for the account.
    """
    if is_leaving and current is not None:
        raise deletion_in_progress(current)
    if current is not None and current.id == arriving.id:
        return Verdict.AGAIN
    if current is not None:
        raise _second_org(current, arriving)
    production = next((each for each in past if each.is_production), None)
    if production is not None and production.id != arriving.id:
        raise _production_for_good(production, arriving)
    return Verdict.NEW


def deletion_in_progress(current: KnownAs) -> Fix:
    return Fix(
        "connections.deletion_in_progress",
        f"What was read from {current} is being deleted.",
        Facts(
            left="Nothing was changed.",
            next="The connection disappears when the deletion is done.",
            you_can="follow it in Settings > Connections, and connect then",
        ),
    )


def _second_org(current: KnownAs, arriving: KnownAs) -> Fix:
    return Fix(
        "connections.second_org",
        f"This account is connected to {current} already.",
        Facts(
            why=f"An account reads exactly one org; {arriving} would be a second.{_if_refreshed(current, arriving)}",
            left="The connection stays as it was.",
            you_can=_way_out(current, arriving),
        ),
    )


def _if_refreshed(current: KnownAs, arriving: KnownAs) -> str:
    """Refreshing a sandbox gives it a new org id and ends its tokens (facts A.8)."""
    if current.is_production or current.kind != arriving.kind:
        return ""
    return f" If {current.name} was refreshed or made anew, it is another org since: the old id is gone for good."


def _way_out(current: KnownAs, arriving: KnownAs) -> str:
    if current.is_production:
        return f"connect {arriving} in an account of its own: production stays for good"
    return f"delete the connection to {current} first (the bin in Settings > Connections), then connect {arriving}"


def _production_for_good(production: KnownAs, arriving: KnownAs) -> Fix:
    why = "once an account has been on production it never goes back to a test org"
    if arriving.is_production:
        why = "an account has one production org in its life"
    return Fix(
        "connections.production_for_good",
        f"This account has been connected to {production}, and {arriving} is not that org.",
        Facts(
            why=f"Results of different orgs must not mix: {why}.",
            left="Nothing was changed.",
            you_can=f"log in to {production.name} again, or connect {arriving} in an account of its own",
        ),
    )
