"""P1, P2, P11: what recording costs, beside the raw limit of the same disk and beside loggers."""

from __future__ import annotations

import gc
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import apsw
import structlog

import runline
from benchmarks.measure import Row, at_least, at_most, percentile
from benchmarks.workload import RUNS, happening, workload
from runline.store import open_store
from runline.store.append import INSERT_EVENTS

PEERS = {"Dagster 1.13": 214, "MLflow 3.17": 249, "Prefect 3.8": 394, "Phoenix 20": 249}
"""Events per second that a peer makes durable one at a time, on a machine of this size."""


def rows(folder: Path, *, scale: float = 1.0) -> Iterator[Row]:
    yield from _ingest(folder, max(20_000, int(500_000 * scale)))
    yield from _emit(folder)
    yield from _memory(folder)


def _fresh(path: Path) -> Path:
    shutil.rmtree(path, ignore_errors=True)
    return path / "runline.db"


def _product(folder: Path, count: int) -> tuple[float, list[tuple[object, ...]]]:
    """Events per second from the first `run.event` until all are durable, and the rows that it stored."""
    path = _fresh(folder / "product")
    events = list(workload(count))
    runline.configure(store=str(path))
    with ExitStack() as stack:
        handles = [stack.enter_context(runline.run(f"bench-{n}")) for n in range(RUNS)]
        gc.collect()
        began = time.perf_counter()
        for run, type_, message, data, step, level, _ in events:
            handles[run].event(type_, message, data=data, step=step, level=level, source="bench")
        if not runline.flush(600):
            raise RuntimeError("not everything became durable")
        took_s = time.perf_counter() - began
    runline.close(60)
    raw = apsw.Connection(str(path))
    stored = raw.execute(
        "SELECT id, run, seq, ts, level, type, step, source, message, correlation_id, data, crc FROM events "
        "WHERE type <> (SELECT code FROM types WHERE name = 'run_started') ORDER BY id LIMIT ?",
        (count,),
    ).fetchall()
    raw.close()
    if len(stored) != count:
        raise RuntimeError(f"{len(stored)} of {count} events stored")
    return count / took_s, stored


def _raw(folder: Path, stored: list[tuple[object, ...]], batch: int, *, settings: bool) -> float:
    """Events per second of executemany of prebuilt rows into the same table."""
    path = _fresh(folder / "raw")
    open_store(str(path)).close()
    raw = apsw.Connection(str(path))
    raw.execute("PRAGMA synchronous = FULL").fetchall()
    if settings:
        raw.execute("PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -16000").fetchall()
    gc.collect()
    began = time.perf_counter()
    for start in range(0, len(stored), batch):
        raw.execute("BEGIN IMMEDIATE")
        raw.executemany(INSERT_EVENTS, stored[start : start + batch])
        raw.execute("COMMIT")
    took_s = time.perf_counter() - began
    raw.close()
    return len(stored) / took_s


def _ingest(folder: Path, count: int) -> Iterator[Row]:
    product, plain, equal = [], [], []
    for n in range(6):
        rate, stored = _product(folder, count)
        plain_rate = _raw(folder, stored, 1000, settings=False)
        equal_rate = _raw(folder, stored, 5000, settings=True)
        if n:  # the first round warms the caches
            product.append(rate)
            plain.append(rate / plain_rate)
            equal.append(rate / equal_rate)
    rate = statistics.median(product)
    yield at_least("P1", "durable ingest of W ÷ raw executemany, batch 1000, default settings",
                   statistics.median(plain), 0.5, f"{count:,} events, five pairs {min(plain):.2f}–{max(plain):.2f}")  # fmt: skip
    yield Row(
        "P1",
        "the same ÷ raw at equal batch (5000) and settings",
        f"{statistics.median(equal):.2f} ×",
        "–",
        None,
    )
    for peer, peer_rate in PEERS.items():
        yield at_least("P1", f"the same ÷ {peer}, one durable event at a time", rate / peer_rate, 100)


