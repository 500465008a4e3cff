"""What is done with a run while it lives and after: ending it, signs of life, cancelling, pinning."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request
from msgspec import Meta, Struct

from runline.model.status import END_STATUSES
from runline.model.wire.control import RunAlive, RunCancelled, RunPinned
from runline.model.wire.events import StreamEvent, stream_event
from runline.model.wire.quantity import Count, about
from runline.server.bodies import read_json
from runline.server.route import post
from runline.server.routes.runs import IDEMPOTENCY_KEY
from runline.store.liveness import RunWriter
from runline.store.sql_store import SqlStore


class RunEnd(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How a run ended."""

    status: Annotated[
        str,
        Meta(
            description="How it ended.", examples=["failed"], extra_json_schema={"enum": list(END_STATUSES)}
        ),
    ] = "completed"
    error: Annotated[str | None, about("Why it failed, in a line.", "the disk is full")] = None


class Heartbeat(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Where the run is being written; what is left out stays as it was told before."""

    host: Annotated[str | None, about("The machine.", "worker-7")] = None
    pid: Annotated[Count | None, about("The process.", 4711)] = None


class Cancellation(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """How a run shall stop."""

    force: Annotated[bool, about("End it now instead of asking; what it still sends is refused.")] = False


class Pin(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """Whether retention shall pass the run by."""

    pinned: bool = True


@post(
    "/api/runs/{run_id:str}/end",
    scope="ingest",
    body=RunEnd,
    body_required=False,
    answer=StreamEvent,
    errors=(404, 409),
    headers={
        IDEMPOTENCY_KEY: "A repeated request with the same key gets the first answer; kept for 24 hours."
    },
    summary="End a run",
    tag="Runs",
    tenants=True,
)
def end_run(request: Request[Any, Any, Any], store: SqlStore, body: bytes, run_id: str) -> StreamEvent:
    """Appends the end event and answers with it; nothing can follow. 409 `run_ended` when it has one already."""
    wanted = read_json(body, RunEnd)
    key = request.headers.get(IDEMPOTENCY_KEY)
    return stream_event(store.end_run(run_id, wanted.status, error=wanted.error, idempotency_key=key))


@post(
    "/api/runs/{run_id:str}/heartbeat",
    scope="ingest",
    body=Heartbeat,
    body_required=False,
    answer=RunAlive,
    errors=(404,),
    summary="Say that a run's writer is alive",
    tag="Runs",
    tenants=True,
)
def heartbeat(store: SqlStore, body: bytes, run_id: str) -> RunAlive:
    """A run that has given one and falls silent for 30 seconds reads `interrupted`, until the next.

    The answer tells whether somebody asked the run to stop.
    """
    writer = read_json(body, Heartbeat)
    store.heartbeat(run_id, writer=RunWriter(writer.host, writer.pid))
    run = store.get_run(run_id)
    return RunAlive(run_id=run_id, status=run.status, cancel_requested=run.cancel_requested)


@post(
    "/api/runs/{run_id:str}/cancel",
    scope="operate",
    body=Cancellation,
    body_required=False,
    answer=RunCancelled,
    errors=(404, 409),
    summary="Stop a run",
    tag="Runs",
    tenants=True,
)
def cancel_run(store: SqlStore, body: bytes, run_id: str) -> RunCancelled:
    """Asks the run to stop: `cancelling`, and it reads `running` until it does. With `force` it is ended at once.

    Pending and interrupted runs are ended at once too, since nobody is there to ask. 409 when it has ended.
    """
    wanted = read_json(body, Cancellation)
    told = store.cancel(run_id, force=wanted.force)
    return RunCancelled(run_id=run_id, status="cancelled" if told == "cancelled" else "cancelling")


@post(
    "/api/runs/{run_id:str}/pin",
    scope="operate",
    body=Pin,
    body_required=False,
    answer=RunPinned,
    errors=(404,),
    summary="Keep a run",
    tag="Runs",
    tenants=True,
)
def pin_run(store: SqlStore, body: bytes, run_id: str) -> RunPinned:
    """A pinned run is never removed by retention; `{"pinned": false}` lets it go again."""
    wanted = read_json(body, Pin)
    store.pin(run_id, wanted.pinned)
    return RunPinned(run_id=run_id, pinned=wanted.pinned)


HANDLERS = [end_run, heartbeat, cancel_run, pin_run]
