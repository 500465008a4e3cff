"""What pruning did, or would do."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Reason = Literal["age", "count", "size"]


class PrunedRun(Struct, frozen=True, kw_only=True):
    """A run that was, or in a dry run would be, removed. `size_bytes` is its share of the store's events."""

    run_id: str
    tenant_id: str
    name: str
    status: str
    started_at_ms: int
    completed_at_ms: int
    event_count: int
    size_bytes: int
    reason: Reason


class PruneReport(Struct, frozen=True, kw_only=True):
    """What pruning did. `runs` are in the order of their end; of a dry run they are what it would remove.

    `matched` counts the runs that the rules chose, `removed` and `events` what is gone (nothing in a dry
    run), `freed_bytes` how much the database file shrank.
    """

    runs: tuple[PrunedRun, ...]
    matched: int
    removed: int
    events: int
    freed_bytes: int
    dry_run: bool
