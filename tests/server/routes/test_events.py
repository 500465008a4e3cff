"""One run's events over HTTP: pages, which match, and appending. The streams are in `test_following.py`."""

from __future__ import annotations

import gzip
import sys
from array import array
from typing import TYPE_CHECKING, Any

import pytest

from runline.model.wire.events import trace_event
from runline.server.routes.events import last_event_id
from runline.server.settings import Settings
from runline.store.sql_store import SqlStore
from runline.testing.corpus import BAD_EVENTS, BAD_JSON, BAD_TEXTS, TERMINAL, truncated
from runline.testing.serving import client
from runline.testing.streams import whole
from tests.server.streaming import SSE

if TYPE_CHECKING:
    from runline.testing.serving import Client

NDJSON = {"content-type": "application/x-ndjson"}
JSON = {"content-type": "application/json"}


@pytest.fixture
def run_id(store: SqlStore) -> str:
    """Events 2 … 13: types, levels, steps and sources take turns."""
    run_id = store.create_run("r", run_id="r1").run_id
    store.append(
        run_id,
        [
            {
                "type": ("log", "tool_call", "llm_request")[n % 3],
                "level": ("info", "warn")[n % 2],
                "step": ("extract", "load", None)[n % 3],
                "source": ("agent", "stdout")[n % 2],
                "correlation_id": f"c{n % 4}",
                "message": f"message {n}",
                "data": {"n": n},
            }
            for n in range(12)
        ],
    )
    return run_id


def seqs(api: Client, query: str, run_id: str = "r1") -> list[int]:
    answer = api.get(f"/api/runs/{run_id}/events{query}")
    assert answer.status_code == 200, answer.text
    return [event["seq"] for event in answer.json()["events"]]


@pytest.mark.usefixtures("run_id")
class TestPages:
    def test_an_item_is_the_stored_event(self, api: Client, store: SqlStore) -> None:
        page = api.get("/api/runs/r1/events").json()
        log = whole(store, "r1")
        assert list(page) == ["events", "nextAfterId"]
        assert page["nextAfterId"] == log[-1].id
        assert [list(event) for event in page["events"]] == [
            list(trace_event(event).__struct_fields__) for event in log
        ]
        event = page["events"][2]
        assert (event["payload"], event["step"], event["correlation_id"]) == ({"n": 1}, "load", "c1")
        assert event["created_at"] == "2026-11-20T18:40:00.000Z"

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", list(range(1, 14))),
            ("?limit=3", [1, 2, 3]),
            ("?limit=1000000000", list(range(1, 14))),
            ("?afterSeq=11", [12, 13]),
            ("?beforeSeq=3", [1, 2]),
            ("?afterSeq=4&beforeSeq=7", [5, 6]),
            ("?afterId=0&limit=1", [1]),
            ("?afterId=12", [13]),
            ("?afterId=12&afterSeq=2", [13]),
            ("?afterId=99999999999999999999999", []),
            ("?order=desc&limit=2", [13, 12]),
            ("?order=desc&limit=2&beforeSeq=12", [11, 10]),
            ("?types=tool_call", [3, 6, 9, 12]),
            ("?types=tool_call,llm_request&limit=3", [3, 4, 6]),
            ("?types=tool_call&types=run_started&limit=2", [1, 3]),
            ("?level=warn&step=load", [3, 9]),
            ("?step=run", [1, 4, 7, 10, 13]),
            ("?source=stdout&correlation_id=c1", [3, 7, 11]),
            ("?q=level:warn -type:log&limit=2", [3, 7]),
            ('?q="message 11"', [13]),
            ("?types=made_up", []),
        ],
    )
    def test_what_a_page_holds(self, api: Client, query: str, expected: list[int]) -> None:
        assert seqs(api, query) == expected

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("?limit=0", "limit"),
            ("?limit=-1", "limit"),
            ("?limit=ten", "limit"),
            ("?afterSeq=-1", "afterSeq"),
            ("?afterId=-1", "afterId"),
            ("?beforeSeq=0", "beforeSeq"),
            ("?level=loud", "level"),
            ("?order=up", "order"),
            ("?count=maybe", "count"),
            ("?after_id=3", "after_id"),
            ("?q=level:loud", "q"),
        ],
    )
    def test_a_wrong_parameter_is_named(self, api: Client, query: str, field: str) -> None:
        answer = api.get(f"/api/runs/r1/events{query}")
        assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])

    def test_pages_are_read_on_by_id(self, api: Client) -> None:
        seen, after = [], 0
        while page := api.get(f"/api/runs/r1/events?limit=5&afterId={after}").json():
            if not page["events"]:
                break
            seen += [event["seq"] for event in page["events"]]
            after = page["nextAfterId"]
        assert seen == list(range(1, 14))
        assert page["nextAfterId"] == after
        assert api.get("/api/runs/r1/events?types=made_up").json() == {"events": [], "nextAfterId": 0}

    def test_how_many_match_is_told_when_asked(self, api: Client) -> None:
        assert api.get("/api/runs/r1/events?count=true&limit=1").json()["total"] == 13
        assert api.get("/api/runs/r1/events?count=1&types=tool_call&afterSeq=6").json()["total"] == 4

    @pytest.mark.parametrize("what", ["events", "events/index"])
    def test_another_tenants_run_is_an_unknown_one(self, store: SqlStore, what: str) -> None:
        secret = store.create_token("t", scopes=["read"], tenant="other").secret
        with client(store, Settings(auth=True)) as api:
            headers = {"authorization": f"Bearer {secret}"}
            answers = [
                api.get(f"/api/runs/{run}/{what}", headers=headers | more)
                for run in ("r1", "nobody")
                for more in ({}, SSE)
            ]
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.text.replace("nobody", "r1") for answer in answers} == {answers[0].text}


