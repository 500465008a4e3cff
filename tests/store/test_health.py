from __future__ import annotations

from pathlib import Path

from runline.store import open_store
from runline.store.health import health


def test_versions_and_sizes_of_a_store(tmp_path: Path) -> None:
    with open_store(str(tmp_path / "x.db")) as store:
        store.create_run("build")
        found = health(store)
    assert int(found.sqlite_version.split(".")[0]) == 3
    assert found.schema >= 1
    assert found.journal_mode == "wal"
    assert found.size_bytes > 0
    assert found.free_bytes >= 0
    assert found.wal_bytes > 0
    assert found.event_count == 1
