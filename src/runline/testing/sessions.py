"""The tests that seed 003 requires of a store, by the names that it gives them."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import NotFound
from runline.model.event import Event
from runline.model.status import UNANNOUNCED_AFTER_MS
from runline.store.interface import Store
from runline.testing.place import Place
from runline.testing.streams import folded, tagged, whole

_DAY_S = 86_400


def session(store: Store, command: str = "context generate") -> str:
    """A session that has just started; its id."""
    return store.create_run(command, kind="session").run_id


class SessionContract:
    """Seed 003, section 12: unit tests, integration tests."""

    def test_event_serialization_to_valid_json(self, place: Place) -> None:
        store = place.open()
        session_id = session(store)
        store.append(
            session_id, [{"type": "file_changed", "data": {"path": 'a "b"\n\\c\u2028', "kind": "é"}}]
        )
        for event in whole(store, session_id):
            told = json.loads(event.to_json())
            assert list(told)[:5] == ["id", "run_id", "seq", "ts", "type"]
            assert (told["run_id"], told["seq"], told["data"]) == (session_id, event.seq, event.data)

    def test_event_deserialization_equivalence(self, place: Place) -> None:
        store = place.open()
        session_id = session(store)
        store.append(session_id, [{"type": "scan_progress", "data": {"node_count": 3, "total_nodes": 9.5}}])
        for event in whole(store, session_id):
            assert Event.from_json(event.to_json()) == event

    def test_unknown_fields_ignored(self, place: Place) -> None:
        store = place.open()
        session_id = session(store)
        known = [{"type": "level_started", "data": {"level_index": 0, "total_count": 2}}]
        store.append(session_id, known)
        expected = store.state(session_id)
        store.append(session_id, [{"type": "from_the_future", "data": {"level_index": 7}, "novel": {"x": 1}}])
        state = store.state(session_id)
        assert (state.levels, state.steps, state.status) == (expected.levels, expected.steps, expected.status)
        text = json.loads(whole(store, session_id)[1].to_json()) | {"novel": True}
        assert Event.from_json(json.dumps(text)) == whole(store, session_id)[1]

    def test_timestamp_format_validation(self, place: Place) -> None:
        store = place.open()
        session_id = session(store)
        store.append(session_id, [{"type": "note", "ts": "2026-11-20T12:00:00.1239+02:00"}, {"type": "note"}])
        texts = [json.loads(event.to_json())["ts"] for event in whole(store, session_id)]
        assert texts[1] == "2026-11-20T10:00:00.123Z"
        assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text) for text in texts)

    def test_session_id_uniqueness_under_rapid_creation(self, place: Place) -> None:
        clock = ManualClock()  # stands still, so time makes no id unique
        handles = [place.open(clock=clock) for _ in range(2)]
        with ThreadPoolExecutor(4) as pool:
            ids = list(pool.map(lambda n: session(handles[n % 2]), range(200)))
        assert len(set(ids)) == 200

    def test_sequence_assignment_monotonic_per_session(self, place: Place) -> None:
        store = place.open()
        sessions = [session(store) for _ in range(3)]
        seqs: dict[str, list[int]] = {session_id: [1] for session_id in sessions}
        for n in range(30):
            session_id = sessions[n * n % 3]
            seqs[session_id] += [event.seq for event in store.append(session_id, tagged("w", n % 4 + 1))]
        for session_id, given in seqs.items():
            assert (
                given == list(range(1, len(given) + 1)) == [event.seq for event in whole(store, session_id)]
            )

    def test_key_encoding_preserves_lexical_order_for_session_id_seq(self, place: Place) -> None:
        store = place.open()
        for session_id in ("b", "a", "a.b", "a-b"):
            store.create_run("keys", kind="session", run_id=session_id)
            store.append(session_id, tagged("w", 11))
        rows = place.sql("SELECT key, session_id, seq FROM obs_events")
        assert len(rows) == 4 * 12
        assert all(key == f"{session_id}:{seq:020d}" for key, session_id, seq in rows)
        for session_id in ("a", "b", "a.b", "a-b"):
            mine = sorted(row for row in rows if row[1] == session_id)
            assert [seq for _, _, seq in mine] == list(range(1, 13))

    def test_session_started_commits_as_sequence_1(self, place: Place) -> None:
        store = place.open()
        first = whole(store, session(store, "watch"))[0]
        assert (first.seq, first.type, first.data["command"]) == (1, "session_started", "watch")

    def test_ten_emitted_events_commit_as_ten_sequential_records(self, place: Place) -> None:
        store = place.open()
        session_id = session(store)
        for n in range(10):
            store.append(session_id, [{"type": "request_enqueued", "data": {"request_id": n}}])
        events = whole(place.open(), session_id)[1:]
        assert [(event.seq, event.data["request_id"]) for event in events] == [(n + 2, n) for n in range(10)]

    def test_session_ended_commits_as_final_record_in_completed_session(self, place: Place) -> None:
        store = place.open()
        session_id = session(store)
        store.append(session_id, tagged("w", 3))
        store.append(session_id, [{"type": "session_ended", "data": {"status": "completed"}}])
        last = whole(store, session_id)[-1]
        assert (last.seq, last.type, store.get_run(session_id).status) == (5, "session_ended", "completed")

    def test_follow_query_reads_newly_committed_events_during_active_session(self, place: Place) -> None:
        writer, reader = place.open(), place.open()
        session_id = session(writer)
        follower = reader.follow(session_id)
        assert next(follower).type == "session_started"
        for n in range(5):
            stored = writer.append(session_id, tagged("w", 1, first=n))
            assert next(follower) == stored[0]

    def test_replay_query_rebuilds_final_session_state_for_completed_session(self, place: Place) -> None:
        store = place.open()
        session_id = session(store)
        for level in range(2):
            store.append(
                session_id,
                [
                    {"type": "level_started", "data": {"level_index": level, "total_count": 1}},
                    {
                        "type": "node_generation_started",
                        "data": {"level_index": level, "node_id": f"n{level}"},
                    },
                    {
                        "type": "node_generation_completed",
                        "data": {"level_index": level, "node_id": f"n{level}"},
                    },
                    {"type": "level_completed", "data": {"level_index": level, "generated_count": 1}},
                ],
            )
        live = store.state(session_id)
        assert [level.done for level in live.levels] == [True, True]
        store.end_run(session_id)
        final = store.state(session_id)
        *_, replayed = place.open().replay(session_id)
        assert replayed == final == folded(store, session_id)
        assert (final.status, final.completed_steps) == ("completed", 2)

    def test_missing_session_ended_session_remains_readable_and_marked_interrupted(
        self, place: Place
    ) -> None:
        clock = ManualClock()
        session_id = session(place.open(clock=clock))
        place.open(clock=clock).append(session_id, tagged("w", 3))
        clock.advance(ms=UNANNOUNCED_AFTER_MS + 1)
        later = place.open(clock=clock)
        assert later.get_run(session_id).status == "interrupted"
        assert [event.seq for event in whole(later, session_id)] == [1, 2, 3, 4]
        assert later.state(session_id).seq == 4

    def test_pruning_removes_oldest_completed_sessions_by_count(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        sessions = []
        for _ in range(5):
            sessions.append(session(store))
            store.end_run(sessions[-1])
            clock.advance(s=60)
        store.prune(older_than_days=None, keep=2)
        assert {run.run_id for run in store.list_runs().items} == set(sessions[3:])

    def test_pruning_removes_expired_completed_sessions_by_age(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        old = session(store)
        store.end_run(old)
        clock.advance(s=3 * _DAY_S)
        young = session(store)
        store.end_run(young)
        clock.advance(s=2 * _DAY_S)
        store.prune(older_than_days=4, keep=None)
        assert [run.run_id for run in store.list_runs().items] == [young]
        with pytest.raises(NotFound):
            store.read(old)

    def test_active_and_interrupted_sessions_are_excluded_from_pruning(self, place: Place) -> None:
        clock = ManualClock()
        store = place.open(clock=clock)
        interrupted, over = session(store), session(store)
        store.end_run(over)
        clock.advance(s=30 * _DAY_S)
        active = session(store)
        assert store.get_run(interrupted).status == "interrupted"
        store.prune(older_than_days=1, keep=0, max_size_bytes=0)
        assert {run.run_id for run in store.list_runs().items} == {active, interrupted}
