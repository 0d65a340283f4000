"""Names of companies and people in the generator's world, and the addresses that follow from them."""

import math
import unicodedata
from dataclasses import dataclass, field
from functools import cache

from orgsim.seeding.dice import Dice
from orgsim.seeding.lexicon.names import FREE_MAIL, LOCALES, PLACES, QUALIFIERS, STEMS, Place
from orgsim.seeding.lexicon.selling import INDUSTRIES

_SPELT_OUT = str.maketrans({"ß": "ss", "ø": "oe", "ł": "l", "þ": "th", "ä": "ae", "ö": "oe", "ü": "ue"})
_PLACES_BY_LIKELIHOOD = PLACES + PLACES[:10] * 3 + PLACES[12:14] * 2 + PLACES[16:18] * 2


@cache
def ascii_slug(word: str) -> str:
    """Lower-case ASCII letters and digits only, as a mailbox or host name would have it."""
    plain = unicodedata.normalize("NFKD", word.lower().translate(_SPELT_OUT)).encode("ascii", "ignore").decode()
    return "".join(letter for letter in plain if letter.isalnum())


@dataclass(slots=True)
class Company:
    name: str
    domain: str
    place: Place
    industry: str
    employees: int
    mailbox_style: int
    mailboxes: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a person is called and how they write; the domain is the company's unless they use free mail."""

    first: str | None
    last: str
    email: str | None

    @property
    def full_name(self) -> str:
        return f"{self.first} {self.last}" if self.first else self.last


class CompanyRegister:
    """Hands out companies no two of which share a domain, without remembering those handed out."""

    def __init__(self, dice: Dice) -> None:
        self._dice = dice
        self._founded = dict.fromkeys(LOCALES, 0)
        self._offset = dice.between(0, 100_000)

    def found(self) -> Company:
        dice = self._dice
        place = dice.pick(_PLACES_BY_LIKELIHOOD)
        words = self._next_words(place.locale)
        slug = "".join(map(ascii_slug, words))
        return Company(
            name=self._dress(words, place.locale),
            domain=slug + dice.pick(place.domains),
            place=place,
            industry=dice.pick(INDUSTRIES),
            employees=max(3, int(dice.log_normal(140, 1.5))),
            mailbox_style=dice.between(0, 2),
        )

    def _next_words(self, locale: str) -> tuple[str, ...]:
        """Walk all (stem, trade) pairs of the language area in a scattered order, then again with a qualifier."""
        stems, trades = _stems(locale), LOCALES[locale].trades
        lap, step = divmod(self._founded[locale], len(stems) * len(trades))
        self._founded[locale] += 1
        at = (step * _stride(len(stems) * len(trades)) + self._offset) % (len(stems) * len(trades))
        stem, trade = stems[at // len(trades)], trades[at % len(trades)]
        if lap == 0:
            return stem, trade
        further, which = divmod(lap - 1, len(QUALIFIERS))
        return (stem, QUALIFIERS[which], trade, str(further + 1)) if further else (stem, QUALIFIERS[which], trade)

    def _dress(self, words: tuple[str, ...], locale: str) -> str:
        """Commas, quotes and legal forms belong to the name and never reach the domain."""
        style = self._dice.random()
        if style < 0.02:
            return f'"{words[0]}" {" ".join(words[1:])}'
        if style < 0.04:
            return f"{words[0]}, {' '.join(words[1:])} & Co."
        return " ".join(words) + self._dice.pick(LOCALES[locale].legal)


@cache
def _stems(locale: str) -> tuple[str, ...]:
    return STEMS + LOCALES[locale].family


@cache
def _stride(size: int) -> int:
    """A step near the golden ratio of `size` and coprime to it: every place is met once before any repeats."""
    step = int(size * 0.618)
    while math.gcd(step, size) != 1:
        step += 1
    return step


def introduce(dice: Dice, company: Company, free_mail_share: float, no_mail_share: float) -> Identity:
    """A new person of the company; addresses inside one company never repeat by chance."""
    locale = LOCALES[company.place.locale if dice.random() < 0.85 else dice.pick(tuple(LOCALES))]
    first, last = dice.pick(locale.given), dice.pick(locale.family)
    draw = dice.random()
    if draw < no_mail_share:
        return Identity(first, last, None)
    if draw < no_mail_share + free_mail_share:
        mailbox = f"{ascii_slug(first)}.{ascii_slug(last)}{dice.between(1, 99_999)}"
        return Identity(first, last, f"{mailbox}@{dice.pick(FREE_MAIL)}")
    shown = first if dice.random() > 0.01 else None
    return Identity(shown, last, f"{_mailbox(company, ascii_slug(first), ascii_slug(last))}@{company.domain}")


def _mailbox(company: Company, first: str, last: str) -> str:
    wanted = (f"{first}.{last}", f"{first[:1]}{last}", f"{first}_{last}")[company.mailbox_style]
    mailbox, number = wanted, 1
    while mailbox in company.mailboxes:
        number += 1
        mailbox = f"{wanted}{number}"
    company.mailboxes.add(mailbox)
    return mailbox


def telephone(dice: Dice, place: Place) -> str:
    return f"{place.dial} {dice.between(200, 999)} {dice.between(1000, 9999)}"
