"""What pruning costs the one who writes meanwhile: p99 of single durable appends, with and without."""

from __future__ import annotations

import shutil
import statistics
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, at_most, percentile
from benchmarks.stores import fill


def rows(folder: Path, *, scale: float = 1.0) -> Iterator[Row]:
    events = max(50_000, int(500_000 * scale))
    ratios, quiet, busy = [], [], []
    for n in range(3):
        path = folder / f"prune-{n}" / "runline.db"
        store = fill(path, events=events)
        for run in store.list_runs(limit=100).items:
            store.end_run(run.run_id)
        writer = store.create_run("writer").run_id

        def commit_ms(writer: str = writer, store: object = store) -> float:
            began = time.perf_counter()
            store.append(writer, [{"type": "log", "message": "one durable event"}])  # type: ignore[attr-defined]
            return (time.perf_counter() - began) * 1000

        for _ in range(100):
            commit_ms()
        before = [commit_ms() for _ in range(2000)]
        pruning = threading.Thread(target=lambda store=store: store.prune(older_than_days=None, keep=0))
        pruning.start()
        during = []
        while pruning.is_alive():
            during.append(commit_ms())
        pruning.join()
        quiet.append(percentile(before, 0.99))
        busy.append(percentile(during, 0.99))
        ratios.append(busy[-1] / quiet[-1])
        store.close()
        shutil.rmtree(path.parent)
    yield at_most("prune", "p99 of a durable append while pruning ÷ without", statistics.median(ratios), 2, "×",
                  f"{statistics.median(busy):.1f} ms ÷ {statistics.median(quiet):.1f} ms, {events:,} events")  # fmt: skip
