"""An hour under load (`make soak`; RUNLINE_SOAK_S sets the seconds): the WAL stays small, nobody misses anything."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from runline.store import open_store
from runline.store.sql_store import SqlStore

_WAL_LIMIT_BYTES = 64 * 1024 * 1024
_FOLLOWERS = 20


@pytest.mark.soak
def test_the_wal_stays_bounded_with_followers_attached(tmp_path: Path) -> None:
    seconds = float(os.environ.get("RUNLINE_SOAK_S", "3600"))
    path = tmp_path / "soak.db"
    with open_store(str(path)) as store, open_store(str(path), read_only=True) as reader:
        run_id = store.create_run("soak").run_id
        seen = [0] * _FOLLOWERS
        threads = [
            threading.Thread(target=_follow, args=(reader if n % 2 else store, run_id, seen, n))
            for n in range(_FOLLOWERS)
        ]
        for thread in threads:
            thread.start()
        written, largest, until_s = 1, 0, time.monotonic() + seconds
        while time.monotonic() < until_s:
            written += len(store.append(run_id, [{"message": "x" * 500}] * 200))
            largest = max(largest, Path(f"{path}-wal").stat().st_size)
        store.end_run(run_id)
        for thread in threads:
            thread.join()
        assert seen == [written + 1] * _FOLLOWERS
        assert largest <= _WAL_LIMIT_BYTES
        assert store.verify().ok


def _follow(store: SqlStore, run_id: str, seen: list[int], n: int) -> None:
    for event in store.follow(run_id):
        assert event.seq == seen[n] + 1
        seen[n] = event.seq
