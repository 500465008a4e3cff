"""What a store answers, as JSON and back: equal, for runs with something in every row."""

from __future__ import annotations

import msgspec
import pytest

from runline.fold.wire.comparison import comparison_of, comparison_view
from runline.fold.wire.detail import run_detail_response
from runline.fold.wire.failure import failure_of, failure_view
from runline.fold.wire.histogram import histogram_of, histogram_view
from runline.fold.wire.state import state_of_view, state_view
from runline.model.clock import ManualClock
from runline.model.wire.artifacts import artifact_of, artifact_summary
from runline.model.wire.calls import call_of, call_view
from runline.model.wire.events import event_of, stream_event, trace_event
from runline.model.wire.notes import note_of, note_view
from runline.model.wire.runs import run_detail, run_list, run_of
from runline.model.wire.steps import step_detail, step_of
from runline.model.wire.summary import summary_of, timeline_summary
from runline.store.sql_store import SqlStore
from runline.store.statistics import Counts, Statistics
from tests.model.wire.structs import through_json
from tests.store.recorded import rich_run


@pytest.fixture
def run_id(store: SqlStore, clock: ManualClock) -> str:
    """A failed run after a good one, with an estimate, a note and an earlier run to tell how long it takes."""
    rich_run(store, "good")
    clock.advance(s=60)
    run_id = rich_run(store, "bad", status=None)
    store.append(run_id, [{"type": "step_progress", "data": {"progress": 33.3, "estimated_time_ms": 9000}}])
    clock.advance(s=3)
    store.append(run_id, [{"type": "error", "message": "new trouble", "data": {"cause": {"message": "why"}}}])
    store.add_note(run_id, "slow", author="me", labels=["vendor"], actions=["open ticket"], event_seq=2)
    return run_id


@pytest.fixture(params=["running", "failed"])
def either(request: pytest.FixtureRequest, store: SqlStore, run_id: str) -> str:
    if request.param == "failed":
        store.end_run(run_id, "failed", error="new trouble")
    return run_id


def test_the_run(store: SqlStore, either: str) -> None:
    run = store.get_run(either)
    assert run_of(through_json(run_detail(run))) == run
    page = store.list_runs()
    assert [run_of(one) for one in through_json(run_list(page)).runs] == page.items


def test_its_parts(store: SqlStore, either: str) -> None:
    steps, artifacts = store.list_steps(either), store.list_artifacts(either)
    assert [step_of(through_json(step_detail(one, artifacts)), either) for one in steps] == steps
    assert [artifact_of(through_json(artifact_summary(one)), either) for one in artifacts] == artifacts
    calls, notes = store.calls(either).items, store.list_notes(either)
    assert [call_of(through_json(call_view(one))) for one in calls] == calls
    assert [note_of(through_json(note_view(one))) for one in notes] == notes
    assert steps and artifacts and calls and notes


def test_its_events(store: SqlStore, either: str) -> None:
    events = store.read(either)
    assert [event_of(through_json(trace_event(one))) for one in events] == events
    assert [event_of(through_json(stream_event(one))) for one in events] == events


def test_what_it_amounts_to(store: SqlStore, either: str) -> None:
    for state in store.replay(either):
        assert state_of_view(through_json(state_view(state))) == state
    now = store.state(either)
    assert state_of_view(through_json(state_view(now))) == now
    histogram, summary = store.histogram(either), store.summary(either)
    assert histogram_of(through_json(histogram_view(histogram))) == histogram
    assert summary_of(through_json(timeline_summary(summary))) == summary


def test_why_it_failed_and_how_it_differs(store: SqlStore, either: str) -> None:
    failure, found = store.failure(either), store.compare("good", either)
    assert failure_of(through_json(failure_view(failure))) == failure
    assert comparison_of(through_json(comparison_view(found))) == found
    assert failure.first_error is not None and failure.seen_before is not None and found.new_errors


def test_figures_over_many_are_what_they_are(store: SqlStore, either: str) -> None:
    counts, statistics = store.counts(), store.statistics(range="all")
    assert msgspec.json.decode(msgspec.json.encode(counts), type=Counts) == counts
    assert msgspec.json.decode(msgspec.json.encode(statistics), type=Statistics) == statistics


def test_its_page(store: SqlStore, either: str) -> None:
    detail = run_detail_response(
        store.get_run(either),
        steps=store.list_steps(either),
        events=store.read(either),
        artifacts=store.list_artifacts(either),
    )
    assert through_json(detail) == detail
    assert {node.id: node.status for node in detail.dag.nodes}["report"] == "blocked"
    assert [edge.to for edge in detail.dag.edges].count("report") == 2
