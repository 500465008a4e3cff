"""Signs of life: a recorder renews one row every few seconds, never an event.

What silence means is one SQL expression over time (`search.status_sql`); nothing is ever marked.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from runline.intake.names import clean_name
from runline.model.errors import Invalid
from runline.model.event import Draft
from runline.store.append import Appender
from runline.store.given import is_whole
from runline.store.jobs import Job

if TYPE_CHECKING:
    from runline.intake.redact import Redactor
    from runline.store.sql_store import SqlStore

MAX_PID = 2**53


class RunWriter(Struct, frozen=True):
    """The process that writes a run; None: it never told."""

    host: str | None = None
    pid: int | None = None

    def clean(self, redactor: Redactor) -> RunWriter:
        """As it may be kept. Raises Invalid for what is no process's number."""
        if self.pid is not None and not (is_whole(self.pid) and 0 <= self.pid <= MAX_PID):
            raise Invalid("pid is a process's number.", fields={"pid": "not a process's number"})
        return RunWriter(None if self.host is None else clean_name(self.host, redactor=redactor), self.pid)


def this_process() -> RunWriter:
    return RunWriter(socket.gethostname(), os.getpid())


def heartbeat(store: SqlStore, run_id: str, writer: RunWriter) -> None:
    """The run's writer is alive: the run reads running again. What it did not tell stays. Raises NotFound, Invalid."""
    tenant = store.tenant
    clean = writer.clean(store.redactor)

    def perform(appender: Appender, _: Sequence[Draft]) -> None:
        entry = appender.entry(run_id, tenant)
        appender.tx.execute(
            "INSERT INTO liveness VALUES (?, ?, ?, ?) ON CONFLICT (run) DO UPDATE SET "
            "seen_at = excluded.seen_at, "
            "host = coalesce(excluded.host, liveness.host), pid = coalesce(excluded.pid, liveness.pid)",
            (entry.run, appender.now_ms, clean.host, clean.pid),
        )

    store.writer.submit(Job(perform))


def renewal(run_ids: Sequence[str]) -> Job[None]:
    """One liveness row for the run of each recorder of this process."""

    def perform(appender: Appender, _: Sequence[Draft]) -> None:
        here = this_process()
        seen = (appender.now_ms, here.host, here.pid)
        appender.tx.executemany(
            "UPDATE liveness SET seen_at = ?, host = ?, pid = ? WHERE run = (SELECT run FROM runs WHERE run_id = ?)",
            [(*seen, run_id) for run_id in run_ids],
        )

    return Job(perform)
