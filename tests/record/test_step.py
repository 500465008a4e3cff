from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator

import pytest

import runline
from runline.record.context import STEP
from runline.store.sql_store import SqlStore
from tests.record.conftest import told


def progress_of(store: SqlStore, run_id: str) -> list[int]:
    return [event.data["progress"] for event in told(store, run_id) if event.type == "step_progress"]


def test_a_step_is_started_and_completed(store: SqlStore) -> None:
    with (
        runline.run("r") as run,
        run.step("extract", total=3, after=["a", "b"], persona="reader", data={"optional": True}) as step,
    ):
        step.result(tokens_used=7, data={"rows": 3})
        step.result(tokens_in=2)
        step.event("seen", data={"n": 1})
    started, seen, completed = told(store, run.id)[1:-1]
    assert (started.type, started.step) == ("step_started", "extract")
    assert started.data == {"total": 3, "dependencies": ["a", "b"], "persona": "reader", "optional": True}
    assert (seen.type, seen.step) == ("seen", "extract")
    assert completed.type == "step_completed"
    assert completed.data.pop("duration_ms", -1) >= 0
    assert {"tokens_used": 7, "tokens_in": 2, "rows": 3}.items() <= completed.data.items()
    stored = store.list_steps(run.id)[0]
    assert (stored.state, stored.tokens_used, stored.dependencies) == ("completed", 7, ("a", "b"))


@pytest.mark.parametrize(
    ("error", "state"),
    [(ValueError("x"), "failed"), (KeyboardInterrupt(), "cancelled"), (SystemExit(0), "completed")],
)
def test_how_a_step_is_left_decides_its_state(store: SqlStore, error: BaseException, state: str) -> None:
    with pytest.raises(type(error)), runline.run("r") as run, run.step("s"):
        raise error
    assert store.list_steps(run.id)[0].state == state
    ended = told(store, run.id)[2]
    assert ended.level == {"failed": "error", "cancelled": "warn", "completed": "info"}[state]


def test_a_step_may_be_ended_by_hand_once(store: SqlStore) -> None:
    with runline.run("r") as run:
        step = run.step("s", after="before").start()
        step.end("the disk was away")
        step.end()
        step.progress(50)
    events = told(store, run.id)[1:-1]
    assert [event.type for event in events] == ["step_started", "step_failed"]
    assert events[0].data == {"dependencies": ["before"]}
    assert events[1].data["error"] == "the disk was away"


def test_progress_never_falls(store: SqlStore) -> None:
    with runline.run("r") as run, run.step("s") as step:
        for percent in (10, 5, 10, 40, 1_000, -3):
            step.progress(percent)
        step.progress(7, action="last")
    assert progress_of(store, run.id) == [10, 40, 100, 100]
    assert told(store, run.id)[-3].data == {"progress": 100, "current_action": "last"}


def test_many_reports_are_thinned_and_the_last_comes_through(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1000.0
    monkeypatch.setattr("runline.record.step.monotonic", lambda: now_s)
    with runline.run("r") as run:
        step = run.step("s").start()
        for percent in range(60):
            step.progress(percent, action=f"page {percent}")
        now_s += 0.25
        for percent in range(60, 70):
            step.progress(percent)
        step.end("gave up")
        with run.step("t") as step:
            for percent in range(101):
                step.progress(percent)
    assert progress_of(store, run.id) == [*range(20), 60, 61, 69, *range(20), 100]
    assert told(store, run.id)[24].type == "step_progress"


def test_a_failing_step_that_made_no_progress_tells_none(store: SqlStore) -> None:
    with runline.run("r") as run, pytest.raises(ValueError, match="x"), run.step("s"):
        raise ValueError("x")
    assert progress_of(store, run.id) == []


def test_advancing_counts_against_the_total(store: SqlStore) -> None:
    with runline.run("r") as run, run.step("s", total=8) as step:
        step.advance()
        step.advance(3, action="half")
        step.advance(0, action="still half")
        for _ in range(8):
            step.advance()
    assert progress_of(store, run.id)[:4] == [12, 50, 50, 62]
    assert progress_of(store, run.id)[-1] == 100


def test_advancing_without_a_total_only_counts(store: SqlStore) -> None:
    with runline.run("r") as run, run.step("s") as step:
        step.advance(5, action="somewhere")
    assert progress_of(store, run.id) == []


def test_advancing_from_many_threads_loses_no_count(store: SqlStore) -> None:
    def work() -> None:
        for _ in range(1000):
            step.advance()

    with runline.run("r") as run, run.step("s", total=4000) as step:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert progress_of(store, run.id)[-1] == 100


def test_tracking_gives_the_same_items_and_reports(store: SqlStore) -> None:
    with runline.run("r") as run, run.step("s") as step:
        assert list(step.track(["a", "b", "c", "d"])) == ["a", "b", "c", "d"]
    assert progress_of(store, run.id) == [25, 50, 75, 100]


def test_tracking_something_without_a_length(store: SqlStore) -> None:
    def pages() -> Iterator[int]:
        yield from range(4)

    with runline.run("r") as run:
        with run.step("unknown") as step:
            assert list(step.track(pages())) == [0, 1, 2, 3]
        with run.step("told") as step:
            assert list(step.track(pages(), total=4)) == [0, 1, 2, 3]
        with run.step("of the step", total=8) as step:
            assert list(step.track(pages())) == [0, 1, 2, 3]
    assert progress_of(store, run.id) == [25, 50, 75, 100, 12, 25, 37, 50]


def test_tracking_asynchronously(store: SqlStore) -> None:
    async def pages() -> AsyncIterator[int]:
        for n in range(4):
            yield n

    async def main() -> runline.ActiveRun:
        async with runline.run("r") as run, run.step("s", total=4) as step:
            assert [n async for n in step.track(pages())] == [0, 1, 2, 3]
        return run

    assert progress_of(store, asyncio.run(main()).id) == [25, 50, 75, 100]


def test_long_tracks_report_by_the_thousandth(store: SqlStore) -> None:
    async def pages() -> AsyncIterator[int]:
        for n in range(2500):
            yield n

    async def main() -> runline.ActiveRun:
        async with runline.run("r") as run, run.step("s", total=2500) as step:
            assert [n async for n in step.track(pages())] == list(range(2500))
        return run

    assert progress_of(store, asyncio.run(main()).id)[-1] == 100


def test_tracking_a_million_items_makes_few_events(store: SqlStore) -> None:
    with runline.run("r") as run, run.step("s") as step:
        assert sum(1 for _ in step.track(range(1_000_000))) == 1_000_000
    assert 1 <= len(progress_of(store, run.id)) <= 101
    assert progress_of(store, run.id)[-1] == 100
    assert store.list_steps(run.id)[0].progress == 100


def test_leaving_a_tracked_loop_early_keeps_what_was_done(store: SqlStore) -> None:
    with runline.run("r") as run, run.step("s") as step:
        for n in step.track(range(10)):
            if n == 5:
                break
    assert progress_of(store, run.id) == [10, 20, 30, 40, 50]


def test_a_step_ended_elsewhere_leaves_the_context_alone() -> None:
    with runline.run("r") as run, run.step("outer"):
        inner = run.step("inner").start()
        thread = threading.Thread(target=inner.end)
        thread.start()
        thread.join()
        assert run.environment()["RUNLINE_STEP"] == "inner"
        STEP.set(inner.outer)


def test_a_name_that_is_none() -> None:
    with runline.run("r") as run, run.step("  ") as step:
        assert step.name == "step"
