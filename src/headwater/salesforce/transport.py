"""The one place that opens sockets to Salesforce: sends a request, meters it, renews the session, tries again.

Not here: what a request means (rest.py, bulk.py, oauth.py) and who may spend how much (the credits room).
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self

import httpx2
import orjson
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from headwater.common.errors import Bug
from headwater.salesforce.errors import (
    SESSION_EXPIRED_CODES,
    Refusal,
    Transient,
    is_transient,
    read_json,
    read_refusal,
    to_error,
)
from headwater.salesforce.meter import Call, Meter, Outcome, Settlement, client_name, read_limit_info

API_VERSION = "v64.0"
TIMEOUT = httpx2.Timeout(connect=10, read=120, write=120, pool=10)
ATTEMPTS = 5
_CHUNK_BYTES = 1 << 20


@cache
def trusted_authorities() -> ssl.SSLContext:
    """Read once in a process: doing so takes longer than a request on a local network."""
    return httpx2.create_ssl_context()


def _unwatched(_break_off: Callable[[], None]) -> AbstractContextManager[None]:
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Patience:
    """How a caller waits, and keeps its say meanwhile: either may raise, and the request is over.

    sleep      Lets time pass between two attempts.
    watching   Is around the download of a body into a file, and may call what it is given to break that off.
    """

    sleep: Callable[[float], None] = time.sleep
    watching: Callable[[Callable[[], None]], AbstractContextManager[None]] = _unwatched


PATIENT = Patience()


class Tokens(Protocol):
    """Where the access token comes from; renewing must be single-flight (facts A.3)."""

    def access_token(self) -> str: ...

    def renew(self, stale: str) -> str:
        """A token other than `stale`; raises Fix when the grant is dead."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, built once and sent unchanged at every attempt. `doing` names it for people.

    may_repeat       False where a second sending would begin the work a second time, and only the caller can tell.
    is_kept_compressed   Of what is saved to a file: as it comes, without taking it out of its compression first.
    load_from        A file to send as the body, piece by piece.
    refusal_inside   Finds a refusal that hides in a good answer, as a composite's subrequests do (facts C.6).
    let_pass         Codes of refusals that are an answer to the caller, who finds them as `Answer.refusal`.
    """

    method: str
    path: str
    doing: str
    params: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    save_to: Path | None = None
    is_kept_compressed: bool = False
    load_from: Path | None = None
    may_repeat: bool = True
    refusal_inside: "Callable[[Answer], Refusal | None] | None" = None
    let_pass: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that helps the caller.

    json         The body; None where there was none, where it was saved to a file, or refused.
    server_utc   Salesforce's own clock.
    """

    status_code: int
    headers: Mapping[str, str]
    json: Any
    server_utc: datetime
    refusal: Refusal | None = None


