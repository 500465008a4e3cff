"""From the id a caller uses to the row it means, within the caller's tenant."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from runline.model.clock import to_iso
from runline.model.errors import NotFound
from runline.store.engine import Engine, Reading, Writing
from runline.store.projection import json_text


class Located(NamedTuple):
    """Where a run is, and how far it has come."""

    run: int
    tenant: str
    last_seq: int
    started_at_ms: int
    ended: bool


_SELECT = "SELECT run, tenant, last_seq, started_at, completed_at IS NOT NULL"
_ONE = f"{_SELECT} FROM runs WHERE run_id = :run_id AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)"


def locate(source: Reading, run_id: str, tenant: str | None, *, lock: bool = False) -> Located:
    """The run of that id. Raises NotFound: unknown, another tenant's (told the same), or `pruned`.

    `lock`: in a writer's transaction; to its end nobody else appends to the run.
    """
    sql = f"{_ONE} /* FOR UPDATE */" if lock else _ONE
    rows = source.execute(sql, {"run_id": run_id, "tenant": tenant})
    if rows:
        run, tenant_id, last_seq, started_at_ms, ended = rows[0]
        return Located(run, tenant_id, last_seq, started_at_ms, bool(ended))
    raise missing(source, run_id, tenant)


def locate_all(tx: Writing, run_ids: Collection[str]) -> dict[str, Located]:
    """Those of the runs that are there, whatever their tenant, locked in the order in which everybody locks."""
    rows = tx.execute(
        f"{_SELECT}, run_id FROM runs WHERE run_id IN (SELECT value FROM json_each(:ids)) ORDER BY run /* FOR UPDATE */",
        {"ids": json_text(sorted(run_ids))},
    )
    return {
        run_id: Located(run, tenant, last_seq, started_at_ms, bool(ended))
        for run, tenant, last_seq, started_at_ms, ended, run_id in rows
    }


def missing(source: Reading, run_id: str, tenant: str | None) -> NotFound:
    """The right NotFound for an id that has no row."""
    gone = source.execute(
        "SELECT pruned_at, reason FROM tombstones WHERE run_id = :run_id "
        "AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)",
        {"run_id": run_id, "tenant": tenant},
    )
    if gone:
        pruned_at_ms, reason = gone[0]
        how = "deleted" if reason == "deleted" else "removed by retention"
        return NotFound(f"Run {run_id} was {how} on {to_iso(pruned_at_ms)[:10]}.", code="pruned")
    return NotFound(f"There is no run {run_id!r} in this store.", code="run_not_found")


class Direct:
    """Reads one statement at a time, each its own short read."""

    def __init__(self, engine: Engine) -> None:
        self.execute = engine.query
