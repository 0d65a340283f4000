"""SOSL, which orgsim does not have: its addresses are there and refuse (docs/orgsim/reference.md)."""

from starlette.responses import Response

from orgsim.errors import ApiError
from orgsim.rest.call import Call


def refuse_search(_: Call) -> Response:
    raise ApiError("FUNCTIONALITY_NOT_ENABLED", "Search with SOSL is not enabled in this organization.", status=403)
