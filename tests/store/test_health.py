from __future__ import annotations

from runline.store import migrate
from runline.store.sql_store import SqlStore


def test_versions_sizes_and_counts_of_a_store(store: SqlStore) -> None:
    store.create_run("build", tenant="a")
    store.append(store.create_run("build", tenant="b").run_id, [{"type": "log"}])
    found = store.info()
    assert found.version.startswith("SQLite 3.")
    assert found.schema == migrate.migrations()[-1].number
    assert found.journal_mode == "wal"
    assert found.size_bytes > 0
    assert found.free_bytes >= 0
    assert found.wal_bytes > 0
    assert found.disk_free_bytes
    assert (found.run_count, found.event_count) == (2, 3)


def test_a_tenant_counts_its_own(store: SqlStore) -> None:
    store.create_run("build", tenant="a")
    store.create_run("build", tenant="b")
    ours = store.scoped("a").info()
    assert (ours.run_count, ours.event_count) == (1, 1)
    assert ours.size_bytes == store.info().size_bytes
