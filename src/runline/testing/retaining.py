"""Invariant 9: pruning never touches active, interrupted, pinned or annotated runs; what goes, goes whole."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from runline.model.clock import ManualClock, to_iso
from runline.model.errors import Conflict, NotFound
from runline.store.interface import Store
from runline.testing.place import Place
from runline.testing.streams import tagged, whole

_LIMITS: dict[str, dict[str, Any]] = {
    "age": {"older_than_days": 0, "keep": None},
    "count": {"older_than_days": None, "keep": 0},
    "size": {"older_than_days": None, "keep": None, "max_size_bytes": 0},
}


def one_of_each(store: Store, clock: ManualClock) -> tuple[set[str], set[str]]:
    """Runs that must stay, and runs that may go, all of them an hour old and silent."""
    stay: set[str] = set()
    go: set[str] = set()
    for status in ("completed", "failed", "cancelled"):
        run_id = store.create_run(f"plain {status}").run_id
        store.append(
            run_id, [*tagged("x", 5), {"type": "artifact_created", "step": "s", "data": {"name": "a"}}]
        )
        store.end_run(run_id, status)
        go.add(run_id)
    active, silent = store.create_run("active").run_id, store.create_run("silent").run_id
    pinned, annotated, given_up = (
        store.create_run(name).run_id for name in ("pinned", "annotated", "given up")
    )
    store.heartbeat(silent)
    store.pin(pinned)
    store.add_note(annotated, "keep this one")
    store.end_run(pinned)
    store.end_run(annotated)
    store.end_run(given_up, "interrupted")
    queued = store.import_run({"run_id": "queued"}, [{"type": "run_queued", "ts": to_iso(clock.now_ms())}])
    stay |= {active, silent, pinned, annotated, given_up, queued.run_id}
    clock.advance(s=3600)
    store.append(active, tagged("alive", 1))
    return stay, go


class RetentionContract:
    @pytest.mark.parametrize("by", list(_LIMITS))
    def test_protected_runs_stay_whole_and_the_rest_goes_with_all_its_rows(
        self, place: Place, by: str
    ) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        stay, go = one_of_each(store, clock)
        before = {run_id: (store.get_run(run_id), whole(store, run_id)) for run_id in stay}
        planned = store.prune(dry_run=True, **_LIMITS[by])
        assert (planned.matched, planned.removed) == (len(go), 0)
        assert {run.run_id for run in planned.runs} == go
        report = store.prune(**_LIMITS[by])
        assert {run.run_id for run in report.runs} == go
        assert {run.run_id for run in store.list_runs(limit=100).items} == stay
        assert {run_id: (store.get_run(run_id), whole(store, run_id)) for run_id in stay} == before
        for run_id in go:
            with pytest.raises(NotFound) as told:
                store.get_run(run_id)
            assert told.value.code == "pruned"
            with pytest.raises(NotFound):
                store.read(run_id)
            with pytest.raises(NotFound):
                store.append(run_id, tagged("late", 1))
        assert store.prune(**_LIMITS[by]).matched == 0

    def test_an_unpinned_run_may_go(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("pinned for a while").run_id
        store.end_run(run_id)
        store.pin(run_id)
        assert store.get_run(run_id).pinned
        assert store.prune(older_than_days=None, keep=0).removed == 0
        store.pin(run_id, False)
        assert store.prune(older_than_days=None, keep=0).removed == 1

    def test_only_an_ended_run_can_be_deleted(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("delete").run_id
        with pytest.raises(Conflict):
            store.delete_run(run_id)
        store.end_run(run_id)
        store.delete_run(run_id)
        with pytest.raises(NotFound):
            store.get_run(run_id)

    def test_a_follower_of_a_deleted_run_is_told(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("delete while followed").run_id
        store.append(run_id, tagged("a", 600))
        store.end_run(run_id)
        follower, replay = store.follow(run_id), store.replay(run_id)
        assert next(follower).seq == next(replay).seq == 1
        store.delete_run(run_id)
        if place.reads_ahead:
            with suppress(NotFound):
                assert [event.seq for event in follower] == list(range(2, 603))
        else:
            with pytest.raises(NotFound):
                list(follower)

    def test_event_ids_are_not_used_again(self, place: Place) -> None:
        store = place.open()
        first = store.create_run("first").run_id
        last = store.end_run(first)
        store.delete_run(first)
        second = store.create_run("second").run_id
        assert store.read(second)[0].id > last.id
        assert place.open().read(second)[0].id > last.id

    def test_a_pruned_id_may_be_used_again(self, place: Place) -> None:
        store = place.open()
        for name in ("first", "second"):
            assert store.create_run(name, run_id="again").last_seq == 1
            assert store.append("again", tagged(name, 2))[-1].seq == 3
            store.end_run("again")
            assert store.get_run("again").name == name
            store.delete_run("again")
