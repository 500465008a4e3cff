"""Pages that are kept: as long as they are true, and no more of them than fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from runline.server import pages
from runline.server.pages import Pages
from runline.store.locate import Located
from runline.store.sql_store import SqlStore
from runline.testing.streams import tagged

if TYPE_CHECKING:
    from runline.testing.serving import Client


def located(run: int = 1, last_seq: int = 5) -> Located:
    return Located(run, "default", last_seq, 0, ended=False)


def test_a_page_is_good_until_the_run_grows_or_is_another_one() -> None:
    kept = Pages()
    assert kept.get("a", located()) is None
    kept.keep("a", located(), b"page")
    assert kept.get("a", located()) == b"page"
    assert kept.get("a", located(last_seq=6)) is None
    assert kept.get("a", located(run=2)) is None
    assert kept.get("b", located()) is None
    kept.keep("a", located(last_seq=6), b"longer page")
    assert (kept.get("a", located(last_seq=6)), kept.size_bytes) == (b"longer page", 11)


def test_what_was_asked_for_least_recently_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_MOST_BYTES", 10)
    kept = Pages()
    for name in "abc":
        kept.keep(name, located(), b"123")
    assert kept.get("a", located()) == b"123"
    kept.keep("d", located(), b"123")
    assert [kept.get(name, located()) is not None for name in "abcd"] == [True, False, True, True]
    assert kept.size_bytes == 9


def test_a_page_that_would_push_out_all_others_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "_LARGEST_BYTES", 4)
    kept = Pages()
    kept.keep("a", located(), b"1234")
    kept.keep("a", located(), b"12345")
    assert (kept.get("a", located()), kept.size_bytes) == (None, 0)


def test_over_http_a_page_is_read_once_and_never_told_wrong(
    api: Client, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.create_run("r").run_id
    reads: list[str] = []
    query: Callable[..., list[tuple[object, ...]]] = store.engine.query

    def counted(sql: str, *more: object) -> list[tuple[object, ...]]:
        reads.extend(["page"] if "FROM events" in sql else [])
        return query(sql, *more)

    monkeypatch.setattr(store.engine, "query", counted)
    url = f"/api/runs/{run_id}/events"

    def seqs(more: str = "") -> list[int]:
        return [event["seq"] for event in api.get(url + more).json()["events"]]

    assert seqs() == seqs() == [1]
    assert len(reads) == 1
    store.append(run_id, tagged("a", 2))
    reads.clear()
    assert seqs() == seqs() == [1, 2, 3]
    assert seqs("?afterSeq=1") == seqs("?afterSeq=1") == [2, 3]
    assert len(reads) == 2
    assert seqs("?q=elapsed<=1s") == seqs("?q=elapsed<=1s") == [1, 2, 3]
    assert len(reads) == 4
    store.end_run(run_id)
    assert seqs("?order=desc&limit=1") == [4]
    store.delete_run(run_id)
    assert api.get(f"{url}?order=desc&limit=1").json()["code"] == "pruned"
