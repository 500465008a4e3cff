"""What seeds 000 and 004 require of a store, by the names that they give their tests."""

from __future__ import annotations

from typing import Any

import msgspec

from runline.model.clock import to_iso
from runline.store.interface import Store
from runline.testing.place import Place
from runline.testing.streams import whole


class TimelineContract:
    """Seed 000, Verification: SQLite timeline persistence and filtered queries."""

    def _run(self, store: Store) -> str:
        run_id = store.create_run("web").run_id
        for n in range(12):
            event: dict[str, Any] = {"message": f"event {n}", "data": {"n": n}}
            event |= {"step": "fetch" if n % 2 else None, "level": ("info", "warn", "error")[n % 3]}
            store.append(run_id, [event])
        return run_id

    def test_timeline_persistence(self, place: Place) -> None:
        store = place.open()
        run_id = self._run(store)
        store.add_note(
            run_id, "slow today", author="me", labels=["vendor"], actions=["call them"], event_seq=3
        )
        events, notes = whole(store, run_id), store.list_notes(run_id)
        store.close()
        again = place.open()
        assert whole(again, run_id) == events
        assert again.list_notes(run_id) == notes
        assert (notes[0].note, notes[0].labels, notes[0].event_seq) == ("slow today", ("vendor",), 3)
        rows = place.sql(
            "SELECT event_index, ts_utc, stage, severity, message, details_json FROM run_timeline_events "
            "ORDER BY event_index"
        )
        assert [(index, severity, message) for index, _, _, severity, message, _ in rows] == [
            (event.seq, event.level, event.message) for event in events
        ]
        assert [ts for _, ts, *_ in rows] == [to_iso(event.ts_ms) for event in events]
        assert [stage for _, _, stage, *_ in rows] == [event.step or "run" for event in events]
        assert [msgspec.json.decode(row[-1]) for row in rows] == [event.data for event in events]

    def test_filtered_queries(self, place: Place) -> None:
        store = place.open()
        run_id = self._run(store)

        def numbers(**filters: Any) -> list[int]:
            return [event.seq - 2 for event in store.read(run_id, **filters)]

        assert numbers(steps=["fetch"]) == [1, 3, 5, 7, 9, 11]
        assert numbers(steps=["run"]) == [-1, 0, 2, 4, 6, 8, 10]
        assert numbers(levels=["error"]) == [2, 5, 8, 11]
        assert numbers(steps=["fetch"], levels=["error", "warn"], order="desc") == [11, 7, 5, 1]
        assert numbers(after_seq=9, before_seq=12) == [8, 9]
        assert numbers(order="desc", limit=2) == [11, 10]
        assert numbers(q='"event 1"') == [1, 10, 11]
        assert numbers(q="level:error -step:fetch") == [2, 8]


class TraceContract:
    """Seed 004, section 7: unit tests of the run store."""

    def test_appending_event_persists_row(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("trace", kind="agent").run_id
        event = store.append(
            run_id,
            [{"type": "tool_call", "correlation_id": "c1", "source": "agent", "payload": {"name": "read"}}],
        )[0]
        row = place.sql(
            "SELECT id, run_id, type, created_at, correlation_id, source, level, payload_json FROM run_events "
            "WHERE type = 'tool_call'"
        )
        assert row == [
            (event.id, run_id, "tool_call", to_iso(event.ts_ms), "c1", "agent", "info", event.payload)
        ]
        assert event.data == {"name": "read"}

    def test_listing_events_returns_stable_order(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("trace").run_id
        backwards = [
            {"type": "note", "ts": f"2026-01-01T00:00:{59 - n:02d}Z", "data": {"n": n}} for n in range(60)
        ]
        store.append(run_id, backwards)
        events = whole(store, run_id)
        assert [event.data["n"] for event in events[1:]] == list(range(60))
        assert [event.id for event in events] == sorted(event.id for event in events)
        after = events[20].id
        assert store.read(run_id, after_id=after) == events[21:]
        assert store.read(run_id, after_id=0) == events
        assert store.read(run_id, after_id=events[-1].id) == []

    def test_filtering_by_type(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("trace").run_id
        store.append(run_id, [{"type": name} for name in ("llm_request", "llm_response", "tool_call") * 3])
        found = store.read(run_id, types=["llm_response", "tool_call", "unheard_of"], limit=4)
        assert [event.type for event in found] == ["llm_response", "tool_call"] * 2
        assert store.read(run_id, types=["unheard_of"]) == []

    def test_payload_truncation_and_redaction_behaviour(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("trace").run_id
        event = store.append(
            run_id,
            [
                {
                    "type": "llm_request",
                    "payload": {
                        "api_key": "a-made-up-value",
                        "prompt_preview": "word " * 20_000,
                        "max_tokens": 9,
                    },
                }
            ],
        )[0]
        assert event.data["api_key"].startswith("[REDACTED:")
        assert event.data["max_tokens"] == 9
        assert event.data["prompt_preview"].startswith("word word")
        assert len(event.data["prompt_preview"]) <= 16 * 1024
        assert event.data["_cut"][0]["path"] == "/prompt_preview"
