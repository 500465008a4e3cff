"""One turn of the writer: everything that has queued up, in order, within one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runline.intake.redact import Redactor
from runline.model.clock import Clock
from runline.model.errors import RunlineError
from runline.model.event import Draft
from runline.store.append import Appender
from runline.store.engine import OVERTAKEN, Engine
from runline.store.jobs import Item, Job
from runline.store.stream import Stream

_ATTEMPTS = 10


class Batch:
    """The items of a turn: first `redact`, then `commit`, then, where that went well, `committed`."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._items = items
        self._clean: list[Draft] = []
        self._streams: set[Stream] = set()
        self._results: list[tuple[Job[Any], Any]] = []

    def redact(self, redactor: Redactor) -> None:
        """Cleans all events in one search, before the write lock is taken."""
        drafts: list[Draft] = []
        for item in self._items:
            if isinstance(item, Job):
                drafts += item.drafts
            else:
                drafts.append(item[1])
        self._clean = redactor.batch(drafts)

    def commit(self, engine: Engine, appender: Appender, clock: Clock) -> None:
        """Performs it in one transaction, and in another one when another process's writer came first."""
        attempts = 0
        while True:
            attempts += 1
            try:
                with engine.transaction() as tx:
                    appender.begin(tx, clock.now_ms())
                    self.perform(appender)
                    appender.flush()
            except BaseException as error:
                appender.rolled_back()
                self.rolled_back()
                if attempts == _ATTEMPTS or getattr(error, "code", None) != OVERTAKEN:
                    raise
            else:
                return

    def perform(self, appender: Appender) -> None:
        """Adds everything in order; what streams brought between two jobs is grouped by run."""
        runs = (item.run_id if isinstance(item, Job) else item[0].run_id for item in self._items)
        appender.expect({run_id for run_id in runs if run_id is not None}, len(self._clean))
        waiting: dict[Stream, list[Draft]] = {}
        clean, at = self._clean, 0
        for item in self._items:
            if isinstance(item, Job):
                _append(appender, waiting)
                drafts = clean[at : at + len(item.drafts)]
                at += len(drafts)
                try:
                    self._results.append((item, item.perform(appender, drafts)))
                except RunlineError as error:
                    self._results.append((item, error))
            else:
                stream = item[0]
                if stream in waiting:
                    waiting[stream].append(clean[at])
                else:
                    waiting[stream] = [clean[at]]
                    self._streams.add(stream)
                at += 1
        _append(appender, waiting)

    def committed(self) -> None:
        """All of it is durable."""
        for stream in self._streams:
            stream.committed()
        for job, result in self._results:
            if isinstance(result, RunlineError):
                job.future.set_exception(result)
            else:
                job.future.set_result(result)

    def rolled_back(self) -> None:
        """None of it happened; it may be performed again."""
        for stream in self._streams:
            stream.rolled_back()
        self._streams.clear()
        self._results.clear()


def _append(appender: Appender, waiting: dict[Stream, list[Draft]]) -> None:
    for stream, drafts in waiting.items():
        stream.append(appender, drafts)
    waiting.clear()