class Transport:
    """A session with one org. Every counted request goes through `send`."""

    def __init__(
        self,
        instance_url: str,
        tokens: Tokens,
        meter: Meter,
        *,
        attempts: int = ATTEMPTS,
        patience: Patience = PATIENT,
    ) -> None:
        self._tokens = tokens
        self._meter = meter
        self._client = httpx2.Client(
            base_url=instance_url, timeout=TIMEOUT, follow_redirects=False, verify=trusted_authorities()
        )
        self._attempts = attempts
        self._patience = patience

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, call: Call, request: Request) -> Answer:
        """Send, and again where that may help; each attempt is its own ledger entry.

        Raises Wait (no quota, org's allowance gone, org unreachable) or Fix (refused, log-in dead).
        """
        attempts = Retrying(
            retry=retry_if_exception_type(Transient),
            stop=stop_after_attempt(self._attempts if request.may_repeat else 1),
            wait=wait_random_exponential(multiplier=0.5, max=20),
            sleep=self._patience.sleep,
            reraise=True,
        )
        try:
            return attempts(self._attempt_with_session, call, request)
        except Transient as failure:
            raise failure.as_wait(self._client.base_url.host, request.doing) from failure

    def _attempt_with_session(self, call: Call, request: Request) -> Answer:
        """One attempt; an expired session is renewed once, never more."""
        token = self._tokens.access_token()
        answer = self._attempt(call, request, token)
        if isinstance(answer, Refusal) and answer.error_code in SESSION_EXPIRED_CODES:
            answer = self._attempt(call, request, self._tokens.renew(token))
        if isinstance(answer, Answer):
            inside = request.refusal_inside and request.refusal_inside(answer)
            if not inside:
                return answer
            answer = inside
        if is_transient(answer):
            raise Transient(f"{answer.error_code} {answer.message}".strip(), answer)
        raise to_error(answer, request.doing)

    def _attempt(self, call: Call, request: Request, token: str) -> Answer | Refusal:
        entry = self._meter.reserve(call)
        try:
            answer, settlement = self._exchange(request, token, entry)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            self._meter.settle(entry, Settlement(Outcome.NOT_SENT))
            raise Transient(f"no connection ({error})") from error
        except httpx2.TransportError as error:
            self._meter.settle(entry, Settlement(Outcome.LOST))
            raise Transient(f"the connection broke ({type(error).__name__})") from error
        self._meter.settle(entry, settlement)
        return answer

    def _exchange(self, request: Request, token: str, entry: int) -> tuple[Answer | Refusal, Settlement]:
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept-Encoding": "gzip",
            "Sforce-Call-Options": f"client={client_name(entry)}",
            **request.headers,
        }
        if request.json is not None:
            headers["Content-Type"] = "application/json"
        with (
            _body(request) as content,
            self._client.stream(
                request.method, request.path, params=dict(request.params), content=content, headers=headers
            ) as response,
        ):
            usage = read_limit_info(response.headers.get("Sforce-Limit-Info"))
            if response.is_success:
                answered = Settlement(Outcome.ANSWERED, response.status_code, usage)
                with self._settled_if_left(entry, answered):
                    told = self._receive(response, request)
                return Answer(response.status_code, response.headers, told, _server_time(response.headers)), answered
            refusal = read_refusal(response.status_code, response.read(), response.headers.get("X-SFDC-Request-Id", ""))
            refused = Settlement(Outcome.REFUSED, response.status_code, usage)
            if refusal.error_code not in request.let_pass:
                return refusal, refused
            server_utc = _server_time(response.headers)
            return Answer(response.status_code, response.headers, None, server_utc, refusal), refused

    @contextmanager
    def _settled_if_left(self, entry: int, answered: Settlement) -> Iterator[None]:
        """Whoever leaves in the middle of an answer has had its call counted by the org all the same."""
        try:
            yield
        except httpx2.TransportError:
            raise
        except BaseException:
            self._meter.settle(entry, answered)
            raise

    def _receive(self, response: httpx2.Response, request: Request) -> Any:
        if request.save_to is None:
            return read_json(response.read())
        pieces = response.iter_raw if request.is_kept_compressed else response.iter_bytes
        request.save_to.unlink(
            missing_ok=True
        )  # whoever reads what came of the attempt before sees that this is another
        with self._patience.watching(lambda: _break_off(response)), request.save_to.open("wb") as file:
            for piece in pieces(_CHUNK_BYTES):
                file.write(piece)
        return None


def _break_off(response: httpx2.Response) -> None:
    """Whoever reads from it, in another thread, meets the end at once, even while nothing comes."""
    connection = response.extensions["network_stream"].get_extra_info("socket")
    with suppress(OSError):  # it has ended by itself
        socket.socket.shutdown(connection, socket.SHUT_RDWR)  # not TLS's own, which is no business of another thread


@contextmanager
def _body(request: Request) -> Iterator[bytes | BinaryIO | None]:
    if request.load_from is not None:
        with request.load_from.open("rb") as file:
            yield file
    else:
        yield orjson.dumps(request.json) if request.json is not None else request.content


def _server_time(headers: Mapping[str, str]) -> datetime:
    """Salesforce's own clock (facts C.1): cursors never come from ours."""
    text = headers.get("Date")
    if text is None:
        raise Bug("salesforce.no_date", "Salesforce answered without a Date header.")
    return parsedate_to_datetime(text)
