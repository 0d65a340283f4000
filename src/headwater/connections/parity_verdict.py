"""The words that parity is told in: levels, what Headwater uses, what the two orgs are called, how values are shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_LONGEST = 160


class Level(StrEnum):
    """Ordered: the first is the most urgent."""

    MATTERS = "matters"
    WORTH_KNOWING = "worth_knowing"
    COSMETIC = "cosmetic"


@dataclass(frozen=True, slots=True)
class Used:
    """What of an org Headwater uses: fields by object, and the picklist values that rules name, by `Object.Field`."""

    reads: Mapping[str, frozenset[str]]
    writes: Mapping[str, frozenset[str]]
    values: Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Sides:
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """effect: what the difference would do to Headwater. you_can: empty where there is nothing to do."""

    level: Level
    sentence: str
    effect: str
    you_can: str = ""


def shown(value: Any) -> str:
    """A value as people read it, and not longer than a table can bear."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None or value in ("", [], {}):
        return "none"
    if isinstance(value, Mapping):
        value = [name if each.get("active", True) else f"{name} (inactive)" for name, each in sorted(value.items())]
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
