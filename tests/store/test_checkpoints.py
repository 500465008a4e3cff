"""The state as of any event, with checkpoints, without them, and when they are damaged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runline.model.errors import Invalid, NotFound
from runline.store import checkpoints
from runline.store.sql_store import SqlStore
from runline.testing.streams import folded, tagged


@pytest.fixture
def long_run(store: SqlStore) -> str:
    run_id = store.create_run("long").run_id
    for n in range(120):
        store.append(
            run_id,
            [
                {"type": "step_started", "step": f"s{n}"},
                *tagged("w", 18),
                {"type": "step_completed", "step": f"s{n}"},
            ],
        )
    return run_id


def test_any_event_of_a_long_run_starts_from_the_checkpoint_before_it(store: SqlStore, long_run: str) -> None:
    kept = [seq for (seq,) in store.engine.query("SELECT seq FROM checkpoints ORDER BY seq")]
    assert len(kept) == 2
    states = list(store.replay(long_run))
    for seq in (1, kept[0] - 1, kept[0], kept[0] + 1, kept[1], 2401):
        assert store.state(long_run, at_seq=seq) == states[seq - 1]
    assert states[-1] == folded(store, long_run)


@pytest.mark.parametrize("state", [b"", b"not compressed", None])
def test_a_checkpoint_that_is_damaged_or_gone_is_made_up_for(
    store: SqlStore, long_run: str, state: bytes | None
) -> None:
    expected = store.state(long_run, at_seq=2_000)

    def damage() -> None:
        with store.engine.transaction() as tx:
            if state is None:
                tx.execute("DELETE FROM checkpoints")
            else:
                tx.execute("UPDATE checkpoints SET state = ?", (state,))

    store.writer.between(damage)
    assert store.state(long_run, at_seq=2_000) == expected


def test_a_checkpoint_of_another_version_is_none() -> None:
    import zlib

    import msgspec

    assert checkpoints.unpack(zlib.compress(msgspec.msgpack.encode({"another": "shape"}))) is None


@pytest.mark.parametrize(
    ("size_bytes", "events"),
    [(0, 1_000), (400, 1_000), (28_000, 7_000), (281_000, 10_000), (3_000_000, 100_000)],
)
def test_checkpoints_are_as_far_apart_as_they_are_large(size_bytes: int, events: int) -> None:
    assert checkpoints.spacing(size_bytes) == events


@pytest.mark.parametrize("at_seq", [0, -1, 4, 2**70])
def test_there_is_no_state_as_of_an_event_that_is_not_there(store: SqlStore, at_seq: int) -> None:
    run_id = store.create_run("short").run_id
    store.append(run_id, tagged("a", 2))
    with pytest.raises(Invalid) as told:
        store.state(run_id, at_seq=at_seq)
    assert told.value.fields == {"at_seq": "no such event"}


@pytest.fixture
def halfway(store: SqlStore, long_run: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """A replay that has begun, page by page."""
    monkeypatch.setattr(checkpoints, "_PAGE", 10)
    replay = store.replay(long_run)
    assert next(replay).seq == 1
    return replay


def test_a_replay_of_a_run_that_is_removed_meanwhile_is_told(
    store: SqlStore, long_run: str, halfway: Iterator[object]
) -> None:
    store.end_run(long_run)
    store.delete_run(long_run)
    with pytest.raises(NotFound) as told:
        list(halfway)
    assert told.value.code == "pruned"


def test_a_replay_ends_where_the_log_has_been_cut_off(
    store: SqlStore, long_run: str, halfway: Iterator[object]
) -> None:
    def cut() -> None:
        with store.engine.transaction() as tx:
            tx.execute("DROP TRIGGER events_leave_with_their_run")
            tx.execute("DELETE FROM events WHERE seq > 25")

    store.writer.between(cut)
    assert len(list(halfway)) == 24


def test_a_replay_goes_no_further_than_asked(store: SqlStore, long_run: str) -> None:
    assert [state.seq for state in store.replay(long_run, to_seq=3)] == [1, 2, 3]
    assert list(store.replay(long_run, to_seq=0)) == []
    assert len(list(store.replay(long_run, to_seq=10**9))) == 2401
