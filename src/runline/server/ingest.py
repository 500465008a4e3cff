"""Taking events in over HTTP: parsed in a thread, committed by the store's writer, answered once durable.

A request that waits for its commit holds no thread, so that many can wait together, and what waits together is
committed together. There is a bound to how many may wait; more are told to come back.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

from runline.intake.document import json_lines, json_objects
from runline.model.errors import Unavailable
from runline.model.wire.ingested import Ingested
from runline.server.errors import TooLarge
from runline.server.settings import Settings
from runline.store.appends import Appended, told_ids
from runline.store.sql_store import SqlStore

MOST_EVENTS = 10_000
"""In a request, all of which are stored in one transaction."""


class Ingest:
    """Runs in the event loop."""

    def __init__(self, settings: Settings) -> None:
        self._most = settings.max_waiting
        self.waiting = 0
        """Requests whose events are not durable yet."""

    async def take(
        self, store: SqlStore, run_id: str, body: bytes, *, lines: bool, idempotency_key: str | None
    ) -> Ingested:
        """The answer, when the events are durable. `lines`: an object a line, else an object or an array.

        Raises Unavailable (`queue_full`), Invalid, TooLarge, NotFound, RunEnded, Conflict, StoreFull.
        """
        if self.waiting >= self._most:
            raise Unavailable(
                f"{self.waiting} requests wait for the store already; send it again in a moment.",
                code="queue_full",
            )
        self.waiting += 1
        try:
            begun = await asyncio.to_thread(_begin, store, run_id, body, lines, idempotency_key)
            appended = await asyncio.wrap_future(begun)
            seqs = [seq for seq in appended.seqs if seq is not None]
            if appended.first is not None and all(seq >= appended.first[0] for seq in seqs):
                ids = told_ids(store, run_id, appended)  # all new: counted, not read
            else:
                ids = await asyncio.to_thread(told_ids, store, run_id, appended)
        finally:
            self.waiting -= 1
        return Ingested(
            run_id=run_id,
            seqs=(min(seqs), max(seqs)) if seqs else None,
            ids=tuple(ids),
            not_stored=appended.not_stored,
        )


def _begin(
    store: SqlStore, run_id: str, body: bytes, lines: bool, idempotency_key: str | None
) -> Future[Appended]:
    events = json_lines(body) if lines else json_objects(body)
    if len(events) > MOST_EVENTS:
        raise TooLarge(f"A request here has at most {MOST_EVENTS:,} events; send several.")
    return store.ingest(run_id, events, idempotency_key=idempotency_key)
