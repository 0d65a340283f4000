"""OAuth's own refusals: an object with `error` and `error_description` (facts A.5)."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from orgsim.exchange import json_response


@dataclass(slots=True)
class OAuthError(Exception):
    error: str
    description: str
    status: int = 400

    def __str__(self) -> str:
        return f"{self.error}: {self.description}"

    def response(self) -> Response:
        return json_response({"error": self.error, "error_description": self.description}, self.status)

    def query(self) -> str:
        return urlencode({"error": self.error, "error_description": self.description})


def expired_token() -> OAuthError:
    return OAuthError("invalid_grant", "expired access/refresh token")
