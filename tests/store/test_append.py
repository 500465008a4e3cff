"""Invariants 1 and 6 from the inside: caches that forget, limits, races, checkpoints."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import Conflict
from runline.model.event import Draft
from runline.model.limits import Limits
from runline.store import append, checkpoints
from runline.store.append import Appender
from runline.store.jobs import Job
from runline.store.sql_store import SqlStore
from runline.testing.place import SqlitePlace
from runline.testing.projecting import ProjectionContract
from runline.testing.streams import tagged, whole


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


class TestForgetfulCaches(ProjectionContract):
    """Invariant 6 holds when hardly anything stays cached, and when everything is checkpointed."""

    examples = 120

    @pytest.fixture(autouse=True)
    def forgetful(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(append, "_CACHED_RUNS", 1)
        monkeypatch.setattr(append, "_CACHED_STEPS", 2)
        monkeypatch.setattr(append, "_CACHED_CALLS", 1)
        monkeypatch.setattr(append, "_CACHED_SHAPES", 2)
        monkeypatch.setattr(checkpoints, "spacing", lambda state_bytes: 5)

    @pytest.fixture
    def place(self, tmp_path: Path) -> Iterator[SqlitePlace]:
        place = SqlitePlace(tmp_path)
        yield place
        place.close()


def drafts(store: SqlStore, count: int, **fields: Any) -> list[Draft]:
    from runline.intake.accept import accept

    return [accept({"message": f"{n}", **fields}, now_ms=store.clock.now_ms()) for n in range(count)]


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize("size", [1, 3, 4, 5, 9])
def test_the_limit_of_a_run_is_told_once_and_the_end_fits(place: SqlitePlace, size: int, ended: bool) -> None:
    store = place.open(limits=Limits(run_events=5))
    run_id = store.create_run("limit").run_id
    end = [{"type": "run_ended", "data": {"status": "completed"}}] if ended else []
    stored = store.append(run_id, [*tagged("a", size), *end])
    kept = min(size, 4)
    assert [event.data["n"] for event in stored[:kept]] == list(range(kept))
    assert [event.type for event in stored[kept:]] == ["run_ended"] * ended
    if not ended:
        assert len(store.append(run_id, tagged("b", 6))) == max(0, 4 - size)
        store.end_run(run_id)
    types = [event.type for event in whole(store, run_id)]
    beyond = not ended or size + 1 > 4
    assert types.count("limit_reached") == beyond
    assert types[-1] == "run_ended"
    assert types.count("log") == kept + (0 if ended else max(0, 4 - size))


def test_a_writer_that_lost_a_race_stores_nothing(store: SqlStore) -> None:
    run_id = store.create_run("race").run_id
    events = drafts(store, 2)

    def overtaken(appender: Appender, given: Any) -> None:
        entry = appender.entry(run_id)
        appender.tx.execute("UPDATE runs SET last_seq = 7 WHERE run = ?", (entry.run,))
        appender.add(entry, given)

    with pytest.raises(Conflict) as told:
        store.writer.submit(Job(overtaken, events))
    assert told.value.code == "lost_race"
    assert store.get_run(run_id).last_seq == 1
    assert store.append(run_id, tagged("a", 1))[0].seq == 2


def test_a_failed_transaction_leaves_no_code_behind(store: SqlStore) -> None:
    run_id = store.create_run("codes").run_id

    def failing(appender: Appender, given: Any) -> None:
        appender.add(appender.entry(run_id), given)
        raise ZeroDivisionError

    with pytest.raises(Exception, match="ZeroDivisionError"):
        store.writer.submit(Job(failing, drafts(store, 1, type="never_seen", source="nobody")))
    assert "never_seen" not in store.codes.names("types").values()
    stored = store.append(run_id, [{"type": "seen", "source": "somebody"}])
    assert (stored[0].type, stored[0].source, stored[0].seq) == ("seen", "somebody", 2)


def test_a_run_that_took_anothers_place_is_read_anew(place: SqlitePlace) -> None:
    left, right = place.open(), place.open()
    left.create_run("first", run_id="same")
    right.create_run("other", run_id="other")
    left.append("same", tagged("a", 2))
    right.end_run("same")
    right.delete_run("same")
    right.create_run("second", run_id="same")
    right.append("same", tagged("b", 2))
    stored = left.append("same", tagged("c", 1))
    assert [event.data.get("writer") for event in whole(left, "same")] == [None, "b", "b", "c"]
    assert stored[0].seq == 4


def test_one_transaction_may_touch_a_run_twice(store: SqlStore) -> None:
    run_id = store.create_run("twice").run_id

    def twice(appender: Appender, given: list[Draft]) -> list[int]:
        first = appender.add(appender.entry(run_id), given[:1])
        second = appender.add(appender.entry(run_id), given[1:])
        return [first.last_seq, second.last_seq]

    assert store.writer.submit(Job(twice, drafts(store, 3))) == [2, 4]  # type: ignore[arg-type]
    assert [event.seq for event in whole(store, run_id)] == [1, 2, 3, 4]


def test_a_checkpoint_holds_what_is_not_cached(place: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append, "_CACHED_STEPS", 3)
    monkeypatch.setattr(append, "_CACHED_CALLS", 3)
    store = place.open(clock=ManualClock())
    run_id = store.create_run("checkpoints").run_id
    for n in range(300):
        store.append(
            run_id,
            [
                {"type": "step_started", "step": f"s{n}"},
                {"type": "tool_call", "correlation_id": f"c{n}", "data": {"name": "x"}},
                *tagged("w", 2),
            ],
        )
    assert store.engine.query("SELECT count(*), min(seq) FROM checkpoints") == [(1, 1001)]
    state = store.state(run_id, at_seq=1003)
    assert (state.total_steps, state.call_count, len(state.open_calls)) == (251, 251, 251)
    assert state == list(store.replay(run_id, to_seq=1003))[-1]
