"""The one HTTP client of a remote store: connections kept alive, errors as Runline's own, patience where it is safe.

A request is repeated when repeating cannot do it twice: reads, and writes that carry an idempotency key.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from runline.model.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RunEnded,
    RunlineError,
    StoreFull,
    Unauthorized,
    Unavailable,
)

T = TypeVar("T")
Parameters = Mapping[str, Any]
CONNECT_S = 3.0
ANSWER_S = 60.0
_PAUSES_S = (0.1, 0.3, 0.6)
_LONGEST_PAUSE_S = 5.0
_AWAY = frozenset({429, 502, 503, 504})
_KINDS: dict[int, type[RunlineError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    422: Invalid,
    507: StoreFull,
} | dict.fromkeys(_AWAY, Unavailable)
_CONNECTIONS = 64


class _Refusal(msgspec.Struct):
    error: str
    code: str = "error"
    fields: dict[str, str] | None = None


_read_refusal = msgspec.json.Decoder(_Refusal).decode


class Connections:
    """Those of one process to one server, shared by every view of its store."""

    def __init__(self, url: str, *, token: str | None = None) -> None:
        self.url = url
        self._headers = {"accept-encoding": "gzip", "user-agent": "runline"}
        if token:
            self._headers["authorization"] = f"Bearer {token}"
        self._left_to_parent: list[httpx.Client] = []
        self.http = self._made()
        self.busy_until_s = 0.0

    def _made(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url,
            headers=self._headers,
            timeout=httpx.Timeout(ANSWER_S, connect=CONNECT_S),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=_CONNECTIONS),
            # A proxy for the rest of the world is none for a server on this machine.
            trust_env=not is_loopback(self.url),
        )

    def forked(self) -> None:
        """In a forked child: the connections are the parent's, and must not even be closed here."""
        self._left_to_parent.append(self.http)
        self.http = self._made()


