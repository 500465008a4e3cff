"""The run that a new one lies in: that of its context, else the one that the environment names."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from runline.model.errors import Invalid
from runline.model.ids import check_run_id
from runline.record import lifetime
from runline.record.context import RUN
from runline.store.location import address

if TYPE_CHECKING:
    from runline.record.run import ActiveRun
    from runline.store.recording_store import RecordingStore

log = logging.getLogger("runline")


class Parent(NamedTuple):
    """`run` when it is of this process; `run_id` None: there is no parent."""

    run_id: str | None = None
    store_url: str | None = None
    run: ActiveRun | None = None

    def id_in(self, store: RecordingStore) -> str | None:
        """The parent's id, if that store holds the parent."""
        if self.store_url is None or address(self.store_url) == address(store.url):
            return self.run_id
        return None


def parent_here() -> Parent:
    """The parent of a run that starts in this context."""
    run = RUN.get()
    while run is not None and run.ended:
        run = run.outer
    if run is not None:
        return Parent(run.id, run.store_url, run)
    told = lifetime.inherited()
    if told.run_id is None:
        return Parent()
    try:
        return Parent(check_run_id(told.run_id), told.store)
    except Invalid:
        log.warning("runline: RUNLINE_RUN_ID is no run id; the run has no parent")
        return Parent()
