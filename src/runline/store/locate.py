"""From the id a caller uses to the row it means, within the caller's tenant."""

from __future__ import annotations

from typing import NamedTuple

from runline.model.clock import to_iso
from runline.model.errors import NotFound
from runline.store.engine import Engine, Reading


class Located(NamedTuple):
    """Where a run is, and how far it has come."""

    run: int
    tenant: str
    last_seq: int
    started_at_ms: int
    ended: bool


def locate(source: Reading, run_id: str, tenant: str | None) -> Located:
    """The run of that id. Raises NotFound: unknown, another tenant's (told the same), or `pruned`."""
    rows = source.execute(
        "SELECT run, tenant, last_seq, started_at, completed_at IS NOT NULL FROM runs WHERE run_id = :run_id "
        "AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)",
        {"run_id": run_id, "tenant": tenant},
    )
    if rows:
        run, tenant_id, last_seq, started_at_ms, ended = rows[0]
        return Located(run, tenant_id, last_seq, started_at_ms, bool(ended))
    raise missing(source, run_id, tenant)


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
