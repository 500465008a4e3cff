"""The events of one run: a page of them, the stream of them, which ones match, and more of them."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.response import Stream
from msgspec import UNSET, Struct

from runline.model.errors import Invalid
from runline.model.status import LEVELS
from runline.model.wire.events import StreamEvent, TracePage, trace_event
from runline.model.wire.ingested import GivenEvent, Ingested
from runline.server.accept import preferred
from runline.server.parameters import about, flag, limit, whole
from runline.server.route import JSON, NDJSON, SSE, get, post
from runline.server.server import Server
from runline.server.sse import EventStream
from runline.server.threads import in_thread
from runline.store.events import Hits
from runline.store.sql_store import SqlStore

BYTES = "application/octet-stream"
_ID = re.compile(r"[0-9]{1,40}", re.ASCII)
_MOST_ID = 2**62
_LAST_EVENT_ID = "Last-Event-ID"
_encode = msgspec.json.Encoder().encode


class Filters(Struct, kw_only=True, frozen=True):
    """Which events; all must hold."""

    types: Annotated[
        tuple[str, ...], about("Only events of these types.", examples=("tool_call,error",))
    ] = ()
    level: Annotated[tuple[str, ...], about("Only these levels.", one_of=LEVELS)] = ()
    step: Annotated[
        tuple[str, ...],
        about("Only these steps; `run` stands for events without one.", examples=("extract",)),
    ] = ()
    source: Annotated[tuple[str, ...], about("Only from these sources.", examples=("stdout",))] = ()
    correlation_id: Annotated[str | None, about("Only the request of that id and its response.")] = None
    q: Annotated[
        str | None, about("The filter language.", examples=("level:error -type:log", '"connection reset"'))
    ] = None

    def of_store(self) -> dict[str, Any]:
        """As the store's methods take them."""
        return {
            "types": self.types,
            "levels": self.level,
            "steps": self.step,
            "sources": self.source,
            "correlation_id": self.correlation_id,
            "q": self.q,
        }


class IndexQuery(Filters, kw_only=True, frozen=True):
    """From where on, and which."""

    after_seq: Annotated[int, whole("Only events after that seq.", floor=0)] = msgspec.field(
        default=0, name="afterSeq"
    )


class EventsQuery(IndexQuery, kw_only=True, frozen=True):
    """A page; a stream takes the filters and where to begin."""

    after_id: Annotated[int | None, whole("Only events after the one of that id.", floor=0)] = msgspec.field(
        default=None, name="afterId"
    )
    before_seq: Annotated[int | None, whole("Only events before that seq.", floor=1)] = msgspec.field(
        default=None, name="beforeSeq"
    )
    limit: Annotated[int, limit("Events a page.", most=1000)] = 100
    order: Annotated[str, about("`desc`: the newest first.", one_of=("asc", "desc"))] = "asc"
    count: Annotated[bool, flag("Count all that match, as `total`.")] = False


@get(
    "/api/runs/{run_id:str}/events",
    query=EventsQuery,
    answers={JSON: TracePage, SSE: StreamEvent},
    errors=(404,),
    headers={
        "Accept": "`text/event-stream` for the stream, else a page of JSON.",
        _LAST_EVENT_ID: "For the stream: the id of the last event seen; it counts rather than `afterId`.",
    },
    summary="A page of events, or the live stream",
    tag="Events",
)
async def list_events(
    request: Request[Any, Any, Any], store: SqlStore, server: Server, given: EventsQuery, run_id: str
) -> Response[Any]:
    """As JSON a page. `nextAfterId` is the id of its last event; give it as `afterId` for the next page.

    As `text/event-stream` every event from the cursor on, or from the first, then live: each once, in order,
    `id:` its id, `event:` its state, `data:` one shape for old and new ones. A comment every 15 s of silence. It
    ends after the end event, which comes whatever the filters are. A client that comes back with its last id goes
    on where it was; once it has seen the end, the answer is 204, so that an EventSource stops.
    """
    if preferred(request.headers.get("accept", ""), (JSON, SSE)) == JSON:
        return Response(await _page(store, server, run_id, given), media_type=JSON)
    if (given.before_seq, given.limit, given.order, given.count) != (None, 100, "asc", False):
        raise Invalid(
            "A stream has no pages: leave out beforeSeq, limit, order and count, or ask for application/json.",
            code="bad_parameter",
        )
    last_id = last_event_id(request.headers.get(_LAST_EVENT_ID))
    follower = await server.hub.follow_run(
        store,
        run_id,
        given.of_store(),
        after_seq=given.after_seq if last_id is None else 0,
        after_id=given.after_id if last_id is None else last_id,
    )
    return Response(None, status_code=204) if follower is None else EventStream(follower)


