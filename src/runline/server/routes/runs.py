"""Runs: listing, counting, showing, making and deleting them."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request
from msgspec import Struct

from runline.fold.wire.detail import RunDetailResponse, run_detail_response
from runline.model.clock import parse_instant
from runline.model.errors import Forbidden, Invalid
from runline.model.status import RUN_STATUSES
from runline.model.wire.control import RunDeleted
from runline.model.wire.quantity import Count
from runline.model.wire.quantity import about as told
from runline.model.wire.runs import RunList, RunSummary, run_list, run_summary
from runline.server.bodies import read_json
from runline.server.parameters import about, instant, limit
from runline.server.route import delete, get, post
from runline.store.creation import check_tenant
from runline.store.liveness import RunWriter
from runline.store.sql_store import DEFAULT_TENANT, SqlStore
from runline.store.statistics import Counts

NEWEST_EVENTS = 100
IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY_TEXT = "A repeated request with the same key gets the first answer; kept for 24 hours."


class RunFilters(Struct, kw_only=True, frozen=True):
    """Which runs; all must hold."""

    status: Annotated[
        tuple[str, ...],
        about("Only runs of these statuses.", one_of=RUN_STATUSES, examples=("failed,interrupted",)),
    ] = ()
    pipeline: Annotated[tuple[str, ...], about("Only runs of these names.", examples=("nightly",))] = ()
    kind: Annotated[tuple[str, ...], about("Only runs of these kinds.", examples=("pipeline",))] = ()
    tag: Annotated[
        tuple[str, ...], about("Only runs with one of these tags at least.", examples=("prod",))
    ] = ()
    since: Annotated[
        int | None, instant("Started then or later: ISO 8601, or a span back from now like `24h`.")
    ] = None
    until: Annotated[int | None, instant("Started before then; written like `since`.")] = None
    q: Annotated[
        str | None,
        about("The filter language of runs.", examples=('status:failed -tag:dev duration:>60 "disk full"',)),
    ] = None

    def of_store(self) -> dict[str, Any]:
        """As the store's methods take them."""
        return {
            "status": self.status,
            "name": self.pipeline,
            "kind": self.kind,
            "tag": self.tag,
            "since_ms": self.since,
            "until_ms": self.until,
            "q": self.q,
        }


class RunsQuery(RunFilters, kw_only=True, frozen=True):
    """A page of them."""

    parent: Annotated[str | None, about("Only the runs that are a part of the run of this id.")] = None
    limit: Annotated[int, limit("Runs a page.", most=100)] = 25
    cursor: Annotated[str | None, about("`next_cursor` of the page before; opaque.")] = None


