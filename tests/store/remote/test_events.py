"""Events through a server: the same pages, the same searches, and what was stored in answer to an append."""

from __future__ import annotations

from array import array
from itertools import chain
from typing import Any

import pytest

from runline.model.errors import Invalid, NotFound
from runline.store.interface import Store
from runline.store.remote.events import numbers
from tests.store.recorded import plain_run, rich_run
from tests.store.remote.conftest import Both

READINGS: list[dict[str, Any]] = [
    {},
    {"limit": 3},
    {"limit": 10**6},
    {"order": "desc", "limit": 4},
    {"after_seq": 4, "before_seq": 8},
    {"after_seq": -3},
    {"before_seq": -1},
    {"after_seq": 10**30},
    {"types": ["tool_call", "tool_result"], "steps": ["extract"]},
    {"levels": ["warn", "error"]},
    {"steps": ["run"]},
    {"sources": ["stdout"]},
    {"correlation_id": "c1"},
    {"q": "level:error -type:log"},
    {"q": '"a line"'},
    {"types": ["a,b", "c\\d"]},
    {"steps": ["with, comma"]},
]


@pytest.mark.parametrize("asked", READINGS, ids=str)
def test_a_page_is_what_the_store_reads(both: Both, asked: dict[str, Any]) -> None:
    rich_run(both.local, "r", status=None)
    both.local.append("r", [{"type": "log", "message": "comma", "step": "with, comma"}])
    found = both.remote.read("r", **asked)
    assert found == both.local.read("r", **asked)
    assert [event.id for event in found] == [event.id for event in both.local.read("r", **asked)]


def test_the_page_after_an_id(both: Both) -> None:
    rich_run(both.local, "r")
    for after_id in (-1, 0, both.local.read("r")[3].id, 10**12):
        assert both.remote.read("r", after_id=after_id) == both.local.read("r", after_id=max(0, after_id))


def test_seqs_of_a_search_and_their_number(both: Both) -> None:
    plain_run(both.local, "r", events=3000)

    def seqs(store: Store, **asked: Any) -> list[int]:
        return [seq for piece in store.index("r", **asked) for seq in piece.seqs]

    for asked in ({}, {"q": '"line 1"'}, {"levels": ["error"]}, {"after_seq": 2990}):
        assert seqs(both.remote, **asked) == seqs(both.local, **asked)
        last = list(both.remote.index("r", **asked))[-1]
        assert (last.scanned_seq, last.last_seq) == (3002, 3002)
    assert both.remote.count_events("r") == 3002
    assert both.remote.count_events("r", q='"line 1"') == both.local.count_events("r", q='"line 1"')
    assert both.remote.count_events("r", types=["nothing"]) == 0
    with pytest.raises(NotFound):
        both.remote.count_events("nobody")


@pytest.mark.parametrize("order", ["little", "big"])
def test_numbers_are_read_however_the_bytes_break_off(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = array("I", [1, 2, 70_000])
    if order == "big":  # as such a machine would read them
        monkeypatch.setattr("sys.byteorder", order)
        text.byteswap()
    raw = text.tobytes()
    for size in (1, 3, 5, 12):
        found = [list(piece) for piece in numbers(raw[at : at + size] for at in range(0, 12, size))]
        assert list(chain.from_iterable(found)) == [1, 2, 70_000]
        assert [] not in found


def test_an_append_answers_what_is_stored(both: Both) -> None:
    both.remote.create_run("r", run_id="r")
    stored = both.remote.append(
        "r", [{"type": "tool_call", "data": {"n": 1}}, {"message": "two", "event_id": "e"}]
    )
    assert stored == both.local.read("r", after_seq=1)
    again = both.remote.append("r", [{"message": "new"}, {"message": "two", "event_id": "e"}])
    assert [event.seq for event in again] == [4, 3]
    assert both.remote.append("r", []) == []
    first = both.remote.append("r", [{"message": "k"}], idempotency_key="k")
    assert both.remote.append("r", [{"message": "k"}], idempotency_key="k") == first
    end = both.remote.end_run("r", "failed", error="no", idempotency_key="end")
    assert both.remote.end_run("r", "failed", error="no", idempotency_key="end") == end
    assert both.local.read("r")[-1] == end
    with pytest.raises(Invalid):
        both.remote.append("r", ["no event"])  # type: ignore[list-item]


def test_a_replay_is_the_fold_of_the_log(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    rich_run(both.local, "r")
    monkeypatch.setattr("runline.store.remote.events._PAGE", 5)
    assert list(both.remote.replay("r")) == list(both.local.replay("r"))
    assert list(both.remote.replay("r", to_seq=4)) == list(both.local.replay("r", to_seq=4))
    with pytest.raises(NotFound):
        next(both.remote.replay("nobody"))
