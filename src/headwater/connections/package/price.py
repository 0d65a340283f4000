"""What an installation costs in credits, call by call, before it is begun. Pure."""

from dataclasses import dataclass

from headwater.connections.package.compare import Comparison
from headwater.credits.prices import polls_for
from headwater.salesforce.meter import CallKind

EXPECTED_SECONDS = 10  # of a deployment of some forty components without code; a busy org takes longer


@dataclass(frozen=True, slots=True)
class PricedCall:
    """`is_about`: how often it is made depends on how long the org takes."""

    kind: CallKind
    purpose: str
    calls: int
    is_about: bool = False


def price_of(found: Comparison) -> tuple[PricedCall, ...]:
    if found.is_refused or not found.needs_installation:
        return ()
    look = PricedCall(CallKind.COMPOSITE_DESCRIBE, "look again before anything is sent", 1)
    deploy = (
        PricedCall(CallKind.DEPLOY, "send the files", 1),
        PricedCall(CallKind.DEPLOY, "ask whether the org is done", polls_for(EXPECTED_SECONDS), is_about=True),
        PricedCall(CallKind.COMPOSITE_DESCRIBE, "look what is there now", 1),
    )
    is_assigned = found.version is not None and not found.is_ungranted
    assign = (
        PricedCall(CallKind.INSERT, "assign the permission set", 1),
        PricedCall(CallKind.COMPOSITE_DESCRIBE, "look whether the connected user sees it", 1),
    )
    return (look, *(deploy if found.to_deploy else ()), *(() if is_assigned else assign))


def total_calls(price: tuple[PricedCall, ...]) -> int:
    return sum(each.calls for each in price)
