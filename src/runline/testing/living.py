"""Invariants 8 and 10: a run's live state is the same wherever it is told, and a tenant sees only its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from runline.model.clock import ManualClock, SystemClock, to_iso
from runline.model.errors import Conflict, NotFound
from runline.model.status import RUN_STATUSES, SILENT_AFTER_MS, UNANNOUNCED_AFTER_MS
from runline.store.interface import Store
from runline.testing.place import Place
from runline.testing.streams import tagged


class LivenessContract:
    """Invariant 8. A run that announced a writer is judged by its signs of life, any other by its last append."""

    def told(self, place: Place, store: Store, run_id: str) -> str:
        """The run's status, after making sure that every way of asking gives the same."""
        status = store.get_run(run_id).status
        assert [run.status for run in store.list_runs(limit=100).items if run.run_id == run_id] == [status]
        for other in RUN_STATUSES:
            listed = {run.run_id for run in store.list_runs(status=other, limit=100).items}
            assert (run_id in listed) == (other == status)
            unlisted = {run.run_id for run in store.list_runs(q=f"-status:{other}", limit=100).items}
            assert (run_id in unlisted) == (other != status)
        counted = store.counts(q=f'"{run_id}"').by_status
        assert {name: n for name, n in counted.items() if n} == {status: 1}
        assert store.summary(run_id).status == status
        assert store.state(run_id).status == status
        return status

    def test_an_announced_run_is_interrupted_after_30_s_of_silence(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        run_id = store.create_run("announced").run_id
        store.heartbeat(run_id)
        clock.advance(ms=SILENT_AFTER_MS)
        assert self.told(place, store, run_id) == "running"
        clock.advance(ms=1)
        assert self.told(place, store, run_id) == "interrupted"
        store.heartbeat(run_id)
        assert self.told(place, store, run_id) == "running"
        clock.advance(ms=SILENT_AFTER_MS + 1)
        assert self.told(place, place.open(clock=clock), run_id) == "interrupted"

    def test_a_run_paused_for_20_s_is_not_interrupted(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        run_id = store.create_run("paused").run_id
        store.heartbeat(run_id)
        clock.advance(s=5 + 20)
        assert self.told(place, store, run_id) == "running"

    def test_an_unannounced_run_is_interrupted_after_15_min_of_silence(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        run_id = store.create_run("unannounced").run_id
        clock.advance(ms=UNANNOUNCED_AFTER_MS)
        assert self.told(place, store, run_id) == "running"
        clock.advance(ms=1)
        assert self.told(place, store, run_id) == "interrupted"
        store.append(run_id, tagged("a", 1))
        assert self.told(place, store, run_id) == "running"

    def test_silence_is_measured_by_the_store_not_by_the_events(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        run_id = store.create_run("old events", started_at_ms=clock.now_ms() - 10**9).run_id
        store.append(run_id, [{"type": "log", "ts": "2001-01-01T00:00:00Z"}])
        assert self.told(place, store, run_id) == "running"

    def test_a_pending_or_ended_run_is_never_interrupted(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        runs = {store.create_run(status).run_id: status for status in ("completed", "failed", "cancelled")}
        for run_id, status in runs.items():
            store.heartbeat(run_id)
            store.end_run(run_id, status)
        queued = store.import_run(
            {"run_id": "queued"}, [{"type": "run_queued", "ts": to_iso(clock.now_ms())}]
        )
        runs[queued.run_id] = "pending"
        clock.advance(s=10**6)
        for run_id, status in runs.items():
            assert self.told(place, store, run_id) == status

    def test_a_clock_that_steps_back_interrupts_nobody(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        run_id = store.create_run("stepping").run_id
        store.heartbeat(run_id)
        clock.advance(s=-3600)
        assert self.told(place, store, run_id) == "running"

    def test_the_views_tell_it_as_the_store_does(self, place: Place) -> None:
        """The views judge by the database's clock, so the runs are written by a clock that lags behind it."""
        store, now_ms = place.open(), SystemClock().now_ms()
        for name, silent_ms, announced in (
            ("fresh", 0, True),
            ("quiet", SILENT_AFTER_MS - 20_000, True),
            ("silent", SILENT_AFTER_MS + 20_000, True),
            ("slow", UNANNOUNCED_AFTER_MS - 20_000, False),
            ("gone", UNANNOUNCED_AFTER_MS + 20_000, False),
        ):
            lagging = place.open(clock=ManualClock(now_ms - silent_ms))
            lagging.create_run(name, run_id=name)
            if announced:
                lagging.heartbeat(name)
        ended = place.open(clock=ManualClock(now_ms - 10**9))
        for status in ("completed", "failed", "cancelled"):
            ended.create_run(status, run_id=status)
            ended.end_run(status, status)
        told = {run.run_id: run.status for run in store.list_runs(limit=100).items}
        assert {run_id for run_id, status in told.items() if status == "interrupted"} == {"silent", "gone"}
        assert dict(place.sql("SELECT run_id, status FROM pipeline_run")) == told
        as_sessions = {key: "active" if status == "running" else status for key, status in told.items()}
        assert dict(place.sql("SELECT session_id, status FROM obs_sessions")) == as_sessions
        assert dict(place.sql("SELECT session_id, latest_status FROM obs_session_meta")) == as_sessions

    def test_cancelling_asks_a_live_run_and_ends_a_silent_one(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        live, silent, forced = (store.create_run(name).run_id for name in ("live", "silent", "forced"))
        assert store.cancel(live) == "cancelling"
        assert store.cancel(live) == "cancelling"
        run = store.get_run(live)
        assert (run.status, run.cancel_requested, run.last_seq) == ("running", True, 2)
        assert store.cancel(forced, force=True) == "cancelled"
        assert self.told(place, store, forced) == "cancelled"
        store.heartbeat(silent)
        clock.advance(s=31)
        assert store.cancel(silent) == "cancelled"
        assert store.cancel(live, force=True) == "cancelled"
        for run_id in (live, silent, forced):
            assert self.told(place, store, run_id) == "cancelled"
            with pytest.raises(Conflict) as told:
                store.cancel(run_id)
            assert told.value.code == "not_active"


def _readings(store: Store, run_id: str, other: str) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every method that is given a run's id."""
    yield "get_run", lambda: store.get_run(run_id)
    yield "read", lambda: store.read(run_id)
    yield "read after_id", lambda: store.read(run_id, after_id=1)
    yield "index", lambda: next(store.index(run_id))
    yield "follow", lambda: next(store.follow(run_id, timeout_s=0))
    yield "state", lambda: store.state(run_id)
    yield "state at_seq", lambda: store.state(run_id, at_seq=1)
    yield "replay", lambda: next(store.replay(run_id))
    yield "summary", lambda: store.summary(run_id)
    yield "list_steps", lambda: store.list_steps(run_id)
    yield "list_artifacts", lambda: store.list_artifacts(run_id)
    yield "read_artifact", lambda: store.read_artifact(run_id, None, "a")
    yield "open_artifact", lambda: store.open_artifact(run_id, None, "a")
    yield "put_artifact", lambda: store.put_artifact(run_id, "a", b"x")
    yield "count_events", lambda: store.count_events(run_id)
    yield "list_notes", lambda: store.list_notes(run_id)
    yield "calls", lambda: store.calls(run_id)
    yield "histogram", lambda: store.histogram(run_id)
    yield "failure", lambda: store.failure(run_id)
    yield "compare left", lambda: store.compare(run_id, other)
    yield "compare right", lambda: store.compare(other, run_id)
    yield "append", lambda: store.append(run_id, tagged("a", 1))
    yield "append nothing", lambda: store.append(run_id, [])
    yield "end_run", lambda: store.end_run(run_id)
    yield "heartbeat", lambda: store.heartbeat(run_id)
    yield "cancel", lambda: store.cancel(run_id, force=True)
    yield "add_note", lambda: store.add_note(run_id, "a note")
    yield "pin", lambda: store.pin(run_id)
    yield "delete_run", lambda: store.delete_run(run_id)


class TenantContract:
    """Invariant 10: another tenant's id answers exactly as one that does not exist."""

    def test_another_tenants_run_answers_like_one_that_is_not_there(self, place: Place) -> None:
        store = place.open()
        ours, theirs = store.scoped("ours"), store.scoped("theirs")
        mine = ours.create_run("mine").run_id
        hers = theirs.create_run("hers").run_id
        theirs.append(hers, tagged("x", 3))
        before = theirs.get_run(hers)
        unknown = dict(_readings(ours, "nobody", mine))
        for name, ask in _readings(ours, hers, mine):
            answers = []
            for question, run_id in ((ask, hers), (unknown[name], "nobody")):
                with pytest.raises(NotFound) as told:
                    question()
                answers.append((told.value.code, told.value.message.replace(run_id, "…")))
            assert answers[0] == answers[1], name
        assert theirs.get_run(hers) == before

    def test_lists_counts_and_followers_hold_only_ones_own(self, place: Place) -> None:
        store = place.open()
        ours, theirs = store.scoped("ours"), store.scoped("theirs")
        mine, hers = ours.create_run("same").run_id, theirs.create_run("same", tenant="ours").run_id
        assert theirs.get_run(hers).tenant_id == "theirs"
        assert [run.run_id for run in ours.list_runs().items] == [mine]
        assert [run.run_id for run in store.list_runs(name="same").items] == [hers, mine] or [mine, hers]
        assert (ours.counts().total, theirs.counts().total, store.counts().total) == (1, 1, 2)
        assert [run.run_id for run in ours.follow_runs(timeout_s=0)] == [mine]
        start = "ZTA"
        assert {event.run_id for _, event in theirs.follow_all(cursor=start, timeout_s=0)} == {hers}
        assert {event.run_id for _, event in store.follow_all(cursor=start, timeout_s=0)} == {mine, hers}

    def test_keys_of_two_tenants_do_not_meet(self, place: Place) -> None:
        store = place.open()
        one = store.scoped("one").create_run("x", input=1, idempotency_key="k")
        two = store.scoped("two").create_run("x", input=2, idempotency_key="k")
        assert one.run_id != two.run_id
        with pytest.raises(Conflict) as told:
            store.scoped("two").create_run("y", run_id=one.run_id)
        assert told.value.code == "run_exists"

    def test_the_usual_of_a_name_is_the_tenants_own(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        theirs = store.scoped("theirs").create_run("job").run_id
        clock.advance(s=60)
        store.scoped("theirs").end_run(theirs)
        assert store.scoped("ours").create_run("job").usual is None
        usual = store.scoped("theirs").create_run("job").usual
        assert usual is not None
        assert (usual.p50_ms, usual.n) == (60_000, 1)
