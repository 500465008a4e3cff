"""Random streams of events that mean something: few names, so that steps, calls and levels meet again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck
from hypothesis import strategies as st

from runline.fold.apply import apply
from runline.fold.snapshot import RunState, snapshot
from runline.fold.state import RunFold
from runline.model.clock import to_iso
from runline.model.event import Event
from runline.store.interface import Store

Raw = dict[str, Any]
ON_ONE_STORE = [HealthCheck.function_scoped_fixture, HealthCheck.differing_executors]
"""Suppressed where each example makes runs of its own, so that all may share the store."""
_STEPS = ("extract", "load", "check", "run", "build[0]", "build[1]")
_CALLS = ("c1", "c2", "c3")
_WORDS = st.sampled_from(("", "one", "two words", "größer", "a\nb", "{}", "[x]"))
_COUNTS = st.integers(0, 500)
_PERCENT = st.one_of(st.integers(-5, 120), st.floats(0, 100), st.none(), st.just("half"))


def _data(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[Raw]:
    return st.fixed_dictionaries({}, optional=values)


def _of(
    types: tuple[str, ...], data: st.SearchStrategy[Raw], **fields: st.SearchStrategy[Any]
) -> st.SearchStrategy[Raw]:
    return st.fixed_dictionaries({"type": st.sampled_from(types), "data": data, **fields})


_STEP = st.sampled_from((*_STEPS, None))
_FIGURES = {
    "progress": _PERCENT,
    "tokens_used": _COUNTS,
    "tokens_in": _COUNTS,
    "tokens_out": _COUNTS,
    "estimated_time_ms": _COUNTS,
    "total_steps": st.integers(0, 8),
}
_STEP_TYPES = (
    "step_started",
    "step_progress",
    "step_completed",
    "step_failed",
    "step_skipped",
    "step_retrying",
    "eta_updated",
    "stream_activity",
)
_CALL_TYPES = (
    "llm_request",
    "llm_response",
    "tool_call",
    "tool_result",
    "patch_proposed",
    "patch_applied",
    "test_started",
    "test_result",
    "provider_request_sent",
    "provider_response_received",
    "provider_request_failed",
    "provider_request_retrying",
    "error",
)
_SESSION_TYPES = (
    "generation_started",
    "level_started",
    "node_generation_started",
    "node_generation_completed",
    "node_generation_failed",
    "level_completed",
    "generation_completed",
    "queue_stats",
    "scan_progress",
    "run_queued",
    "run_started",
)
EVENTS: st.SearchStrategy[Raw] = st.one_of(
    _of(
        _STEP_TYPES,
        _data(current_action=_WORDS, error=_WORDS, persona=_WORDS, reason=_WORDS, **_FIGURES),
        step=_STEP,
    ),
    _of(
        _CALL_TYPES,
        _data(name=_WORDS, model=_WORDS, ok=st.booleans(), failed=st.integers(0, 2), text=_WORDS, **_FIGURES),
        step=_STEP,
        correlation_id=st.sampled_from((*_CALLS, None)),
    ),
    _of(
        _SESSION_TYPES,
        _data(
            node_id=st.sampled_from(_STEPS),
            level_index=st.integers(0, 3),
            total_count=_COUNTS,
            total_levels=st.integers(0, 4),
            total_nodes=st.integers(0, 9),
            generated_count=_COUNTS,
            failed_count=_COUNTS,
            pending=_COUNTS,
            node_count=_COUNTS,
            plan=st.just({"steps": [{"id": "late"}]}),
        ),
    ),
    _of(
        ("artifact_created",),
        _data(name=_WORDS, path=_WORDS, size_bytes=st.one_of(_COUNTS, st.just(-1), st.just("big"))),
        step=_STEP,
    ),
    _of(
        ("log", "note", "made_up", "limit_reached"),
        _data(x=st.one_of(_COUNTS, _WORDS), **_FIGURES),
        step=_STEP,
        level=st.sampled_from(("info", "warn", "error")),
        message=_WORDS,
    ),
)
"""Mappings for `append` without a time; no end event."""

BATCHES = st.lists(
    st.tuples(st.lists(EVENTS, min_size=1, max_size=12), st.integers(-5_000, 400_000)), max_size=8
)
"""What a run is told, batch by batch, each with the milliseconds that pass before it (time may step back)."""

PLANS = st.one_of(
    st.none(),
    st.just(
        {
            "steps": [
                {"id": "extract", "max_attempts": 2},
                {"id": "load", "dependencies": ["extract"]},
                {"id": "check", "dependencies": ["load"], "optional": True},
            ]
        }
    ),
)


def at(ts_ms: int, events: list[Raw]) -> list[Raw]:
    """The events, 7 ms apart from `ts_ms` on."""
    return [event | {"ts": to_iso(ts_ms + 7 * n)} for n, event in enumerate(events)]


def whole(store: Store, run_id: str) -> list[Event]:
    """The run's whole log, page by page."""
    events: list[Event] = []
    while page := store.read(run_id, after_seq=len(events), limit=1000):
        events += page
    return events


def folded(store: Store, run_id: str) -> RunState:
    """What the run's log amounts to, folded here and now from its events alone."""
    fold = RunFold(run_id, store.get_run(run_id).started_at_ms)
    for event in whole(store, run_id):
        apply(fold, event, event.seq)
    return snapshot(fold)


def tagged(writer: Any, count: int, *, first: int = 0) -> list[Mapping[str, Any]]:
    """Events that can be told apart afterwards: `data` is `{writer, n}`."""
    return [
        {"type": "log", "message": f"{writer} {n}", "data": {"writer": writer, "n": n}}
        for n in range(first, first + count)
    ]
