"""One HTTP request, already received, and the JSON answers to it. Handlers are plain functions over these."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import IO, Any
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import Headers, QueryParams
from starlette.responses import Response

from orgsim.background import Background
from orgsim.errors import ApiError
from orgsim.store.state import State

PRODUCTION_DOOR = "production"
SANDBOX_DOOR = "sandbox"


@dataclass(slots=True)
class Delivery:
    """How an answer is to be sent: not before `wait_seconds`, and with `when_sent` called after it, sent or failed.

    `spoiled` names what befalls its body (server/delivery.py), for which `drip_seconds` is the time.
    """

    wait_seconds: float = 0.0
    spoiled: str = ""
    drip_seconds: float = 0.0
    when_sent: list[Callable[[], None]] = field(default_factory=list)

    def spoil(self, how: str, seconds: float) -> None:
        self.spoiled, self.drip_seconds = how, seconds

    def end(self) -> None:
        while self.when_sent:
            self.when_sent.pop()()


@dataclass(frozen=True, slots=True)
class Exchange:
    """`base_url` is scheme://host:port as the client wrote it; `door` says which port it came in by."""

    state: State
    background: Background
    door: str
    base_url: str
    method: str
    path: str
    query: QueryParams
    headers: Headers
    content: IO[bytes]
    client_host: str = ""
    path_params: dict[str, Any] = field(default_factory=dict)
    delivery: Delivery = field(default_factory=Delivery)

    @property
    def body(self) -> bytes:
        """The content as a whole, for all that is not an upload."""
        self.content.seek(0)
        return self.content.read()

    def form(self) -> dict[str, str]:
        """Fields of a form-urlencoded body."""
        return dict(parse_qsl(self.body.decode("utf-8", errors="replace"), keep_blank_values=True))

    def json(self) -> Any:
        """The body as JSON. Raises ApiError JSON_PARSER_ERROR."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise ApiError("JSON_PARSER_ERROR", f"{error} at [line:{error.lineno}, column:{error.colno}]") from error

    def json_object(self) -> dict[str, Any]:
        value = self.json()
        if not isinstance(value, dict):
            raise ApiError("JSON_PARSER_ERROR", "The HTTP entity body must be a JSON object at [line:1, column:1]")
        return value

    def with_params(self, path_params: dict[str, Any]) -> "Exchange":
        return replace(self, path_params=path_params)


def json_response(value: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return json_text_response(orjson.dumps(value), status, headers)


def json_text_response(text: bytes | str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    response = Response(text, status_code=status, headers=headers)
    response.headers["Content-Type"] = "application/json;charset=UTF-8"
    return response


def empty_response(status: int = 204) -> Response:
    return Response(status_code=status)


def refusal(error: ApiError) -> Response:
    """The REST list form."""
    return json_response([each.as_rest() for each in error.all()], error.status)