class Client:
    """Requests below one base URL. Safe from any thread."""

    def __init__(self, connections: Connections, tenant: str | None = None) -> None:
        self.connections = connections
        self.url = connections.url
        self._always = {} if tenant is None else {"tenant": tenant}

    def narrowed(self, tenant: str) -> Client:
        """The same, asking as one tenant sees it."""
        return Client(self.connections, tenant)

    def close(self) -> None:
        self.connections.http.close()

    def get(
        self,
        path: str,
        answer: type[T],
        params: Parameters | None = None,
        *,
        again: bool = True,
        timeout_s: float | None = None,
    ) -> T:
        """What the server answers, decoded. Raises what the store raises, Unavailable when it cannot be reached."""
        return self._decoded(self.ask("GET", path, params=params, again=again, timeout_s=timeout_s), answer)

    def send(
        self,
        method: str,
        path: str,
        answer: type[T],
        content: Any = None,
        *,
        media: str = "application/json",
        params: Parameters | None = None,
        key: str | None = None,
        again: bool = False,
        timeout_s: float | None = None,
    ) -> T:
        """Hands over a body (bytes, or an iterable or file of them), and decodes the answer."""
        told = self.ask(
            method,
            path,
            content=content,
            media=media,
            params=params,
            key=key,
            again=again,
            timeout_s=timeout_s,
        )
        return self._decoded(told, answer)

    def post(
        self,
        path: str,
        answer: type[T],
        body: Any = None,
        *,
        params: Parameters | None = None,
        key: str | None = None,
    ) -> T:
        """Sends a JSON body; repeated only when an idempotency key makes that safe."""
        content = None if body is None else msgspec.json.encode(body)
        return self.send("POST", path, answer, content, params=params, key=key, again=key is not None)

    def busy_s(self) -> float:
        """How many seconds the server last asked to be left alone for yet."""
        return max(0.0, self.connections.busy_until_s - time.monotonic())

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Parameters | None = None,
        content: Any = None,
        media: str = "application/json",
        key: str | None = None,
        again: bool = False,
        timeout_s: float | None = None,
    ) -> httpx.Response:
        """One request, and when `again` up to three more while the server is away."""
        headers = {} if content is None else {"content-type": media}
        if key is not None:
            headers["idempotency-key"] = key
        pauses = list(_PAUSES_S) if again else []
        while True:
            try:
                answer = self.connections.http.request(
                    method,
                    path,
                    params=flat(params, self._always),
                    content=content,
                    headers=headers,
                    timeout=httpx.USE_CLIENT_DEFAULT if timeout_s is None else timeout_s,
                )
            except httpx.HTTPError as error:
                trouble: RunlineError = self.unreachable(error)
                asked_s = 0.0
            else:
                if answer.is_success:
                    return answer
                trouble = self.refusal(answer.status_code, answer.content)
                if not isinstance(trouble, Unavailable):
                    raise trouble
                asked_s = self._busy(answer)
            if not pauses:
                raise trouble
            time.sleep(max(pauses.pop(0), asked_s))

    @contextmanager
    def stream(
        self, path: str, *, params: Parameters | None = None, media: str, silence_s: float
    ) -> Iterator[httpx.Response]:
        """An answer to be read as it comes; no repetition. `silence_s`: how long it may say nothing."""
        try:
            with self.connections.http.stream(
                "GET",
                path,
                params=flat(params, self._always),
                headers={"accept": media, "accept-encoding": "identity"},
                timeout=httpx.Timeout(silence_s, connect=CONNECT_S),
            ) as answer:
                if not answer.is_success:
                    self._busy(answer)
                    raise self.refusal(answer.status_code, answer.read())
                yield answer
        except httpx.HTTPError as error:
            raise self.unreachable(error) from error

    def _busy(self, answer: httpx.Response) -> float:
        """For how long the server asks to be left alone; kept for `busy_s`."""
        asked_s = min(retry_after_s(answer), _LONGEST_PAUSE_S)
        self.connections.busy_until_s = time.monotonic() + asked_s
        return asked_s

    def refusal(self, status: int, body: bytes) -> RunlineError:
        """The error that an answer tells of."""
        try:
            said = _read_refusal(body)
        except msgspec.MsgspecError:
            said = _Refusal(f"{self.url} answered {status}, and not as a Runline server does.", "no_runline")
        if said.code == RunEnded.code:
            return RunEnded(said.error, fields=said.fields)
        return _KINDS.get(status, RunlineError)(said.error, code=said.code, fields=said.fields)

    def unreachable(self, error: Exception) -> Unavailable:
        slow = isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout)
        if slow:
            return Unavailable(f"{self.url} did not answer in time; try again.", code="timeout")
        reason = str(error) or type(error).__name__
        return Unavailable(
            f"{self.url} cannot be reached ({reason}). Start `runline serve` there, or name another store.",
            code="unreachable",
        )

    def _decoded(self, answer: httpx.Response, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.content, type=kind)
        except msgspec.MsgspecError as error:
            raise Unavailable(
                f"{self.url} answered something else than this version of Runline expects: {error}.",
                code="no_runline",
            ) from error


def flat(*given: Parameters | None) -> list[tuple[str, Any]]:
    """Query parameters as text: None and empty lists left out, a list as a parameter for each of its values."""
    pairs: list[tuple[str, Any]] = []
    for name, value in chain.from_iterable((params or {}).items() for params in given):
        if value is None:
            continue
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        pairs += [(name, _text(one)) for one in values]
    return pairs


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def part(text: str) -> str:
    """A part of a path that holds the text, whatever it is; no proxy and no client shortens `.` and `..`."""
    return quote(text, safe="") if text.strip(".") else text.replace(".", "%2E")


def retry_after_s(answer: httpx.Response) -> float:
    said = answer.headers.get("retry-after", "")
    return float(said) if said.isascii() and said.isdigit() else 0.0


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
