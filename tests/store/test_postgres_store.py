"""Opening a store on PostgreSQL, by whatever address."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from runline.model.errors import Invalid, NotFound, Unavailable
from runline.store import open_local, open_store
from runline.store.postgres_store import artifacts_folder, open_postgres
from runline.testing.place import PostgresPlace
from runline.testing.postgres import PostgresServer


def test_an_address_opens_it_and_its_password_is_told_to_nobody(place: PostgresPlace) -> None:
    secret = place.url.replace("runline@", "runline:hunter2@")
    with open_store(secret) as store, open_local(secret, read_only=True) as reading:
        assert store.url == place.url
        run = store.create_run("first")
        assert reading.get_run(run.run_id).name == "first"
        for told in (repr(store), str(vars(store)), store.engine.place):  # type: ignore[attr-defined]
            assert "hunter2" not in told


def test_a_wrong_password_is_not_told_either(place: PostgresPlace) -> None:
    with pytest.raises(Unavailable) as told:
        open_store("postgresql://u:hunter2@127.0.0.1:1/db?connect_timeout=1")
    assert told.value.code == "away"
    assert "hunter2" not in str(told.value)
    with pytest.raises(NotFound, match="createdb"):
        open_store(place.url.replace(PostgresServer.name(place.url), "nosuch"))


def test_without_its_driver_the_way_to_get_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "runline.store.postgres", None)
    with pytest.raises(Invalid, match=r"pip install 'runline\[postgres\]'") as told:
        open_postgres("postgresql://host/db")
    assert told.value.code == "no_driver"


def test_artifact_files_lie_where_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RUNLINE_ARTIFACTS", raising=False)
    assert artifacts_folder() == tmp_path / ".runline" / "artifacts"
    monkeypatch.setenv("RUNLINE_ARTIFACTS", str(tmp_path / "kept"))
    assert artifacts_folder() == tmp_path / "kept"


def test_artifacts_are_kept_there_and_leave_with_their_run(place: PostgresPlace) -> None:
    store = place.open()
    store.create_run("a run", run_id="r")
    store.put_artifact("r", "a.txt", b"hello")
    kept = store.engine.artifacts / "r" / "_run" / "a.txt"
    assert kept.read_bytes() == b"hello"
    assert store.read_artifact("r", None, "a.txt").content == "hello"
    store.end_run("r")
    store.delete_run("r")
    assert not kept.exists()
    assert list(store.engine.artifacts.iterdir()) == []
