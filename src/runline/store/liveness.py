"""Signs of life: a recorder renews one row every few seconds, never an event.

What silence means is one SQL expression over time (`search.status_sql`); nothing is ever marked.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from runline.model.event import Draft
from runline.store.append import Appender
from runline.store.jobs import Job

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


def heartbeat(store: SqlStore, run_id: str, host: str | None, pid: int | None) -> None:
    """The run's writer is alive: the run reads running again. Raises NotFound."""
    tenant = store.tenant

    def perform(appender: Appender, _: Sequence[Draft]) -> None:
        entry = appender.entry(run_id, tenant)
        appender.tx.execute(
            "INSERT INTO liveness VALUES (?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET "
            "seen_at = excluded.seen_at, host = excluded.host, pid = excluded.pid",
            (entry.run, appender.now_ms, host, pid),
        )

    store.writer.submit(Job(perform))


def renewal(run_ids: Sequence[str]) -> Job[None]:
    """One liveness row for the run of each recorder of this process."""

    def perform(appender: Appender, _: Sequence[Draft]) -> None:
        seen = (appender.now_ms, socket.gethostname(), os.getpid())
        appender.tx.executemany(
            "UPDATE liveness SET seen_at = ?, host = ?, pid = ? WHERE run = (SELECT run FROM runs WHERE run_id = ?)",
            [(*seen, run_id) for run_id in run_ids],
        )

    return Job(perform)
