from __future__ import annotations

from pathlib import Path

import pytest

from runline.store.files import OwnedFiles
from runline.store.sql_store import SqlStore
from tests.store.recorded import plain_run


@pytest.fixture
def files(store: SqlStore) -> OwnedFiles:
    return OwnedFiles(store.engine.artifacts)


def artifact(files: OwnedFiles, run_id: str) -> Path:
    path = files.root / run_id / "step" / "a.txt"
    path.parent.mkdir(parents=True)
    path.write_text(run_id)
    return path


def doomed(store: SqlStore, files: OwnedFiles) -> list[Path]:
    with store.engine.transaction() as tx:
        return files.doomed(tx)


def test_aside_and_back(files: OwnedFiles) -> None:
    path = artifact(files, "one")
    assert files.set_aside(7, "one")
    assert not path.exists()
    files.put_back(7, "one")
    assert path.read_text() == "one"


def test_a_run_without_files_has_nothing_to_set_aside(files: OwnedFiles) -> None:
    assert not files.set_aside(7, "none")


def test_whether_a_folder_goes_is_told_by_the_store(store: SqlStore, files: OwnedFiles) -> None:
    plain_run(store, "there")
    run = store.engine.query("SELECT run FROM runs")[0][0]
    kept, gone = artifact(files, "there"), artifact(files, "removed")
    files.set_aside(run, "there")
    files.set_aside(run + 1, "removed")
    (files.root / ".removed-rubbish").mkdir()
    found = doomed(store, files)
    assert {path.name for path in found} == {f".removed-{run + 1}", ".removed-rubbish"}
    files.delete(found)
    assert kept.read_text() == "there"
    assert not gone.exists()
    assert [path.name for path in files.root.iterdir()] == ["there"]


def test_a_link_out_of_the_folder_is_not_followed(store: SqlStore, files: OwnedFiles, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept.txt").write_text("kept")
    files.root.mkdir()
    (files.root / "run").symlink_to(outside)
    artifact(files, "other")
    (files.root / "other" / "link").symlink_to(outside)
    assert files.set_aside(8, "run")
    assert files.set_aside(9, "other")
    files.delete(doomed(store, files))
    assert list(files.root.iterdir()) == []
    assert (outside / "kept.txt").read_text() == "kept"


def test_a_folder_that_cannot_be_moved_is_told_and_left(
    files: OwnedFiles, caplog: pytest.LogCaptureFixture
) -> None:
    path = artifact(files, "one")
    blocking = files.root / ".removed-7"
    blocking.mkdir()
    (blocking / "something").touch()
    assert not files.set_aside(7, "one")
    assert path.exists()
    assert "could not be moved" in caplog.text
