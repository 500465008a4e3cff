"""Invariants 1, 2, 3 and 5: order without gaps, durable, whole batches, and nothing after the end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from runline.model.errors import Conflict, Invalid, NotFound, RunEnded
from runline.model.limits import Limits
from runline.store.interface import Store
from runline.testing.place import Place
from runline.testing.streams import tagged, whole


def at_once(*work: Callable[[], object]) -> None:
    """Runs each in a thread of its own, from the same moment on; raises what one of them raises."""
    gate = threading.Barrier(len(work))

    def run(task: Callable[[], object]) -> None:
        gate.wait()
        task()

    with ThreadPoolExecutor(len(work)) as pool:
        for done in [pool.submit(run, task) for task in work]:
            done.result()


def each_alone(store: Store, run_id: str, writer: str, count: int) -> Callable[[], None]:
    """A task that appends `count` events of one writer, in batches of 1, 2, 3, 4, 1 …"""

    def work() -> None:
        done = 0
        while done < count:
            size = min(done % 4 + 1, count - done)
            stored = store.append(run_id, tagged(writer, size, first=done))
            assert [event.data["n"] for event in stored] == list(range(done, done + size))
            done += size

    return work


class OrderContract:
    """Invariant 1: within a run, `seq` is 1, 2, 3 … in commit order, whoever writes."""

    def test_two_threads_of_1000_events_leave_no_gap(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("threads").run_id
        at_once(each_alone(store, run_id, "a", 1000), each_alone(store, run_id, "b", 1000))
        self._check(store, run_id, {"a": 1000, "b": 1000})

    def test_two_handles_of_one_store_leave_no_gap(self, place: Place) -> None:
        left, right = place.open(), place.open()
        run_id = left.create_run("handles").run_id
        at_once(each_alone(left, run_id, "a", 500), each_alone(right, run_id, "b", 500))
        self._check(right, run_id, {"a": 500, "b": 500})

    def test_many_threads_may_write_many_runs(self, place: Place) -> None:
        store = place.open()
        runs = [store.create_run(f"run {n}").run_id for n in range(6)]
        at_once(*(each_alone(store, run_id, run_id, 60) for run_id in runs))
        for run_id in runs:
            self._check(store, run_id, {run_id: 60})

    def test_ids_rise_with_seq(self, place: Place) -> None:
        store = place.open()
        one, other = store.create_run("one").run_id, store.create_run("other").run_id
        for n in range(5):
            store.append(one, tagged("a", 3, first=3 * n))
            store.append(other, tagged("b", 2, first=2 * n))
        ids = [event.id for event in whole(store, one)]
        assert ids == sorted(set(ids))
        assert not set(ids) & {event.id for event in whole(store, other)}

    @staticmethod
    def _check(store: Store, run_id: str, wrote: dict[str, int]) -> None:
        events = whole(store, run_id)
        assert [event.seq for event in events] == list(range(1, sum(wrote.values()) + 2))
        for writer, count in wrote.items():
            numbers = [event.data["n"] for event in events[1:] if event.data["writer"] == writer]
            assert numbers == list(range(count))
        assert store.get_run(run_id).last_seq == len(events)


class DurableContract:
    """Invariants 2 and 3: what was acknowledged is there, and a batch is there whole or not at all."""

    def test_what_append_returned_is_there_when_opened_again(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("durable").run_id
        acknowledged = [
            event for n in range(20) for event in store.append(run_id, tagged("a", 3, first=3 * n))
        ]
        other = place.open()  # while the first is still open: nothing waits for its closing
        assert whole(other, run_id)[1:] == acknowledged
        store.close()
        assert whole(place.open(), run_id)[1:] == acknowledged

    def test_a_refused_event_takes_its_whole_batch_along(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("whole").run_id
        store.append(run_id, [{"message": "first", "event_id": "one"}])
        before = store.get_run(run_id)
        with pytest.raises(Conflict):
            store.append(run_id, [*tagged("a", 5), {"message": "changed", "event_id": "one"}])
        with pytest.raises(Conflict):
            store.append(run_id, [{"type": "run_ended", "data": {"status": "completed"}}, *tagged("a", 1)])
        with pytest.raises(Invalid):
            store.append(run_id, [*tagged("a", 5), {"message": "x", "event_id": "y" * 200}])
        assert store.get_run(run_id) == before
        assert len(whole(place.open(), run_id)) == 2

    def test_an_empty_batch_changes_nothing(self, place: Place) -> None:
        store = place.open()
        run = store.create_run("empty")
        assert store.append(run.run_id, []) == []
        assert store.get_run(run.run_id) == run

    def test_an_unknown_run_takes_no_events(self, place: Place) -> None:
        with pytest.raises(NotFound) as told:
            place.open().append("nobody", tagged("a", 1))
        assert told.value.code == "run_not_found"

    def test_a_taken_id_makes_no_second_run(self, place: Place) -> None:
        store = place.open()
        store.create_run("first", run_id="mine")
        with pytest.raises(Conflict) as told:
            place.open().create_run("second", run_id="mine")
        assert told.value.code == "run_exists"
        assert store.get_run("mine").name == "first"


class EndContract:
    """Invariant 5: nothing follows an end event."""

    @pytest.mark.parametrize("kind", ["run", "session"])
    @pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "interrupted"])
    def test_an_append_after_the_end_is_refused(self, place: Place, kind: str, status: str) -> None:
        store = place.open()
        run_id = store.create_run("over", kind=kind).run_id
        end = store.end_run(run_id, status, error="it broke" if status == "failed" else None)
        before, events = store.get_run(run_id), whole(store, run_id)
        assert before.status == status
        assert events[-1] == end
        for late in (tagged("a", 1), [], [{"type": "run_ended", "data": {"status": "completed"}}]):
            for handle in (store, place.open()):
                with pytest.raises(RunEnded):
                    handle.append(run_id, late)
        with pytest.raises(RunEnded):
            store.end_run(run_id, "completed")
        assert store.get_run(run_id) == before
        assert whole(store, run_id) == events

    def test_only_one_of_many_racing_ends_is_stored(self, place: Place) -> None:
        handles = [place.open(), place.open()]
        run_id = handles[0].create_run("race").run_id
        ended: list[str] = []

        def end(store: Store, status: str) -> Callable[[], None]:
            def work() -> None:
                for n in range(20):
                    try:
                        store.append(run_id, tagged(status, 1, first=n))
                    except RunEnded:
                        break
                try:
                    store.end_run(run_id, status)
                except RunEnded:
                    return
                ended.append(status)

            return work

        at_once(*(end(store, status) for store in handles for status in ("completed", "failed")))
        events = whole(handles[0], run_id)
        assert len(ended) == 1
        assert [event.type for event in events].count("run_ended") == 1
        assert events[-1].type == "run_ended"
        assert handles[1].get_run(run_id).status == ended[0]

    def test_appending_the_end_type_is_ending_the_run(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("by append").run_id
        last = store.append(run_id, [{"type": "run_ended", "data": {"status": "failed", "error": "no"}}])[0]
        run = store.get_run(run_id)
        assert (run.status, run.error_message, run.last_seq) == ("failed", "no", last.seq)

    def test_the_end_is_stored_beyond_the_limit_of_events(self, place: Place) -> None:
        store = place.open(limits=Limits(run_events=5))
        run_id = store.create_run("limit").run_id
        first = store.append(run_id, tagged("a", 3))
        more = store.append(run_id, tagged("b", 4))
        end = store.end_run(run_id)
        assert [event.seq for event in first] == [2, 3, 4]
        assert [event.data["n"] for event in more] == [0]
        assert end.type == "run_ended"
        events = whole(store, run_id)
        assert [event.type for event in events[-3:]] == ["log", "limit_reached", "run_ended"]
        assert events[-1] == end
        assert store.get_run(run_id).status == "completed"
