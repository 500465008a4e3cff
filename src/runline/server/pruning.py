"""Retention that runs by itself while a server does, and only when it was switched on."""

from __future__ import annotations

import logging
import threading

from runline.model.errors import RunlineError
from runline.server.settings import Retention
from runline.store.interface import Store

log = logging.getLogger("runline")
_FIRST_S = 10.0
_EVERY_S = 3600.0


class Pruning:
    """Prunes soon after `start`, then every hour, in a thread of its own. `removed` counts runs."""

    def __init__(
        self, store: Store, rules: Retention | None, *, first_s: float = _FIRST_S, every_s: float = _EVERY_S
    ) -> None:
        self.removed = 0
        self._store = store
        self._rules = rules
        self._first_s = first_s
        self._every_s = every_s
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        if self._rules is not None and self._thread is None:
            self._over.clear()
            self._thread = threading.Thread(
                target=self._run, args=(self._rules,), name="runline-retention", daemon=True
            )
            self._thread.start()

    def close(self) -> None:
        """Ends the thread; a prune that is under way is finished first, which takes moments."""
        self._over.set()
        if self._thread is not None:
            self._thread.join(5)
            self._thread = None

    def _run(self, rules: Retention) -> None:
        store = self._store.acting_as("retention")
        wait_s = self._first_s
        while not self._over.wait(wait_s):
            wait_s = self._every_s
            try:
                report = store.prune(
                    older_than_days=rules.older_than_days,
                    keep=rules.keep,
                    max_size_bytes=rules.max_size_bytes,
                )
            except RunlineError as error:
                log.warning("runline: retention could not prune: %s", error)
                continue
            self.removed += report.removed
            if report.removed:
                log.info("runline: retention removed %d runs", report.removed)
