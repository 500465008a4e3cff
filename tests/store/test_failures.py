from __future__ import annotations

from typing import Any

import pytest

from runline.fold.failure import SeenBefore
from runline.model.clock import ManualClock
from runline.model.errors import NotFound
from runline.store.sql_store import SqlStore
from tests.store.recorded import plain_run, rich_run


def failing(store: SqlStore, run_id: str, seconds: int = 31, **given: Any) -> str:
    """Fails in step `load` with an error whose numbers differ from run to run."""
    store.create_run(given.pop("name", "nightly"), run_id=run_id, **given)
    store.append(
        run_id,
        [
            {"type": "step_started", "step": "load"},
            {
                "type": "error",
                "step": "load",
                "message": f"Timeout: after {seconds} s",
                "data": {"name": "Timeout"},
            },
            {"type": "error", "step": "load", "message": "and so it ended", "data": {"name": "Abort"}},
            {"type": "log", "message": "unrelated", "level": "error"},
        ],
    )
    store.end_run(run_id, "failed", error=f"after {seconds} s")
    return run_id


def test_why_a_run_failed(store: SqlStore) -> None:
    rich_run(store, "one", status="failed")
    found = store.failure("one")
    assert found.run_id == "one"
    assert found.first_error is not None
    assert (found.first_error.seq, found.first_error.name, found.step) == (8, "Timeout", "load[0]")
    assert found.fingerprint == found.first_error.fingerprint == store.state("one").first_error.fingerprint  # type: ignore[union-attr]
    assert [(link.relation, link.seq) for link in found.error_chain] == [("first", 8), ("later", 9)]
    assert [call.correlation_id for call in found.open_calls] == ["open"]
    assert found.seen_before == SeenBefore(0, 0, None)
    assert (found.last_good_run_id, found.first_divergence) == (None, None)


def test_blocked_steps_are_named(store: SqlStore) -> None:
    plan = {"steps": [{"id": "a"}, {"id": "b", "dependencies": ["a"]}]}
    store.create_run("job", run_id="one", plan=plan)
    store.append("one", [{"type": "step_started", "step": "a"}, {"type": "step_failed", "step": "a"}])
    assert store.failure("one").blocked == ("b",)


def test_without_an_error_there_is_little_to_tell(store: SqlStore) -> None:
    plain_run(store, "good")
    plain_run(store, "one")
    found = store.failure("one")
    assert (found.first_error, found.error_chain, found.step, found.fingerprint) == (None, (), None, None)
    assert (found.seen_before, found.first_divergence) == (None, None)
    assert found.last_good_run_id == "good"


def test_the_same_error_in_earlier_runs_of_the_name(store: SqlStore, clock: ManualClock) -> None:
    for n in range(3):
        failing(store, f"f{n}", seconds=n)
        clock.advance(s=1)
    plain_run(store, "fine", name="nightly")
    failing(store, "elsewhere", name="weekly")
    failing(store, "foreign", tenant="other")
    failing(store, "now")
    failing(store, "same-instant", seconds=5)
    clock.advance(s=1)
    failing(store, "later")
    assert store.failure("now").seen_before == SeenBefore(3, 4, "f2")
    assert store.failure("same-instant").seen_before == SeenBefore(4, 5, "now")
    assert store.failure("f0").seen_before == SeenBefore(0, 0, None)
    assert store.failure("foreign").seen_before == SeenBefore(0, 0, None)


def test_where_it_parts_from_the_last_good_run(store: SqlStore, clock: ManualClock) -> None:
    for name, result in (("old", True), ("good", True), ("bad", False)):
        store.create_run("nightly", run_id=name)
        store.append(name, [{"message": f"line {n}", "step": "read"} for n in range(1200)])
        if result:
            store.end_run(name)
        else:
            store.append(name, [{"type": "error", "step": "read", "message": "no such file"}])
            store.end_run(name, "failed")
        clock.advance(s=1)
    plain_run(store, "after", name="nightly")
    found = store.failure("bad")
    assert found.last_good_run_id == "good"
    assert found.first_divergence is not None
    assert (found.first_divergence.step, found.first_divergence.right_seq) == ("read", 1202)


def test_two_runs_side_by_side(store: SqlStore) -> None:
    rich_run(store, "left")
    failing(store, "right", name="nightly")
    found = store.compare("left", "right")
    assert (found.left_run_id, found.right_run_id) == ("left", "right")
    assert (found.left_status, found.right_status) == ("completed", "failed")
    assert (found.left_ms, found.right_ms) == (0, 0)
    assert found.first_divergence is not None
    assert [step.step_id for step in found.steps] == ["load", "extract", "load[0]", "load[1]", "report"]
    assert [error.message for error in found.new_errors] == ["and so it ended", "unrelated"]
    same = store.compare("left", "left")
    assert (same.first_divergence, same.new_errors) == (None, ())


def test_an_unknown_run(store: SqlStore) -> None:
    failing(store, "mine", tenant="a")
    for view, name in ((store, "none"), (store.scoped("b"), "mine")):
        with pytest.raises(NotFound):
            view.failure(name)
        with pytest.raises(NotFound):
            view.compare(name, "mine")
