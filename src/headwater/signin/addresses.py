"""Where a provider may stand: its words are trusted because of TLS, so it must have it.

Not here: what is asked there.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from headwater.common.errors import Facts, Fix

TIMEOUT_SECONDS = 10


def require_secure(address: str) -> str:
    """The address, where it is https or on this machine itself. Error: Fix `signin.insecure_address`."""
    parts = urlsplit(address.strip())
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts.hostname))):
        return address.strip()
    raise Fix(
        "signin.insecure_address",
        "The provider's address must begin with https://",
        Facts(why=f"“{address.strip()}” is not one that can be trusted.", left="Nothing was changed."),
    )


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
