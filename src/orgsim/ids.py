"""Salesforce record ids: a 3-character key prefix, 12 base-62 characters, a 3-character checksum (facts C.7)."""

import string
from functools import lru_cache

_BASE_62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_CHECKSUM = string.ascii_uppercase + "012345"
_ID_CHARACTERS = frozenset(_BASE_62)
_CAPITALS = str.maketrans(_BASE_62, "0" * 10 + "1" * 26 + "0" * 26)
_INSTANCE = "5g0"  # stands where a real id names the pod it was made on


def checksum_of(body: str) -> str:
    """The three characters that let a case-insensitive tool keep a 15-character id apart from its look-alikes."""
    bits = body[::-1].translate(_CAPITALS)
    return _CHECKSUM[int(bits[10:], 2)] + _CHECKSUM[int(bits[5:10], 2)] + _CHECKSUM[int(bits[:5], 2)]


def is_id(text: str) -> bool:
    if len(text) not in (15, 18) or not _ID_CHARACTERS.issuperset(text):
        return False
    return len(text) == 15 or text[15:] == checksum_of(text[:15])


@lru_cache(maxsize=10_000)  # the same few users and parents stand in row after row
def to_18(text: str) -> str:
    """The 18-character form. Raises ValueError for anything that is not an id or whose checksum does not fit."""
    if not is_id(text):
        raise ValueError(f"{text!r} is not a Salesforce id.")
    return text if len(text) == 18 else text + checksum_of(text)


def make_id(key_prefix: str, number: int) -> str:
    """The id of the `number`-th record under a key prefix, counted from 0."""
    digits = []
    while number:
        number, digit = divmod(number, 62)
        digits.append(_BASE_62[digit])
    body = key_prefix + _INSTANCE + "".join(reversed(digits)).rjust(9, "0")
    return body + checksum_of(body)


def number_of(record_id: str) -> int:
    """Which record under its key prefix an id is: the reverse of `make_id`."""
    number = 0
    for letter in record_id[6:15]:
        number = number * 62 + _BASE_62.index(letter)
    return number
