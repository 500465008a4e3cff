"""Invariant 7 and retries: what is stored is redacted and valid JSON, and a repeated request is stored once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runline.model.errors import Conflict
from runline.model.limits import Limits
from runline.testing import objects, planted
from runline.testing.place import Place
from runline.testing.streams import ON_ONE_STORE, tagged, whole


class CleanContract:
    """Invariant 7: what is stored is redacted and valid JSON."""

    def test_no_planted_secret_is_in_the_bytes_of_the_store(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("secrets", tags=["a"], input={"password": "hunter2-in-the-input"}).run_id
        secrets = [secret for samples in planted.SECRETS.values() for secret, _ in samples]
        lines = [line for samples in planted.SECRETS.values() for _, line in samples]
        for line in lines:
            store.append(
                run_id,
                [
                    {"message": line},
                    {"type": "tool_call", "data": {"args": {"deep": [line]}, line: 1}},
                    {"message": "x", "step": line, "source": line, "correlation_id": line},
                    {"type": "artifact_created", "data": {"name": line, "preview_text": line}},
                    {"type": "error", "data": {"message": line, "stack": line}},
                ],
            )
        store.add_note(run_id, lines[0], author=lines[0], labels=[lines[0]], actions=[lines[0]])
        store.end_run(run_id, "failed", error=lines[0])
        stored = place.at_rest()
        assert b"hunter2-in-the-input" not in stored
        assert [secret for secret in secrets if secret.encode() in stored] == []

    def test_whatever_the_data_holds_it_reads_back_as_json(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("odd").run_id
        for value in objects.BAD_VALUES.values():
            store.append(run_id, [{"type": "log", "message": "odd", "data": {"value": value}}])
        for event in whole(store, run_id):
            assert isinstance(json.loads(event.payload), dict)
            assert json.loads(event.to_json())["seq"] == event.seq

    def test_a_long_text_is_cut_inside_the_payload_and_says_so(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("long").run_id
        event = store.append(run_id, [{"message": "long", "data": {"text": "x" * 100_000, "kept": 1}}])[0]
        assert event.data["kept"] == 1
        assert len(event.payload) < 64 * 1024
        cut = event.data["_cut"][0]
        assert cut["path"] == "/text"
        assert cut["size_bytes"] >= 100_000


class RetryContract:
    """A retried request is stored once and gets the same answer; another body is a Conflict."""

    def test_a_repeated_key_gets_the_first_answer(self, place: Place) -> None:
        store, other = place.open(), place.open()
        run_id = store.create_run("key").run_id
        first = store.append(run_id, tagged("a", 3), idempotency_key="k")
        store.append(run_id, tagged("b", 1))
        assert other.append(run_id, tagged("a", 3), idempotency_key="k") == first
        store.end_run(run_id)
        assert store.append(run_id, tagged("a", 3), idempotency_key="k") == first
        with pytest.raises(Conflict) as told:
            other.append(run_id, tagged("a", 4), idempotency_key="k")
        assert told.value.code == "idempotency_conflict"
        assert store.get_run(run_id).last_seq == 6

    def test_a_repeated_event_id_is_stored_once(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("ids").run_id
        body = [{"message": f"m{n}", "event_id": f"e{n}"} for n in range(3)]
        first = store.append(run_id, body)
        mixed = store.append(
            run_id, [body[1], {"message": "new", "event_id": "e9"}, body[1], {"message": "anon"}]
        )
        assert [event.seq for event in mixed] == [first[1].seq, 5, first[1].seq, 6]
        assert place.open().append(run_id, body) == first
        with pytest.raises(Conflict) as told:
            store.append(run_id, [{"message": "other", "event_id": "e0"}])
        assert told.value.code == "event_id_conflict"

    def test_a_repeated_creation_makes_one_run(self, place: Place) -> None:
        store = place.open()
        first = store.create_run("once", input={"a": 1}, idempotency_key="create")
        assert (
            place.open().create_run("once", input={"a": 1}, idempotency_key="create").run_id == first.run_id
        )
        with pytest.raises(Conflict):
            store.create_run("once", input={"a": 2}, idempotency_key="create")
        assert len(store.list_runs(name="once").items) == 1

    @settings(suppress_health_check=ON_ONE_STORE, max_examples=25)
    @given(data=st.data())
    def test_any_number_of_retries_leaves_one_row_and_one_answer(
        self, place: Place, data: st.DataObject
    ) -> None:
        if not hasattr(self, "_handles"):
            self._handles = [place.open(limits=Limits(run_events=12)) for _ in range(2)]
        run_id = self._handles[0].create_run("retries").run_id
        answers: dict[int, list[Any]] = {}
        ids = st.one_of(st.none(), st.integers(0, 5))
        bodies = [
            [
                {"message": f"{number} {n}"}
                if id_ is None
                else {"message": f"id {id_}", "event_id": f"e{id_}"}
                for n, id_ in enumerate(data.draw(st.lists(ids, min_size=1, max_size=5)))
            ]
            for number in range(4)
        ]
        for number in data.draw(st.lists(st.integers(0, 3), min_size=1, max_size=30)):
            store = self._handles[data.draw(st.integers(0, 1))]
            answer = store.append(run_id, bodies[number], idempotency_key=f"key {number}")
            assert answers.setdefault(number, answer) == answer
        events = whole(store, run_id)
        assert len(events) <= 13
        named = [event.message for event in events if event.message.startswith("id ")]
        assert len(named) == len(set(named))
        seqs = {event.seq for answer in answers.values() for event in answer}
        told = [event for event in events[1:] if event.type != "limit_reached"]
        assert seqs == {event.seq for event in told}
