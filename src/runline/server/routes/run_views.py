"""What a run amounts to: its state, steps, graph, figures, calls, and why it failed; two runs side by side."""

from __future__ import annotations

import typing
from typing import Annotated

from msgspec import Struct

from runline.fold.wire.comparison import ComparisonView, comparison_view
from runline.fold.wire.dag import DagView, dag_view
from runline.fold.wire.failure import FailureView, failure_view
from runline.fold.wire.histogram import HistogramView, histogram_view
from runline.fold.wire.state import StateView, state_view
from runline.model.call import CallStatus
from runline.model.errors import Invalid
from runline.model.event_type import CallKind
from runline.model.wire.calls import CallList, call_list
from runline.model.wire.steps import StepList, step_list
from runline.model.wire.summary import TimelineSummaryAnswer, timeline_summary
from runline.server.parameters import about, limit, whole
from runline.server.route import get
from runline.store.sql_store import SqlStore


class StateQuery(Struct, kw_only=True, frozen=True):
    """As of when."""

    at_seq: Annotated[int | None, whole("As of the event of this seq; now when absent.", floor=1)] = None


class HistogramQuery(Struct, kw_only=True, frozen=True):
    """How fine."""

    slots: Annotated[int, limit("Slots at most.", most=512)] = 160


class CallsQuery(Struct, kw_only=True, frozen=True):
    """Which calls."""

    status: Annotated[
        tuple[str, ...],
        about("Only calls of these statuses.", one_of=typing.get_args(CallStatus), examples=("open",)),
    ] = ()
    kind: Annotated[
        tuple[str, ...],
        about("Only calls of these kinds.", one_of=typing.get_args(CallKind), examples=("llm,tool",)),
    ] = ()
    step: Annotated[tuple[str, ...], about("Only calls of these steps.", examples=("extract",))] = ()
    limit: Annotated[int, limit("Calls a page.", most=1000)] = 100
    cursor: Annotated[str | None, about("`next_cursor` of the page before; opaque.")] = None


class CompareQuery(Struct, kw_only=True, frozen=True):
    """Which two; both are needed."""

    left: Annotated[str | None, about("The run to compare with, such as the last good one.")] = None
    right: Annotated[str | None, about("The run in question.")] = None


@get(
    "/api/runs/{run_id:str}/state",
    query=StateQuery,
    answer=StateView,
    errors=(404,),
    summary="A run's state, now or back then",
    tag="Runs",
    tenants=True,
)
def show_state(store: SqlStore, given: StateQuery, run_id: str) -> StateView:
    """Everything that the run amounts to, now or as of any of its events; 400 when it has no such event."""
    return state_view(store.state(run_id, at_seq=given.at_seq))


@get(
    "/api/runs/{run_id:str}/steps",
    answer=StepList,
    errors=(404,),
    summary="A run's steps",
    tag="Runs",
    tenants=True,
)
def list_steps(store: SqlStore, run_id: str) -> StepList:
    """In plan order, then in order of appearance, each with the artifacts that it left."""
    return step_list(store.list_steps(run_id), store.list_artifacts(run_id))


@get(
    "/api/runs/{run_id:str}/dag",
    answer=DagView,
    errors=(404,),
    summary="A run's graph",
    tag="Runs",
    tenants=True,
)
def show_dag(store: SqlStore, run_id: str) -> DagView:
    """The steps laid out as boxes of 172 × 50 px with their states, and which waits for which."""
    return dag_view(store.list_steps(run_id))


@get(
    "/api/runs/{run_id:str}/summary",
    answer=TimelineSummaryAnswer,
    errors=(404,),
    summary="A run in figures",
    tag="Runs",
    tenants=True,
)
def show_summary(store: SqlStore, run_id: str) -> TimelineSummaryAnswer:
    """The same answer as the Timeline's summary."""
    return TimelineSummaryAnswer(timeline_summary(store.summary(run_id)))


@get(
    "/api/runs/{run_id:str}/histogram",
    query=HistogramQuery,
    answer=HistogramView,
    errors=(404,),
    summary="When a run said how much",
    tag="Runs",
    tenants=True,
)
def show_histogram(store: SqlStore, given: HistogramQuery, run_id: str) -> HistogramView:
    """Events, warnings and errors over the run's time; kept with the log, so it costs the same for any length."""
    return histogram_view(store.histogram(run_id, slots=given.slots))


@get(
    "/api/runs/{run_id:str}/failure",
    answer=FailureView,
    errors=(404,),
    summary="Why a run failed",
    tag="Runs",
    tenants=True,
)
def show_failure(store: SqlStore, run_id: str) -> FailureView:
    """First error and its chain, what it blocked, what was open, whether it was seen before, the last good run."""
    return failure_view(store.failure(run_id))


@get(
    "/api/runs/{run_id:str}/calls",
    query=CallsQuery,
    answer=CallList,
    errors=(404,),
    summary="A run's calls",
    tag="Runs",
    tenants=True,
)
def list_calls(store: SqlStore, given: CallsQuery, run_id: str) -> CallList:
    """Requests to models, tools, patches, tests and providers with their responses, in the order of the requests.

    `counts` are of the kinds and steps asked for, whatever the page and the status.
    """
    page = store.calls(
        run_id,
        status=given.status,
        kind=given.kind,
        step=given.step,
        limit=given.limit,
        cursor=given.cursor,
    )
    return call_list(page, store.call_counts(run_id, kind=given.kind, step=given.step))


@get(
    "/api/compare",
    query=CompareQuery,
    answer=ComparisonView,
    errors=(404,),
    summary="Compare two runs",
    tag="Runs",
    tenants=True,
)
def compare_runs(store: SqlStore, given: CompareQuery) -> ComparisonView:
    """Where the right run first does something else, how long each step took, errors that only the right one has."""
    missing = [name for name in ("left", "right") if getattr(given, name) is None]
    if given.left is None or given.right is None:
        raise Invalid(
            f"Say which two runs: add {' and '.join(f'{name}=…' for name in missing)} to the query.",
            code="bad_parameter",
            fields=dict.fromkeys(missing, "missing"),
        )
    return comparison_view(store.compare(given.left, given.right))


HANDLERS = [
    show_state,
    list_steps,
    show_dag,
    show_summary,
    show_histogram,
    show_failure,
    list_calls,
    compare_runs,
]
