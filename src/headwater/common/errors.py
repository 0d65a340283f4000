"""The four kinds of error, sorted by what to do next.

HeadwaterError
├── Wait   nothing is wrong that time will not mend: try again at `retry_utc`
├── Fix    a person must change something: a permission, a setting, a password
├── Skip   this record only; the rest goes on
└── Bug    ours: the assumption named in the message does not hold

A message says what happened, why, what is left behind, what happens next and what the reader can do. Never a secret.
Every `code` has its section in docs/reference/errors.md (a test compares them).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message tells beside its first sentence; an empty part is not printed."""

    why: str = ""
    left: str = ""
    next: str = ""
    you_can: str = ""


NO_FACTS = Facts()


class HeadwaterError(Exception):
    """Root of our errors. `code` is stable (`room.name`), `sentence` is for a marketer, `facts` for who must act."""

    def __init__(self, code: str, sentence: str, facts: Facts = NO_FACTS) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.facts = facts

    def lines(self) -> Iterable[tuple[str, str]]:
        """(label, text) of each fact that is known, in the order in which people read them."""
        for label, text in (
            ("Why", self.facts.why),
            ("Left", self.facts.left),
            ("Next", self.facts.next),
            ("You can", self.facts.you_can),
        ):
            if text:
                yield label, text

    def __str__(self) -> str:
        rows = "".join(f"\n  {label:<8} {text}" for label, text in self.lines())
        return f"{self.code}  {self.sentence}{rows}"


class Wait(HeadwaterError):
    """Try again at `retry_utc` (timezone-aware)."""

    def __init__(self, code: str, sentence: str, *, retry_utc: datetime, facts: Facts = NO_FACTS) -> None:
        super().__init__(code, sentence, facts)
        self.retry_utc = retry_utc


class Fix(HeadwaterError):
    """A person must change something before trying again makes sense."""


class Skip(HeadwaterError):
    """This record cannot go through; the others can."""


class Bug(HeadwaterError):
    """An assumption of our own code does not hold."""
