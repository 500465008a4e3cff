"""Removing runs: out of sight in one transaction, their rows bit by bit afterwards.

A run whose number stands in `garbage` has no row in `runs` any more, so nobody finds it. Its children are
deleted in short turns. What a crash leaves is continued by the next one who comes here; an import that is
still under way keeps itself out of reach with `not_before`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from runline.store.engine import Row, Writing
from runline.store.files import OwnedFiles
from runline.store.turns import Turns

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

# What may be large, with the column that tells its rows apart within the run.
_CHILDREN = (
    ("events", "id"),
    ("event_ids", "event_id"),
    ("calls", "first_seq"),
    ("steps", "step"),
    ("checkpoints", "seq"),
    ("slots", "slot"),
    ("artifacts", "seq"),
    ("notes", "id"),
)
_SINGLE = ("run_details", "liveness", "cancellations", "garbage")


def bury(
    tx: Writing, files: OwnedFiles, removed: Sequence[Row], reason: str, now_ms: int
) -> list[tuple[int, str]]:
    """Leaves a tombstone for each run whose row was just deleted, and its rows as garbage.

    `removed` holds `run, run_id, tenant, kind, name, status, started_at, completed_at, last_seq`. Returns the
    runs whose files were set aside; `unbury` them should the transaction fail.
    """
    for run, run_id, tenant, *rest in removed:
        tx.execute(
            "INSERT INTO tombstones (run_id, tenant, kind, name, status, started_at, completed_at, event_count, "
            "pruned_at, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (run_id, tenant, *rest, now_ms, reason),
        )
        tx.execute("INSERT INTO garbage VALUES (?, ?, ?, 0)", (run, run_id, tenant))
    return [(run, run_id) for run, run_id, *_ in removed if files.set_aside(run, run_id)]


def collect(store: SqlStore, turns: Turns) -> None:
    """Deletes the rows of all garbage, then the artifact files of removed runs, then gives the space back."""
    removed = False
    while turns.take(lambda tx, rows: _delete_some(tx, rows, store.clock.now_ms())):
        removed = True
    files = OwnedFiles(store.engine.artifacts)
    if files.root.is_dir():
        files.delete(turns.take(lambda tx, _: files.doomed(tx)))
    free, left = None, turns.vacuum()
    while left and left != free:
        free, left = left, turns.vacuum()
    turns.checkpoint()
    if removed:
        store.engine.tidy()


def _delete_some(tx: Writing, rows: int, now_ms: int) -> bool:
    """Up to `rows` rows of the oldest garbage; whether there may be more."""
    found = tx.execute(
        "SELECT run, tenant FROM garbage WHERE not_before <= ? ORDER BY run LIMIT 1", (now_ms,)
    )
    if not found:
        return False
    run, tenant = found[0]
    left = rows
    for table, key in _CHILDREN:
        left -= tx.executemany(
            f"DELETE FROM {table} WHERE run = ? AND {key} IN (SELECT {key} FROM {table} WHERE run = ? LIMIT ?)",
            [(run, run, left)],
        )
        if left <= 0:
            return True
    left -= tx.executemany(
        "DELETE FROM idempotency WHERE tenant = ? AND run = ? AND key IN "
        "(SELECT key FROM idempotency WHERE tenant = ? AND run = ? LIMIT ?)",
        [(tenant, run, tenant, run, left)],
    )
    if left > 0:
        for table in _SINGLE:
            tx.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
    return True
