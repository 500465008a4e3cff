"""What a route is: one declaration that the gate checks, the handler gets and the OpenAPI document tells."""

from __future__ import annotations

import functools
import inspect
import operator
import re
import typing
from collections.abc import Callable, Iterable
from typing import Any, Literal, TypeVar

import litestar
from litestar import Request
from litestar.handlers import BaseRouteHandler
from litestar.handlers.http_handlers.base import HTTPRouteHandler
from litestar.params import FromPath, RawBody
from msgspec import Struct

from runline.server.scope import ADMISSION
from runline.server.threads import in_thread

Scope = Literal["public", "any", "read", "ingest", "operate", "admin"]
"""`public`: without a token too; `any`: with any token."""
JSON = "application/json"
NDJSON = "application/x-ndjson"
SSE = "text/event-stream"
_OPT = "route"
ADMITTED = frozenset({"store", "given", "caller", "server"})
_PATH_NAME = re.compile(r"\{(\w+):")
F = TypeVar("F", bound=Callable[..., Any])


class Route(Struct, frozen=True, kw_only=True):
    """One method on one path. `answers` maps a media type to the struct (or None: not JSON) of its body."""

    method: str
    path: str
    name: str
    """Of the handler: what generated clients call it."""
    scope: Scope
    summary: str
    description: str
    """The handler's docstring, Markdown."""
    tag: str
    status: int
    query: type[Struct] | None
    body: Any
    """The type of the request's JSON body; None: it has none, or one that is not JSON."""
    body_required: bool
    consumes: tuple[str, ...]
    """Media types of the body; `*/*`: any, which only methods that browsers ask permission for may take."""
    answers: dict[str, Any]
    errors: tuple[int, ...]
    tenants: bool
    """Takes `tenant=` to narrow the answer, as every route of one run does."""
    headers: dict[str, str]
    """Request headers that count, with what they mean."""
    max_bytes: int | None
    """Of the body; None: the server's limit for requests."""
    head: bool
    """HEAD is answered too; not where a GET is used up, or makes a file."""
    streams: bool
    """The handler reads the body itself, piece by piece."""


def route_of(handler: BaseRouteHandler) -> Route | None:
    """What was declared for the handler; None for one that nobody declared, which the gate refuses."""
    found = handler.opt.get(_OPT)
    return found if isinstance(found, Route) else None


def _declared(
    method: str,
    path: str,
    *,
    scope: Scope,
    summary: str,
    tag: str,
    status: int = 200,
    query: type[Struct] | None = None,
    body: Any = None,
    body_required: bool = True,
    consumes: Iterable[str] = (JSON,),
    answer: Any = None,
    answers: dict[str, Any] | None = None,
    errors: Iterable[int] = (),
    tenants: bool = False,
    headers: dict[str, str] | None = None,
    max_bytes: int | None = None,
    head: bool = True,
    streams: bool = False,
) -> Callable[[F], HTTPRouteHandler]:
    partly = functools.partial(
        Route,
        method=method,
        path=path,
        scope=scope,
        summary=summary,
        tag=tag,
        status=status,
        query=query,
        body=body,
        body_required=body_required,
        consumes=tuple(consumes),
        answers=({} if answer is None else {JSON: answer}) if answers is None else answers,
        errors=tuple(errors),
        tenants=tenants or "{run_id" in path,
        headers=headers or {},
        max_bytes=max_bytes,
        head=head,
        streams=streams,
    )
    make = getattr(litestar, method.lower())

    def wrap(handler: F) -> HTTPRouteHandler:
        route = partly(name=handler.__name__, description=inspect.cleandoc(handler.__doc__ or ""))
        made: HTTPRouteHandler = make(
            path, opt={_OPT: route}, status_code=status, request_max_body_size=None
        )(_called(handler, path))
        return made

    return wrap


def _called(handler: Callable[..., Any], path: str) -> Callable[..., Any]:
    """What the framework calls: it gives the handler what it asks for by name, and a synchronous one a thread.

    Not by the framework's own injection, which costs a request as much as reading a page of events.
    """
    hints = typing.get_type_hints(handler, include_extras=True)
    admitted = tuple(ADMITTED & hints.keys())
    in_loop = inspect.iscoroutinefunction(handler)
    wants_request = "request" in hints

    async def call(request: Request[Any, Any, Any], **given: Any) -> Any:
        found = request.scope[ADMISSION]  # type: ignore[literal-required]
        given.update((name, found[name]) for name in admitted)
        if wants_request:
            given["request"] = request
        return await (handler(**given) if in_loop else in_thread(handler, **given))

    taken: dict[str, Any] = {"request": Request[Any, Any, Any]}
    taken |= {
        name: operator.getitem(FromPath, hints[name]) for name in _PATH_NAME.findall(path) if name in hints
    }
    taken |= {"body": RawBody} if "body" in hints else {}
    call.__name__ = handler.__name__
    call.__annotations__ = taken | {"return": hints.get("return", Any)}
    keyword = inspect.Parameter.KEYWORD_ONLY
    call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(name, keyword, annotation=kind) for name, kind in taken.items()],
        return_annotation=call.__annotations__["return"],
    )
    return call


def get(path: str, *, scope: Scope = "read", **declared: Any) -> Callable[[F], HTTPRouteHandler]:
    """Declares a reading route; the keywords are the fields of `Route` (`answer`: its JSON struct)."""
    return _declared("GET", path, scope=scope, **declared)


def post(path: str, *, scope: Scope, **declared: Any) -> Callable[[F], HTTPRouteHandler]:
    return _declared("POST", path, scope=scope, **declared)


def put(path: str, *, scope: Scope, **declared: Any) -> Callable[[F], HTTPRouteHandler]:
    return _declared("PUT", path, scope=scope, **declared)


def delete(path: str, *, scope: Scope, **declared: Any) -> Callable[[F], HTTPRouteHandler]:
    return _declared("DELETE", path, scope=scope, **declared)
