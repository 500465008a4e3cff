from __future__ import annotations

import threading
from pathlib import Path

import apsw
import pytest

from runline.model.errors import Conflict, Invalid, StoreFull, Unavailable
from runline.store import open_local
from runline.store.sql_store import SqlStore
from tests.store.recorded import ids, plain_run, rich_run
from tests.store.small_disk import SmallDisk


def test_a_backup_is_a_store(store: SqlStore, tmp_path: Path) -> None:
    rich_run(store, "one")
    store.backup(str(tmp_path / "copy.db"))
    with open_local(str(tmp_path / "copy.db")) as copy:
        assert ids(copy) == ["one"]
        assert copy.verify().ok
        assert copy.read("one") == store.read("one")
        plain_run(copy, "two")
    assert ids(store) == ["one"]


def test_writers_go_on_and_the_copy_is_of_one_moment(store: SqlStore, tmp_path: Path) -> None:
    plain_run(store, "big", events=20_000)
    store.create_run("live", run_id="live")
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            store.append("live", [{"message": "beside"}])

    beside = threading.Thread(target=write)
    beside.start()
    store.backup(str(tmp_path / "copy.db"))
    stop.set()
    beside.join()
    with open_local(str(tmp_path / "copy.db"), read_only=True) as copy:
        assert copy.verify().ok
        assert copy.get_run("live").last_seq <= store.get_run("live").last_seq


def test_from_a_store_opened_for_reading(store: SqlStore, tmp_path: Path) -> None:
    rich_run(store, "one")
    with open_local(str(tmp_path / "x.db"), read_only=True) as reading:
        reading.backup(str(tmp_path / "copy.db"))
    assert (tmp_path / "copy.db").stat().st_size > 0


def test_an_existing_file_is_never_touched(store: SqlStore, tmp_path: Path) -> None:
    path = tmp_path / "precious.txt"
    path.write_text("precious")
    with pytest.raises(Conflict):
        store.backup(str(path))
    assert path.read_text() == "precious"


def test_a_folder_that_is_not_there(store: SqlStore, tmp_path: Path) -> None:
    with pytest.raises(Invalid):
        store.backup(str(tmp_path / "none" / "copy.db"))


@pytest.mark.parametrize("place", [0, 7])
def test_a_damaged_store_gives_no_backup(tmp_path: Path, place: int) -> None:
    path = tmp_path / "x.db"
    with open_local(str(path)) as store:
        plain_run(store, "one", events=2000)
    raw = path.read_bytes()
    byte = raw.index(b"line 700") // 4096 * 4096 + place  # of a page's header: its kind, its fragments
    path.write_bytes(raw[:byte] + b"\xff" + raw[byte + 1 :])
    with open_local(str(path), read_only=True) as store, pytest.raises(Unavailable) as caught:
        store.backup(str(tmp_path / "copy.db"))
    assert caught.value.code == "corrupt"
    assert not list(tmp_path.glob("copy*"))


def test_a_copy_that_does_not_fit_is_taken_away(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain_run(store, "one", events=5000)
    (tmp_path / "small").mkdir()
    disk = SmallDisk(tmp_path / "small", 100_000)
    connect = apsw.Connection

    def onto_the_small_disk(name: str, **given: object) -> apsw.Connection:
        return connect(name, **given, vfs=disk.vfs_name) if "copy" in name else connect(name, **given)  # type: ignore[arg-type]

    monkeypatch.setattr(apsw, "Connection", onto_the_small_disk)
    with pytest.raises(StoreFull):
        store.backup(str(tmp_path / "small" / "copy.db"))
    assert list((tmp_path / "small").iterdir()) == []
