"""The REST API at /api/v1/: who asks, by which key, and our errors as problems (docs/reference/api.md).

Not here: what an operation does (endpoints.py, credits.py). A browser's session is not accepted, so no foreign page
can use it.
"""

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError
from ninja.security import HttpBearer

from headwater.accounts.api_keys import find_key
from headwater.accounts.models import ApiKey
from headwater.api import credits, fields, replica
from headwater.api.endpoints import router
from headwater.api.shapes import Problem
from headwater.common.clock import now_utc
from headwater.common.errors import Facts, Fix, HeadwaterError, Wait

_FORBIDDEN, _NOT_FOUND = {"api.admin_key_needed"}, {"api.not_found"}


class KeyOfAccount(HttpBearer):
    """`Authorization: Bearer hw_…`; the key decides which account is meant."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiKey | None:  # noqa: ARG002 - ninja's shape
        return find_key(token)


api = NinjaAPI(
    title="Headwater",
    version="1",
    description="What the pages show and do, for programmes. Keys: Settings > Security > API keys.",
    auth=KeyOfAccount(),
    docs_url=None,  # its page runs inline scripts, which the content security policy forbids
    urls_namespace="api",
)
api.add_router("", router)
api.add_router("/credits", credits.router)
api.add_router("/fields", fields.router)
api.add_router("/replica", replica.router)


@api.exception_handler(AuthenticationError)
def unknown_key(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    told = Fix(
        "api.key_needed",
        "This needs an API key that works.",
        Facts(
            why="None was sent, or it is unknown, expired or revoked.",
            you_can="send Authorization: Bearer hw_…; an Account Admin makes keys in Settings > Security > API keys",
        ),
    )
    response = _answer(request, told, 401)
    response.headers["WWW-Authenticate"] = 'Bearer realm="Headwater"'
    return response


@api.exception_handler(ValidationError)
def not_understood(request: HttpRequest, error: ValidationError) -> HttpResponse:
    why = "; ".join(f"{'.'.join(str(part) for part in each['loc'][1:])}: {each['msg']}" for each in error.errors)
    told = Fix("api.bad_request", "The request was not understood.", Facts(why=why, left="Nothing was changed."))
    return _answer(request, told, 422)


@api.exception_handler(Fix)
def to_be_mended(request: HttpRequest, error: Fix) -> HttpResponse:
    status = 403 if error.code in _FORBIDDEN else 404 if error.code in _NOT_FOUND else 409
    return _answer(request, error, status)


@api.exception_handler(Wait)
def to_be_waited_for(request: HttpRequest, error: Wait) -> HttpResponse:
    response = _answer(request, error, 503)
    response.headers["Retry-After"] = str(max(1, round((error.retry_utc - now_utc()).total_seconds())))
    return response


def _answer(request: HttpRequest, error: HeadwaterError, status: int) -> HttpResponse:
    facts = error.facts
    problem = Problem(
        code=error.code, sentence=error.sentence, why=facts.why, left=facts.left, next=facts.next, you_can=facts.you_can
    )
    response = api.create_response(request, problem.model_dump(), status=status)
    response.headers["Content-Type"] = "application/problem+json"
    return response