def _samples_ns(work: Callable[[int], object], count: int, *, per_second: int | None = None) -> list[int]:
    samples = []
    clock = time.perf_counter_ns
    due_s = time.perf_counter()
    for n in range(count):
        if per_second:
            due_s += 1 / per_second
            time.sleep(max(0, due_s - time.perf_counter()))
        began = clock()
        work(n)
        samples.append(clock() - began)
    return samples


def _emit(folder: Path) -> Iterator[Row]:
    happenings = [happening(n * RUNS) for n in range(50_000)]
    plain = logging.getLogger("bench")
    plain.propagate = False
    plain.setLevel(logging.INFO)
    handler = logging.FileHandler(folder / "plain.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    plain.addHandler(handler)
    with (folder / "structured.log").open("w", encoding="utf-8") as file:
        structured = structlog.wrap_logger(
            structlog.WriteLogger(file),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso"),
                structlog.processors.JSONRenderer(),
            ],
        )

        def log_plain(n: int) -> None:
            h = happenings[n]
            plain.info("%s %s", h.message, json.dumps(h.data))

        def log_structured(n: int) -> None:
            h = happenings[n]
            structured.info(h.message, type=h.type, step=h.step, **h.data)

        stdlib = _samples_ns(log_plain, 20_000)
        struct = _samples_ns(log_structured, 20_000)
    handler.close()
    path = _fresh(folder / "emit")
    runline.configure(store=str(path), queue_size=200_000)
    with runline.run("emit") as run:

        def emit(n: int) -> None:
            h = happenings[n]
            run.event(h.type, h.message, data=h.data, step=h.step, level=h.level)

        _samples_ns(emit, 2_000)
        run.flush(60)
        tight = _samples_ns(emit, 50_000)
        run.flush(60)
        nested = _samples_ns(
            lambda n: run.event("log", "nested", data={"cache": {"hit": True, "age_s": n}}), 20_000
        )
        run.flush(60)
        paced = _samples_ns(emit, 6_000, per_second=2_000)
    runline.close(60)
    p50, p99 = percentile(tight, 0.5) / 1000, percentile(tight, 0.99) / 1000
    yield at_most("P2", "run.event in the caller, tight loop, p50", p50, 2, "µs")
    yield at_most("P2", "the same, p99", p99, 15, "µs")
    yield Row(
        "P2",
        "the same with an object inside the data, p50",
        f"{percentile(nested, 0.5) / 1000:.2f} µs",
        "–",
        None,
    )
    yield at_most("P2", "run.event at 2,000 per second, p50", percentile(paced, 0.5) / 1000, 6, "µs",
                  f"p99 {percentile(paced, 0.99) / 1000:.0f} µs")  # fmt: skip
    yield at_most("P2", "tight p50 ÷ structlog's to a file", p50 * 1000 / percentile(struct, 0.5), 1, "×")
    yield at_most(
        "P2", "tight p50 ÷ stdlib logging's to a file", p50 * 1000 / percentile(stdlib, 0.5), 0.2, "×"
    )


_CHILD = """
import sys
if sys.argv[1] != "bare":
    import runline
    runline.configure(store=sys.argv[2])
    with runline.run("memory") as run:
        for n in range(100_000):
            run.event("log", f"line {n} of the memory benchmark", data={"n": n})
        run.flush(60)
# Not ru_maxrss: that begins at the size of the process that started this one.
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def _memory(folder: Path) -> Iterator[Row]:
    def peak_kb(kind: str) -> int:
        path = _fresh(folder / "memory")
        out = subprocess.run(
            [sys.executable, "-c", _CHILD, kind, str(path)], check=True, capture_output=True, env=os.environ
        )
        return int(out.stdout)

    growth_mb = statistics.median((peak_kb("recorder") - peak_kb("bare")) / 1024 for _ in range(3))
    yield at_most("P11", "recorder over a bare interpreter, peak, 100 k events", growth_mb, 20, "MB")