class NewRun(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """What a run is made from."""

    name: Annotated[str, told("What is run.", "nightly")]
    kind: Annotated[str, told("What sort of run it is.", "run", "pipeline", "session", "agent")] = "run"
    run_id: Annotated[
        str | None, told("The id that it shall have; made from the name when absent.", "nightly-2026-11-20")
    ] = None
    tags: Annotated[tuple[str, ...] | None, told("Words to find it by.", ["prod"])] = None
    input: Annotated[Any, told("What the run is given, as any JSON of at most 1 MiB; redacted.")] = None
    parent_run_id: Annotated[str | None, told("The run that it is a part of.")] = None
    original_run_id: Annotated[str | None, told("The run that it repeats or resumes.")] = None
    tenant_id: Annotated[
        str | None, told("Whose it is; the token's tenant, else `default`, when absent.")
    ] = None
    started_at: Annotated[
        str | None, told("When it started, as ISO 8601; now when absent.", "2026-11-20T06:00:00Z")
    ] = None
    plan: Annotated[
        Any,
        told(
            "The steps that are to come.",
            {"steps": [{"id": "extract"}, {"id": "load", "dependencies": ["extract"]}]},
        ),
    ] = None
    input_redacted: Annotated[bool, told("The caller has already taken secrets out of the input.")] = False
    host: Annotated[
        str | None,
        told("The machine of its writer, which from now on sends a heartbeat every 5 seconds.", "worker-7"),
    ] = None
    pid: Annotated[Count | None, told("The process of its writer.", 4711)] = None


@get("/api/runs", query=RunsQuery, answer=RunList, summary="List runs", tag="Runs", tenants=True)
def list_runs(store: SqlStore, given: RunsQuery) -> RunList:
    """Newest start first. Pages stay as they are while runs are added: a run is never listed twice or left out."""
    page = store.list_runs(
        **given.of_store(), parent_run_id=given.parent, limit=given.limit, cursor=given.cursor
    )
    return run_list(page)


@get("/api/runs/counts", query=RunFilters, answer=Counts, summary="Count runs", tag="Runs", tenants=True)
def count_runs(store: SqlStore, given: RunFilters) -> Counts:
    """Totals over the filters of the list: by status, by UTC day of the start, median duration, success rate."""
    return store.counts(**given.of_store())


@get(
    "/api/runs/{run_id:str}",
    answer=RunDetailResponse,
    errors=(404,),
    summary="Show a run",
    tag="Runs",
    tenants=True,
)
def show_run(store: SqlStore, run_id: str) -> RunDetailResponse:
    """The run with its input, steps, artifacts and graph, and its newest 100 events; never the whole trace."""
    run = store.get_run(run_id)
    newest = store.read(run_id, order="desc", limit=NEWEST_EVENTS)
    return run_detail_response(
        run,
        steps=store.list_steps(run_id),
        events=newest[::-1],
        artifacts=store.list_artifacts(run_id),
    )


@post(
    "/api/runs",
    scope="ingest",
    body=NewRun,
    answer=RunSummary,
    status=201,
    errors=(409,),
    headers={IDEMPOTENCY_KEY: _KEY_TEXT},
    summary="Make a run",
    tag="Runs",
    tenants=True,
)
def create_run(request: Request[Any, Any, Any], store: SqlStore, body: bytes) -> RunSummary:
    """A running run with its start event, durable when the answer comes.

    An id that is taken is a 409. `input_redacted` in the answer says that redaction changed the input.
    """
    wanted = read_json(body, NewRun)
    if store.tenant is not None and wanted.tenant_id not in (None, store.tenant):
        raise Forbidden(
            f"Here runs of the tenant {store.tenant!r} are made; leave tenant_id out, or use a token of that tenant.",
            fields={"tenant_id": "another tenant's"},
        )
    writer = RunWriter(wanted.host, wanted.pid)
    run = store.create_run(
        wanted.name,
        kind=wanted.kind,
        run_id=wanted.run_id,
        tenant=DEFAULT_TENANT
        if wanted.tenant_id is None
        else check_tenant(wanted.tenant_id, field="tenant_id"),
        tags=wanted.tags or (),
        input=wanted.input,
        parent_run_id=wanted.parent_run_id,
        original_run_id=wanted.original_run_id,
        plan=wanted.plan,
        started_at_ms=None if wanted.started_at is None else _instant(wanted.started_at),
        idempotency_key=request.headers.get(IDEMPOTENCY_KEY),
        announced=writer if writer != RunWriter() else False,
        input_redacted=wanted.input_redacted,
    )
    return run_summary(run)


@delete(
    "/api/runs/{run_id:str}",
    scope="admin",
    answer=RunDeleted,
    errors=(404, 409),
    summary="Delete a run",
    tag="Runs",
    tenants=True,
)
def delete_run(store: SqlStore, run_id: str) -> RunDeleted:
    """Removes an ended run with everything of it; 409 while it is active. From then on its id answers `pruned`."""
    store.delete_run(run_id)
    return RunDeleted(run_id=run_id)


def _instant(text: str) -> int:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise Invalid(
            f"started_at is an ISO time like 2026-11-20T09:30:00Z, not {text[:60]!r}.",
            code="bad_instant",
            fields={"started_at": "not an ISO time"},
        ) from error


HANDLERS = [list_runs, count_runs, show_run, create_run, delete_run]