@pytest.mark.usefixtures("run_id")
class TestIndex:
    @pytest.mark.parametrize(
        ("query", "expected"),
        [("", list(range(1, 14))), ("?types=tool_call", [3, 6, 9, 12]), ("?afterSeq=11", [12, 13])],
    )
    def test_seqs_as_numbers(self, api: Client, query: str, expected: list[int]) -> None:
        answer = api.get(f"/api/runs/r1/events/index{query}")
        assert answer.headers["content-type"] == "application/octet-stream"
        assert list(array("I", answer.content)) == expected

    def test_they_are_little_endian_everywhere(self, api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
        ours = api.get("/api/runs/r1/events/index").content
        assert ours[:8] == b"\1\0\0\0\2\0\0\0"
        monkeypatch.setattr(sys, "byteorder", "big")
        swapped = array("I", api.get("/api/runs/r1/events/index").content)
        swapped.byteswap()
        assert swapped.tobytes() == ours

    def test_what_is_wrong_is_told_before_anything_is_sent(self, api: Client) -> None:
        assert api.get("/api/runs/nobody/events/index").status_code == 404
        assert api.get("/api/runs/r1/events/index?q=level:loud").status_code == 400
        assert api.get("/api/runs/r1/events/index?limit=3").json()["fields"].keys() == {"limit"}


@pytest.mark.usefixtures("run_id")
class TestAppending:
    @pytest.mark.parametrize("gzipped", [False, True])
    @pytest.mark.parametrize(
        ("body", "headers", "stored"),
        [
            (b'{"message":"a"}', JSON, 1),
            (b'[{"message":"a"},{"payload":{"x":NaN}}]', JSON, 2),
            (b'{"message":"a"}\n\n{"severity":"warn"}\n{}', NDJSON, 3),
        ],
    )
    def test_what_is_sent_is_stored_in_order(
        self, api: Client, store: SqlStore, body: bytes, headers: dict[str, str], stored: int, gzipped: bool
    ) -> None:
        if gzipped:
            body, headers = gzip.compress(body), headers | {"content-encoding": "gzip"}
        answer = api.post("/api/runs/r1/events", content=body, headers=headers)
        log = whole(store, "r1")[13:]
        assert answer.json() == {
            "run_id": "r1",
            "seqs": [14, 13 + stored],
            "ids": [event.id for event in log],
            "not_stored": 0,
        }
        assert len(log) == stored

    def test_a_key_makes_repetition_safe(self, api: Client, store: SqlStore) -> None:
        headers = {"idempotency-key": "k1"}
        first = api.post("/api/runs/r1/events", json=[{}, {}], headers=headers)
        assert api.post("/api/runs/r1/events", json=[{}, {}], headers=headers).text == first.text
        other = api.post("/api/runs/r1/events", json=[{"message": "other"}], headers=headers)
        assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")
        bad = api.post("/api/runs/r1/events", json={}, headers={"idempotency-key": "k" * 300})
        assert (bad.status_code, bad.json()["code"]) == (400, "bad_idempotency_key")
        assert len(whole(store, "r1")) == 15

    def test_the_end_is_an_event_like_others_and_nothing_follows_it(self, api: Client) -> None:
        assert api.post("/api/runs/r1/events", json={"type": "run_ended"}).status_code == 200
        late = api.post("/api/runs/r1/events", json={})
        assert (late.status_code, late.json()["code"]) == (409, "run_ended")
        assert api.post("/api/runs/nobody/events", json={}).status_code == 404

    @pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", ""])
    def test_other_bodies_are_refused(self, api: Client, media: str) -> None:
        answer = api.post("/api/runs/r1/events", content=b"{}", headers={"content-type": media})
        assert answer.status_code == 415

    def test_a_full_queue_says_when_to_come_back(self, store: SqlStore) -> None:
        with client(store, Settings(max_waiting=0)) as api:
            answer = api.post("/api/runs/r1/events", json={})
        assert (answer.status_code, answer.json()["code"]) == (503, "queue_full")
        assert answer.headers["retry-after"] == "1"

    @pytest.mark.parametrize("headers", [JSON, NDJSON], ids=["json", "ndjson"])
    @pytest.mark.parametrize("name", BAD_JSON)
    def test_bad_documents_are_stored_or_refused_and_never_fail(
        self, api: Client, store: SqlStore, name: str, headers: dict[str, str]
    ) -> None:
        answer = api.post("/api/runs/r1/events", content=BAD_JSON[name], headers=headers)
        assert answer.status_code in (200, 400)
        assert len(whole(store, "r1")) == 13 + len(answer.json().get("ids", ()))

    def test_a_document_that_breaks_off_is_refused_whole(self, api: Client, store: SqlStore) -> None:
        for piece in truncated(b'[{"message":"a"},{"data":{"n":1}}]'):
            assert api.post("/api/runs/r1/events", content=piece, headers=JSON).status_code == 400
        assert len(whole(store, "r1")) == 13

    def test_the_corpus_comes_back_as_the_store_keeps_it(self, api: Client, store: SqlStore) -> None:
        fields = ("type", "step", "source", "message", "correlation_id", "level")
        sent: list[dict[str, Any]] = [
            dict.fromkeys(fields, text) | {"data": {text: text}}
            for text in (BAD_TEXTS | TERMINAL).values()
            if "\ud800" not in text
        ]
        sent += [event for name, event in BAD_EVENTS.items() if name != "ts nan"]
        answer = api.post("/api/runs/r1/events", json=sent)
        assert answer.status_code == 200, answer.text
        beside = store.create_run("beside").run_id
        stored = store.append(beside, sent)
        page = api.get("/api/runs/r1/events?afterSeq=13&limit=1000").json()["events"]
        for told, event in zip(page, stored, strict=True):
            assert (told["payload"], told["message"], told["step"]) == (event.data, event.message, event.step)
            assert (told["type"], told["source"]) == (event.type, event.source)
            assert (told["level"], told["correlation_id"]) == (event.level, event.correlation_id)


@pytest.mark.parametrize(
    ("given", "expected"), [(None, None), ("", None), ("0", 0), ("17", 17), (str(2**70), 2**62)]
)
def test_ids_that_a_stream_goes_on_from(given: str | None, expected: int | None) -> None:
    assert last_event_id(given) == expected


@pytest.mark.parametrize("given", ["-1", "abc", "1.5", "+1", " 1", "٣", "1" * 41, "1\n"])
def test_ids_that_no_stream_gave_out(api: Client, store: SqlStore, run_id: str, given: str) -> None:
    headers = SSE | {"last-event-id": given.encode()}
    answer = api.get(f"/api/runs/{run_id}/events", headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_last_event_id")


@pytest.mark.parametrize("query", ["?limit=3", "?order=desc", "?count=true", "?beforeSeq=3"])
def test_a_stream_has_no_pages(api: Client, run_id: str, query: str) -> None:
    answer = api.get(f"/api/runs/{run_id}/events{query}", headers=SSE)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_parameter")
