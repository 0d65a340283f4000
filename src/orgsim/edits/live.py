"""A stream of believable edits at a rate, one transaction each, as people's work reaches an org over a day."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from orgsim.clock import machine_seconds
from orgsim.edits.everyday import (
    FreshHand,
    convert_one,
    create_one,
    delete_one,
    merge_one,
    succeeds,
    undelete_one,
    update_one,
)
from orgsim.store.write import Writer

_DEEDS = {
    "creates": create_one,
    "updates": update_one,
    "deletes": delete_one,
    "undeletes": undelete_one,
    "merges": merge_one,
    "conversions": convert_one,
}


@dataclass(frozen=True, slots=True)
class Mix:
    """How often each deed comes, in proportion to the others."""

    creates: int = 25
    updates: int = 57
    deletes: int = 6
    undeletes: int = 3
    merges: int = 3
    conversions: int = 6


@dataclass(frozen=True, slots=True)
class LivePlan:
    """`seconds` (real ones, whatever the clock shows) and `edits` end it; without them it goes on until stopped."""

    per_minute: float
    mix: Mix = Mix()
    seed: int = 0
    seconds: float | None = None
    edits: int | None = None


@dataclass(frozen=True, slots=True)
class LiveReport:
    """`refused` were not possible, such as undeleting when the recycle bin is empty."""

    creates: int = 0
    updates: int = 0
    deletes: int = 0
    undeletes: int = 0
    merges: int = 0
    conversions: int = 0
    refused: int = 0


def live_edits(writer: Writer, plan: LivePlan, stop: threading.Event) -> LiveReport:
    """The same seed on an org nobody else changes gives the same edits."""
    hand = FreshHand(writer, plan.seed)
    names, weights = zip(*asdict(plan.mix).items(), strict=True)
    done: Counter[str] = Counter()
    begun = machine_seconds()
    for due_seconds in _moments(plan):
        if stop.wait(max(0.0, begun + due_seconds - machine_seconds())):
            break
        [name] = hand.dice.choices(names, weights)
        done[name if succeeds(hand, _DEEDS[name]) else "refused"] += 1
    return LiveReport(**done)


def _moments(plan: LivePlan) -> Iterator[float]:
    """Seconds from the start, by chance as people's edits come: bursts and pauses around the rate."""
    dice = random.Random(plan.seed)  # noqa: S311  repeatable on purpose
    moment, made = 0.0, 0
    while plan.edits is None or made < plan.edits:
        moment += dice.expovariate(plan.per_minute / 60)
        if plan.seconds is not None and moment > plan.seconds:
            return
        yield moment
        made += 1