def last_event_id(given: str | None) -> int | None:
    """What an EventSource sends when it comes back: the id of an event. Raises Invalid for anything else."""
    if not given:
        return None
    if not _ID.fullmatch(given):
        raise Invalid(
            f"Last-Event-ID is the id of an event of this stream, not {given[:60]!r}; leave it out to begin anew.",
            code="bad_last_event_id",
            fields={_LAST_EVENT_ID: "not an id"},
        )
    return min(int(given), _MOST_ID)


async def _page(store: SqlStore, server: Server, run_id: str, given: EventsQuery) -> bytes:
    if given.q:  # it may speak of now
        return await in_thread(_read, store, run_id, given)
    asked = (run_id, given)
    run = store.locate(run_id)  # one row that is at hand; a thread would cost ten times as much
    page = server.pages.get(asked, run)
    if page is None:
        page = await in_thread(_read, store, run_id, given)
        server.pages.keep(asked, run, page)
    return page


def _read(store: SqlStore, run_id: str, given: EventsQuery) -> bytes:
    filters = given.of_store()
    events = store.read(
        run_id,
        after_seq=given.after_seq,
        before_seq=given.before_seq,
        after_id=given.after_id,
        order="desc" if given.order == "desc" else "asc",
        limit=given.limit,
        **filters,
    )
    return _encode(
        TracePage(
            events=tuple(map(trace_event, events)),
            next_after_id=events[-1].id if events else given.after_id or 0,
            total=store.count_events(run_id, **filters) if given.count else UNSET,
        )
    )


@get(
    "/api/runs/{run_id:str}/events/index",
    query=IndexQuery,
    answers={BYTES: None},
    errors=(404,),
    summary="Which events match",
    tag="Events",
)
async def index_events(store: SqlStore, given: IndexQuery, run_id: str) -> Stream:
    """The seqs of all matching events, ascending, as little-endian unsigned 32-bit numbers, sent as found."""
    pieces = store.index(run_id, after_seq=given.after_seq, **given.of_store())

    def following() -> Hits | None:
        return next(pieces, None)

    first = await in_thread(following)  # before the answer begins: it may be refused

    async def found() -> AsyncIterator[bytes]:
        piece = first
        while piece is not None:
            yield _little_endian(piece)
            piece = await in_thread(following)

    return Stream(found(), media_type=BYTES)


def _little_endian(piece: Hits) -> bytes:
    if sys.byteorder == "big":
        piece.seqs.byteswap()
    return piece.seqs.tobytes()


@post(
    "/api/runs/{run_id:str}/events",
    scope="ingest",
    body=GivenEvent | tuple[GivenEvent, ...],
    consumes=(JSON, NDJSON),
    answer=Ingested,
    errors=(404, 409),
    headers={"Idempotency-Key": "A repeated request with the same key is stored once; kept for 24 hours."},
    summary="Append events",
    tag="Events",
)
async def append_events(
    request: Request[Any, Any, Any], store: SqlStore, server: Server, body: bytes, run_id: str
) -> Response[bytes]:
    """One event, an array of them, or (`application/x-ndjson`) one a line; gzip is welcome.

    All are stored or none, in the order sent, and they are durable when the answer comes. At most 10,000 in a
    request. Too many requests at once are answered 503 with `Retry-After`, a full disk 507.
    """
    answer = await server.ingest.take(
        store,
        run_id,
        body,
        lines=request.content_type[0] == NDJSON,
        idempotency_key=request.headers.get("idempotency-key"),
    )
    return Response(_encode(answer), media_type=JSON)


HANDLERS = [list_events, index_events, append_events]
