"""Stores to measure on, filled through the product itself."""

from __future__ import annotations

from pathlib import Path

from benchmarks.workload import RUNS, happening
from runline.intake.accept import draft
from runline.store import open_local
from runline.store.sql_store import SqlStore
from runline.store.stream import Stream

BIG_RUN = "big-run"


def put(stream: Stream, n: int) -> None:
    """The n-th event of W into a stream."""
    h = happening(n)
    correlation_id = f"call-{n}" if n % 100 == 0 else None
    stream.put_all(
        [
            draft(
                h.type,
                h.message,
                h.data,
                step=h.step,
                level=h.level,
                source="bench",
                correlation_id=correlation_id,
                ts_ms=h.ts_ms,
            )
        ],
        timeout_s=60,
    )


def big_number(n: int) -> int:
    """Which event of W is the n-th of the big run: the mix of all runs, its steps in order."""
    return n * RUNS + n % RUNS


def fill(path: Path, *, events: int, big_run: int = 0) -> SqlStore:
    """A store with W in 100 runs, and one run of `big_run` events written among them."""
    store = open_local(str(path))
    streams = [store.stream(store.create_run(f"bench-{n}").run_id, announced=False) for n in range(RUNS)]
    big = store.stream(store.create_run("big", run_id=BIG_RUN).run_id, announced=False) if big_run else None
    every = max(1, events // big_run) if big_run else 0
    for n in range(events):
        put(streams[n % RUNS], n)
        if big is not None and n % every == 0 and n // every < big_run:
            put(big, big_number(n // every))
    for n in range(events // every if every else 0, big_run):
        assert big is not None
        put(big, big_number(n))
    if not store.flush(600):
        raise RuntimeError("the store did not take the workload")
    return store
