"""P1, P4, P6, P10 on PostgreSQL: the same store on the other engine, beside raw COPY and raw SQL on the same server."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg

from benchmarks.measure import Row, at_least, at_most, percentile
from benchmarks.stores import put
from benchmarks.workload import RUNS
from runline.intake.accept import draft
from runline.model.clock import SystemClock
from runline.store.append import EVENT_COLUMNS
from runline.store.postgres_store import open_postgres
from runline.testing.postgres import PostgresServer

_BATCH = 1000
_PAIRS = 5


def rows(folder: Path, *, scale: float = 1.0) -> Iterator[Row]:
    del folder
    with PostgresServer({"shared_buffers": "256MB", "max_wal_size": "4GB"}) as server:
        yield from _ingest(server, max(20_000, int(200_000 * scale)))
        yield from _pages(server)
        yield from _growth(server, scale)
        yield from _live(server)


def _product(url: str, count: int) -> float:
    """Events per second from the first event queued until all are durable, projections and redaction included."""
    with open_postgres(url, queue_size=20_000) as store:
        streams = [store.stream(store.create_run(f"bench-{n}").run_id, announced=False) for n in range(RUNS)]
        began_s = time.perf_counter()
        for n in range(count):
            put(streams[n % RUNS], n)
        if not store.flush(600):
            raise RuntimeError("not everything became durable")
        return count / (time.perf_counter() - began_s)


def _raw(url: str, stored: list[tuple[object, ...]]) -> float:
    """Events per second of COPY of the same rows into the same table, a commit for each thousand."""
    open_postgres(url).close()
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        began_s = time.perf_counter()
        for start in range(0, len(stored), _BATCH):
            with cursor.copy(f"COPY events ({EVENT_COLUMNS}) FROM STDIN".encode()) as copy:
                for row in stored[start : start + _BATCH]:
                    copy.write_row(row)
            connection.commit()
        return len(stored) / (time.perf_counter() - began_s)


def _ingest(server: PostgresServer, count: int) -> Iterator[Row]:
    ratios, speeds, raws = [], [], []
    size_bytes = 0.0
    for _ in range(_PAIRS):
        ours, bare = server.create(), server.create()
        speeds.append(_product(ours, count))
        with psycopg.connect(ours) as connection:
            stored = connection.execute(f"SELECT {EVENT_COLUMNS} FROM events ORDER BY id".encode()).fetchall()
            (taken,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
        raws.append(_raw(bare, stored))
        with psycopg.connect(server.create()) as connection:
            (empty,) = connection.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
        ratios.append(speeds[-1] / raws[-1])
        size_bytes = (taken - empty) / len(stored)
        server.drop(ours)
        server.drop(bare)
    yield at_least("P1", "PostgreSQL: ingest against COPY of the same rows, batch 1000", statistics.median(ratios), 0.40,
                   f"{statistics.median(speeds):,.0f} against {statistics.median(raws):,.0f} events/s")  # fmt: skip
    yield at_most("P10", "PostgreSQL: bytes an event, indexes and projections included", size_bytes, 610, "B")


def _pages(server: PostgresServer) -> Iterator[Row]:
    url, count = server.create(), 20_000
    with open_postgres(url) as store:
        stream = store.stream(store.create_run("big", run_id="big").run_id, announced=False)
        for n in range(count):
            put(stream, n * RUNS + n % RUNS)
        store.flush(60)
        store.engine.tidy()
        store.read("big", levels=("error",), order="desc")
        step = store.read("big", limit=50)[-1].step
        with psycopg.connect(url) as raw:
            (run,) = raw.execute("SELECT run FROM runs").fetchone() or (0,)
            (code,) = raw.execute("SELECT step FROM steps WHERE name = %s", (step,)).fetchone() or (0,)
            for what, wanted, where in (
                ("level", Wanted(levels=("error",)), "level = 2"),
                ("step", Wanted(steps=(step or "",)), f"step = {code}"),
            ):
                sql = (
                    "SELECT seq, id, ts, level, type, step, source, message, correlation_id, data FROM events "
                    f"WHERE run = {run} AND {where} ORDER BY seq DESC LIMIT 100"
                )
                ours, bare = _paired(
                    partial(store.read, "big", order="desc", levels=wanted.levels, steps=wanted.steps),
                    lambda sql=sql: raw.execute(sql.encode()).fetchall(),  # type: ignore[misc]
                )
                yield at_most("P4", f"PostgreSQL: page of 100 by {what} against the same SQL", ours / bare, 1.5, "×",
                              f"{ours * 1000:.2f} against {bare * 1000:.2f} ms")  # fmt: skip


class Wanted(NamedTuple):
    """Which events of a page."""

    levels: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()


def _paired(ours: Callable[[], object], bare: Callable[[], object]) -> tuple[float, float]:
    """Medians of both in seconds, taken in turn."""
    pairs = [(_took(ours), _took(bare)) for _ in range(200)]
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def _growth(server: PostgresServer, scale: float) -> Iterator[Row]:
    """The same reads and appends in a store ten times as large."""
    sizes = (max(2_000, int(50_000 * scale)), max(20_000, int(500_000 * scale)))
    small, large = (_costs(server, events) for events in sizes)
    for what, cost in small.items():
        yield at_most("P5", f"PostgreSQL: {what}, a store ten times as large", large[what] / cost, 1.3, "×",
                      f"{large[what] * 1000:.2f} against {cost * 1000:.2f} ms")  # fmt: skip


def _costs(server: PostgresServer, events: int) -> dict[str, float]:
    """Medians in seconds in a store of so many events in 100 runs."""
    with open_postgres(server.create()) as store:
        runs = [store.create_run(f"r{n}", run_id=f"r{n}") for n in range(RUNS)]
        streams = [store.stream(run.run_id, announced=False) for run in runs]
        for n in range(events):
            put(streams[n % RUNS], n)
        if not store.flush(600):
            raise RuntimeError("not everything became durable")
        store.engine.tidy()
        asked: dict[str, Callable[[], object]] = {
            "page": lambda: store.read("r7", limit=100),
            "list": lambda: store.list_runs(limit=50),
            "summary": lambda: store.summary("r7"),
            "append": lambda: store.append("r7", [{"type": "log", "message": "one"}]),
        }
        return {what: statistics.median(_took(ask) for _ in range(200)) for what, ask in asked.items()}


def _took(perform: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    perform()
    return time.perf_counter() - began_s


def _live(server: PostgresServer) -> Iterator[Row]:
    """Another handle follows: it hears of commits as another process would."""
    url, clock, late_ms = server.create(), SystemClock(), list[float]()
    with open_postgres(url) as writing, open_postgres(url) as reading:
        run_id = writing.create_run("live").run_id
        stream = writing.stream(run_id, announced=False)

        def follow() -> None:
            for event in reading.follow(run_id, after_seq=1, timeout_s=5):
                if event.type == "tick":
                    late_ms.append(time.time() * 1000 - event.data["at"])

        thread = threading.Thread(target=follow)
        thread.start()
        for n in range(4_000):
            stream.put(draft("tick", "tick", {"at": time.time() * 1000, "n": n}, ts_ms=clock.now_ms()))
            time.sleep(0.0005)
        writing.flush(10)
        writing.end_run(run_id)
        thread.join()
    yield at_most(
        "P6",
        "PostgreSQL: emit → follower of another handle, p50, up to 2,000 events/s",
        percentile(late_ms, 0.50),
        15,
        "ms",
    )
    yield at_most("P6", "the same, p95", percentile(late_ms, 0.95), 40, "ms")
