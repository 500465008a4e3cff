"""Short turns at the write lock, for work that is long in all: pruning, giving space back, importing.

Each turn is a transaction of its own in the writer's thread, between two of the writer's, and as large as
fits in a few milliseconds on this machine. A pause as long as the turn follows, so that writers of this and
other processes get in at least every other time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from runline.store.engine import Writing
from runline.store.sqlite import SqliteEngine
from runline.store.writer import Writer

T = TypeVar("T")
HELD_S = 0.005
"""Aim for one turn; writers wait at most about twice as long."""
_LEAST_PAUSE_S = 0.001
_LEAST, _FIRST, _MOST = 4, 32, 8_192
_TIGHT = 64
"""On a full disk a turn's pages must fit in the reserve, and the WAL is emptied after each."""


class Turns:
    """Takes turns of `size` units (rows, pages), which it learns. `tight`: inside one errand, on a full disk."""

    def __init__(self, engine: SqliteEngine, writer: Writer, *, tight: bool = False) -> None:
        self._engine = engine
        self._writer = writer
        self._tight = tight
        self._most = _TIGHT if tight else _MOST
        self.size = _FIRST

    def take(self, perform: Callable[[Writing, int], T]) -> T:
        """One turn: `perform(transaction, size)`, durable on return."""

        def turn() -> tuple[T, float]:
            codes = self._writer.appender.codes
            try:
                with self._engine.transaction() as tx:
                    began_s = time.monotonic()
                    result = perform(tx, self.size)
            except BaseException:
                codes.rolled_back()
                raise
            codes.committed()
            return result, time.monotonic() - began_s

        return self._timed(turn)

    def vacuum(self) -> int:
        """One turn of giving free pages back to the file system; how many are still free."""

        def turn() -> tuple[int, float]:
            began_s = time.monotonic()
            left = self._engine.vacuum(self.size)
            return left, time.monotonic() - began_s

        return self._timed(turn)

    def checkpoint(self) -> None:
        """Moves what can be moved from the WAL into the database, so that the file shrinks."""

        def turn() -> tuple[None, float]:
            self._engine.checkpoint(wait=False)
            return None, HELD_S

        self._timed(turn)

    def _timed(self, turn: Callable[[], tuple[T, float]]) -> T:
        result, held_s = turn() if self._tight else self._writer.between(turn)
        if held_s > HELD_S:
            self.size = max(_LEAST, self.size // 2)
        elif held_s < HELD_S / 2:
            self.size = min(self._most, self.size * 2)
        if self._tight:
            self._engine.checkpoint(wait=True)
        else:
            time.sleep(max(_LEAST_PAUSE_S, held_s))
        return result
