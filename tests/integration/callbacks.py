"""Reads the address that an org sends a browser back to."""

from urllib.parse import parse_qs, urlsplit

from headwater.connections.services import Callback

REDIRECT_URI = "http://127.0.0.1:8000/settings/connections/callback/"


def callback_of(location: str) -> Callback:
    assert urlsplit(location).path == urlsplit(REDIRECT_URI).path
    query = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    return Callback(
        state=query.get("state", ""),
        code=query.get("code", ""),
        error=query.get("error", ""),
        error_description=query.get("error_description", ""),
    )
