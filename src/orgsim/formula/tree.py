"""The syntax tree of a formula."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Number:
    text: str


@dataclass(frozen=True, slots=True)
class Text:
    value: str


@dataclass(frozen=True, slots=True)
class Truth:
    value: bool


@dataclass(frozen=True, slots=True)
class Null:
    pass


@dataclass(frozen=True, slots=True)
class Reference:
    """`Amount`, `Account.Owner.Name`, `Owner:User.Email`, `$User.Id`."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """Operators are calls too, named by their sign; AND, OR and NOT by their word."""

    name: str
    arguments: tuple["Formula", ...]


Formula = Number | Text | Truth | Null | Reference | Call
