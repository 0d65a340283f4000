"""Reads an org's own log-in address, My Domain, out of whatever a person pastes; never leads to a foreign host.

Pure: nothing is asked. Not here: the general log-in addresses (services.login_url_for).
"""

import re
from urllib.parse import SplitResult, urlsplit

from headwater.common.errors import Facts, Fix

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# The kinds of org that have a label of their own in the host name (facts A.1).
_PARTITIONS = "sandbox|develop|scratch|trailblaze|demo|patch|free"
# The same org under the names that its pages have: Lightning, Setup, Visualforce.
_ENDINGS = {
    "my.salesforce.com": "",
    "lightning.force.com": "",
    "my.salesforce-setup.com": "",
    "vf.force.com": "--c",
}
_NAME_MAX_CHARACTERS = 63
_HOST = re.compile(
    rf"(?P<name>{_LABEL})(?:\.(?P<partition>{_PARTITIONS}))?\.(?P<ending>{'|'.join(map(re.escape, _ENDINGS))})"
)
_GENERAL = {"login.salesforce.com": "Production", "test.salesforce.com": "Sandbox"}
_SHOWN_CHARACTERS = 80


def my_domain_url(typed: str) -> str:
    """`https://<host>` of an org's My Domain. Raises Fix `connections.bad_my_domain`, which says what to enter."""
    address = _split(typed)
    host = (address.hostname or "").lower() if address else ""
    if address is None or not host.isascii():
        raise _refused(typed, "It is no address of a web page.")
    if address.username is not None or address.password is not None:
        raise _refused(typed, "It holds a user name or a password, which can hide where it really leads.")
    if _port_of(address) not in (None, 443):
        raise _refused(typed, "It names a port, and Salesforce answers at the usual one alone.")
    if host in _GENERAL:
        raise _refused(typed, "Every org shares this one.", f"choose {_GENERAL[host]} instead of My Domain")
    found = _HOST.fullmatch(host)
    name = _own_name(found) if found else ""
    if found is None or not name:
        raise _refused(typed, "Its host name is not that of one Salesforce org.", _suggestion(host))
    middle = f".{found['partition']}" if found["partition"] else ""
    return f"https://{name}{middle}.my.salesforce.com"


def _split(typed: str) -> SplitResult | None:
    """None for what a browser might read otherwise than we do: blanks, backslashes, control characters, schemes."""
    text = typed.strip(" \t\r\n")
    if not text or re.search(r"[\s\\\x00-\x1f\x7f]", text):
        return None
    try:
        address = urlsplit(text if "://" in text else f"https://{text}")
        address.port  # noqa: B018 - raises ValueError for a port that is no number
    except ValueError:
        return None
    return address if address.scheme in ("http", "https") else None


def _port_of(address: SplitResult) -> int | None:
    if address.netloc.rpartition("@")[2].endswith(":"):
        return -1  # a colon and nothing behind it
    return address.port


def _own_name(found: re.Match[str]) -> str:
    """The org's part of the host name; empty where the page is none of the org's own, or the name is punycode."""
    name, suffix = found["name"], _ENDINGS[found["ending"]]
    own = name.removesuffix(suffix) if name.endswith(suffix) else ""
    well_formed = re.fullmatch(_LABEL, own) and len(own) <= _NAME_MAX_CHARACTERS and not own.startswith("xn--")
    return own if well_formed else ""


def _suggestion(host: str) -> str:
    label = host.partition(".")[0]
    likely = re.fullmatch(_LABEL, label) and not label.startswith("xn--") and host in (label, f"{label}.salesforce.com")
    return f"if this is the org's name, enter {label}.my.salesforce.com" if likely else ""


def _refused(typed: str, why: str, hint: str = "") -> Fix:
    usual = "enter it as in Setup > My Domain (Current My Domain URL): acme.my.salesforce.com"
    return Fix(
        "connections.bad_my_domain",
        f"“{typed.strip()[:_SHOWN_CHARACTERS]}” is not a My Domain address.",
        Facts(why=why, left="Nothing was changed.", you_can=f"{hint}; or {usual}" if hint else usual),
    )
