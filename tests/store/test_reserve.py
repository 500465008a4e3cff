from __future__ import annotations

import os
from pathlib import Path

import pytest

from runline.store.reserve import MOST_BYTES, UNIT_BYTES, Reserve


def size(tmp_path: Path) -> int:
    return (tmp_path / "x.db-reserve").stat().st_size


def test_it_is_a_little_larger_than_the_wal_has_ever_been(tmp_path: Path) -> None:
    reserve = Reserve(str(tmp_path / "x.db"))
    reserve.keep()
    assert size(tmp_path) == UNIT_BYTES
    reserve.keep(UNIT_BYTES)
    assert size(tmp_path) == 2 * UNIT_BYTES
    reserve.keep(0)
    assert size(tmp_path) == 2 * UNIT_BYTES
    reserve.keep(10**9)
    assert size(tmp_path) == MOST_BYTES


def test_releasing_gives_the_space_back_once(tmp_path: Path) -> None:
    reserve = Reserve(str(tmp_path / "x.db"))
    reserve.keep()
    assert reserve.release()
    assert list(tmp_path.iterdir()) == []
    assert not reserve.release()
    reserve.keep()
    assert size(tmp_path) == UNIT_BYTES


def test_without_room_nothing_is_left_lying_about(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: int) -> None:
        raise OSError(28, "No space left on device")

    reserve = Reserve(str(tmp_path / "x.db"))
    monkeypatch.setattr(os, "posix_fallocate", full)
    reserve.keep()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.undo()
    reserve = Reserve(str(tmp_path / "x.db"))
    reserve.keep()
    monkeypatch.setattr(os, "posix_fallocate", full)
    reserve.keep(UNIT_BYTES)
    assert size(tmp_path) == UNIT_BYTES
    Reserve(str(tmp_path / "no-folder" / "x.db")).keep()
    assert not (tmp_path / "no-folder").exists()
