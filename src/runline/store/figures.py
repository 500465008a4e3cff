"""What the writing connection has done since the process started, for whoever watches it."""

from __future__ import annotations

import time
from bisect import bisect_left

COMMIT_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Figures:
    """Counted by the one writer thread; read from any. `buckets` counts commits by their time, the last is above all.

    The time of a commit is that of its whole transaction, from taking the write lock to durable.
    """

    def __init__(self) -> None:
        self.events = 0
        self.commits = 0
        self.failures = 0
        self.commit_s = 0.0
        self.buckets = [0] * (len(COMMIT_BUCKETS_S) + 1)
        self._began_s = 0.0

    def begin(self) -> None:
        self._began_s = time.perf_counter()

    def committed(self, events: int) -> None:
        took_s = time.perf_counter() - self._began_s
        self.events += events
        self.commits += 1
        self.commit_s += took_s
        self.buckets[bisect_left(COMMIT_BUCKETS_S, took_s)] += 1

    def rolled_back(self) -> None:
        self.failures += 1
