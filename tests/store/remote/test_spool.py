"""What waits on disk: in order, whole or not there, and found by others once its process is gone."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Any

import pytest

from runline.store.remote import spool as module
from runline.store.remote.spool import Spool, SpoolFull, files_of, left_behind, spool_folder

URL = "http://127.0.0.1:1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "waiting"


def left(folder: Path, url: str = URL) -> list[bytes]:
    """What others find, without delivering it."""
    return [record for claimed in left_behind(folder, url) for record in claimed.records()]


def test_records_are_read_where_they_were_put(folder: Path) -> None:
    spool = Spool(folder, URL)
    assert not spool.is_open
    places = spool.append([b"one", b"two \n".strip()])
    spool.sent()
    places += spool.append([b"three"])
    assert [spool.read(*place) for place in places] == [b"one", b"two", b"three"]
    assert oct(spool.path.stat().st_mode)[-3:] == "600"
    spool.clear()
    assert not spool.is_open
    assert list(folder.iterdir()) == []
    spool.clear()


def test_a_living_process_keeps_its_file_to_itself(folder: Path) -> None:
    spool = Spool(folder, URL)
    spool.append([b"one", b"two", b"three"])
    spool.sent()
    assert left(folder) == []
    assert files_of(folder, URL) == [spool.path]
    spool.close()
    assert left(folder) == [b"two", b"three"]
    assert left(folder, "http://other") == []


def test_what_was_left_behind_is_found_oldest_first(folder: Path) -> None:
    for number in range(3):
        spool = Spool(folder, URL)
        spool.append([b"%d" % number])
        spool.close()
    assert left(folder) == [b"0", b"1", b"2"]


@pytest.mark.parametrize("kept", range(0, 30, 3))
def test_a_torn_line_is_not_there(folder: Path, kept: int) -> None:
    spool = Spool(folder, URL)
    (_, (start, length)) = spool.append([b"whole", b"torn by a kill"])
    spool.close()
    os.truncate(spool.path, min(start - 9 + kept, start + length))
    assert left(folder) == [b"whole"]


def test_a_damaged_line_ends_what_is_read(folder: Path) -> None:
    spool = Spool(folder, URL)
    (_, (start, _), _) = spool.append([b"one", b"two", b"three"])
    spool.close()
    with spool.path.open("r+b") as file:
        file.seek(start)
        file.write(b"T")
    assert left(folder) == [b"one"]


def test_a_file_of_another_store_is_let_be(folder: Path) -> None:
    folder.mkdir()
    (folder / f"{module.mark_of(URL)}-1.spool").write_bytes(b"runline spool 1 http://elsewhere\n")
    assert list(left_behind(folder, URL)) == []


def test_a_file_that_has_just_been_delivered_is_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(folder, URL)
    spool.append([b"one"])
    spool.close()
    monkeypatch.setattr(module, "files_of", lambda *_: [folder / "gone", spool.path])
    lock = fcntl.flock

    def delivered_meanwhile(file: Any, how: int) -> None:
        spool.path.unlink(missing_ok=True)
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", delivered_meanwhile)
    assert list(left_behind(folder, URL)) == []


def test_progress_is_kept_when_delivery_stops(folder: Path) -> None:
    spool = Spool(folder, URL)
    spool.append([b"one", b"two", b"three"])
    (spool.files() / "deep").mkdir(parents=True)
    spool.close()
    for claimed in left_behind(folder, URL):
        records = claimed.records()
        assert next(records) == b"one"
        claimed.sent()
        assert next(records) == b"two"
        assert claimed.set_aside(b"two").read_bytes() == b"two\n"
        claimed.sent()
    assert left(folder) == [b"three"]
    for claimed in left_behind(folder, URL):
        claimed.remove()
    assert [path.suffix for path in folder.iterdir()] == [".refused"]


def test_it_may_be_full(folder: Path) -> None:
    spool = Spool(folder, URL, most_bytes=200)
    spool.append([b"x" * 50])
    with pytest.raises(SpoolFull, match="MiB"):
        spool.append([b"x" * 150])
    place = spool.append([b"y" * 150], vital=True)[0]
    assert spool.read(*place) == b"y" * 150
    spool.close()


def test_a_disk_that_refuses_leaves_nothing_half_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(folder, URL)
    spool.append([b"one"])

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            spool.append([b"two"])
    spool.append([b"three"])
    spool.close()
    assert left(folder) == [b"one", b"three"]


def test_with_files_it_stays_until_the_end(folder: Path) -> None:
    spool = Spool(folder, URL)
    spool.append([b"one"])
    files = spool.files()
    files.mkdir()
    spool.clear()
    assert spool.is_open
    place = spool.append([b"two"])[0]
    assert spool.read(*place) == b"two"
    spool.sent()
    assert spool.path.read_bytes().count(b"sent 1") == 1
    spool.end()
    assert list(folder.iterdir()) == []
    spool.end()


def test_where_it_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert spool_folder() == tmp_path / "spool"  # by RUNLINE_SPOOL
    monkeypatch.delenv("RUNLINE_SPOOL")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    (tmp_path / "a" / ".runline").mkdir()
    assert spool_folder(deep) == tmp_path / "a" / ".runline" / "spool"
    monkeypatch.chdir(tmp_path)
    assert spool_folder() == spool_folder(tmp_path)
