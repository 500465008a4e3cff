"""A line into the log of this machine: the writer's transactions take it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runline.model.catalogue import END_TYPES
from runline.model.errors import NotFound, RunEnded
from runline.model.event import Draft
from runline.store.line import Line, lost_event

if TYPE_CHECKING:
    from runline.store.append import Appender
    from runline.store.writer import Writer


class Stream(Line):
    """A line whose events the writer commits, many in one transaction."""

    def __init__(self, writer: Writer, run_id: str) -> None:
        super().__init__(writer, run_id)
        self._reported = 0
        self._refusing = 0

    def append(self, appender: Appender, drafts: list[Draft]) -> None:
        """In the writer's transaction: adds what can still be added."""
        count, self.reporting = self.dropped - self.reporting, self.dropped
        if count:
            drafts = [lost_event(count, appender.now_ms), *drafts]
        cut = next((n for n, draft in enumerate(drafts, 1) if draft.type in END_TYPES), len(drafts))
        try:
            cut -= appender.add(appender.entry(self.run_id), drafts[:cut]).not_stored
        except (RunEnded, NotFound):
            cut = 0
        self._refusing += len(drafts) - cut

    def committed(self) -> None:
        """The transaction of `append` is durable, and so is the report of what was dropped."""
        self._reported = self.reporting
        self.refused += self._refusing
        self._refusing = 0

    def rolled_back(self) -> None:
        """Nothing of it happened; what was dropped is reported another time."""
        self.reporting = self._reported
        self._refusing = 0
