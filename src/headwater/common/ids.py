"""Salesforce record ids: 15 case-sensitive characters, or the same with a 3-character checksum (facts C.7)."""

import re

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID_15 = re.compile(r"[A-Za-z0-9]{15}")


def to_18(record_id: str) -> str:
    """The 18-character form of an id. Raises ValueError for anything that is not an id or fails its own checksum."""
    body = record_id[:15]
    if len(record_id) not in (15, 18) or not _ID_15.fullmatch(body):
        raise ValueError(f"{record_id!r} is not a Salesforce id: it needs 15 or 18 letters and digits.")
    checksum = "".join(
        _ALPHABET[sum(1 << place for place, letter in enumerate(body[start : start + 5]) if letter.isupper())]
        for start in (0, 5, 10)
    )
    if len(record_id) == 18 and record_id[15:].upper() != checksum:
        raise ValueError(f"{record_id!r} is not a Salesforce id: its last three characters do not fit the others.")
    return body + checksum
