"""Short turns at the write lock, for work that is long in all: pruning, giving space back, importing.

Each turn is a job of the writer's, so it shares a commit with whoever else writes, and only as large that its
work takes less than a commit. A longer pause follows: the writers of this and of other processes hardly
notice.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from statistics import median
from typing import TypeVar

from runline.store.engine import Engine, Writing
from runline.store.jobs import Job
from runline.store.writer import Writer

T = TypeVar("T")
COST_S = 0.0003
"""Aim for one turn: its work, and what its pages add to a bare commit, which others are used to. On a disk that
takes longer for a commit, half of what that takes."""
_PAUSE = 4
"""Times as long as that."""
_LEAST_PAUSE_S = 0.001
_LEAST, _FIRST, _MOST = 64, 64, 8_192
_REMEMBERED = 9
"""Turns whose middle one tells what a unit costs: a single one may have waited for something else."""
_TIGHT = 64
"""On a full disk a turn's pages must fit in the reserve, and the WAL is emptied after each."""


class Turns:
    """Takes turns of `size` units (rows, pages), which it learns. `tight`: inside one errand, on a full disk."""

    def __init__(self, engine: Engine, writer: Writer, *, tight: bool = False) -> None:
        self._engine = engine
        self._writer = writer
        self._tight = tight
        self._most = _TIGHT if tight else _MOST
        self._commits_s = deque([0.0], maxlen=_REMEMBERED)
        self._least_commit_s = 1.0
        self._unit_costs_s: deque[float] = deque(maxlen=_REMEMBERED)
        self.size = _FIRST

    def take(self, perform: Callable[[Writing, int], T]) -> T:
        """One turn: `perform(transaction, size)`, durable on return.

        It may share its transaction with what others write, so it must raise before it changes anything.
        """

        def timed(tx: Writing) -> tuple[T, float]:
            began_s = time.monotonic()
            result = perform(tx, self.size)
            return result, time.monotonic() - began_s

        if self._tight:
            with self._engine.transaction() as tx:
                result, work_s = timed(tx)
        else:
            result, work_s = self._writer.submit(Job(lambda appender, _: timed(appender.tx)))
        commit_s = self._engine.commit_s
        self._commits_s.append(commit_s)
        self._least_commit_s = min(self._least_commit_s, commit_s)
        self._end(work_s + commit_s)
        return result

    def vacuum(self) -> int:
        """One turn of giving free pages back to the file system; how many are still free."""

        def turn() -> tuple[int, float]:
            began_s = time.monotonic()
            left = self._engine.vacuum(self.size)
            return left, time.monotonic() - began_s

        left, held_s = self._do(turn)
        self._end(held_s)
        return left

    def checkpoint(self) -> None:
        """Moves what can be moved from the WAL into the database, so that the file shrinks."""
        self._do(lambda: self._engine.checkpoint(wait=self._tight))

    def _do(self, turn: Callable[[], T]) -> T:
        return turn() if self._tight else self._writer.between(turn)

    def _end(self, held_s: float) -> None:
        """Learns from the turn and leaves room for others."""
        cost_s = max(held_s - self._least_commit_s, 1e-6)
        self._unit_costs_s.append(cost_s / self.size)
        fitting = int(max(COST_S, median(self._commits_s) / 2) / median(self._unit_costs_s))
        self.size = max(_LEAST, min(fitting, 2 * self.size, self._most))
        if self._tight:
            self._engine.checkpoint(wait=True)
        else:
            time.sleep(max(_LEAST_PAUSE_S, _PAUSE * cost_s))
