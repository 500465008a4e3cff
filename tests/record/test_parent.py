from __future__ import annotations

from pathlib import Path

import pytest

import runline
from runline.record.parent import Parent, parent_here
from runline.store.sql_store import SqlStore


def test_there_is_no_parent() -> None:
    assert parent_here() == Parent()


def test_the_run_of_this_context_is_the_parent() -> None:
    with runline.run("outer") as outer:
        assert parent_here() == Parent(outer.id, outer.store_url, outer)


def test_the_environment_names_one(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLINE_RUN_ID", "above")
    assert parent_here().id_in(store) == "above"
    with runline.run("child") as child:
        pass
    assert store.get_run(child.id).parent_run_id == "above"


def test_an_id_that_is_none_is_no_parent(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("RUNLINE_RUN_ID", "../up")
    assert parent_here() == Parent()
    assert "RUNLINE_RUN_ID is no run id" in caplog.text


def test_a_parent_in_another_store_is_none(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNLINE_RUN_ID", "above")
    monkeypatch.setenv("RUNLINE_STORE", str(tmp_path / "other.db"))
    assert parent_here().id_in(store) is None
    with runline.run("outer", store=tmp_path / "elsewhere.db"), runline.run("inner", store=store) as inner:
        pass
    assert store.get_run(inner.id).parent_run_id is None
