"""P4, P5, P9, P15: reading a run of 1 M events in a store of 10 M, and how cost grows from 100 k to 10 M."""

from __future__ import annotations

import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw

from benchmarks.measure import Row, at_most, percentile
from benchmarks.stores import BIG_RUN, big_number, fill, put
from runline.store.sql_store import SqlStore

_FILTERS: dict[str, tuple[dict[str, Any], str]] = {
    "none": ({}, "1 = 1"),
    "level": ({"levels": ["error"]}, "level = 2"),
    "type": ({"types": ["cache_lookup"]}, "type = (SELECT code FROM types WHERE name = 'cache_lookup')"),
    "step": (
        {"steps": ["enrich"]},
        f"step = (SELECT step FROM steps WHERE name = 'enrich' AND run = (SELECT run FROM runs WHERE run_id = '{BIG_RUN}'))",
    ),
}


def median_ms(work: Callable[[], object], *, times: int) -> float:
    samples = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        samples.append((time.perf_counter() - began) * 1000)
    return statistics.median(samples)


def drop_caches(path: Path) -> None:
    """Asks the kernel to forget the file, so that the next read is cold."""
    for name in _files(path):
        with name.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def rows(folder: Path, *, scale: float = 1.0) -> Iterator[Row]:
    """`scale` 1: the sizes of the goals; less: the same shape on a smaller store (said in the notes)."""
    small_path, large_path = folder / "small" / "runline.db", folder / "large" / "runline.db"
    small_events, large_events, big = 100_000, int(10_000_000 * scale), int(1_000_000 * scale)
    note = "" if scale == 1 else f"store of {large_events:,}, run of {big:,}"
    small = fill(small_path, events=small_events, big_run=10_000)
    large = fill(large_path, events=large_events - big, big_run=big)
    yield Row("P10", "disk of a live store", f"{_size(large_path) / large_events:.0f} bytes/event", "≤ 500 bytes/event",
              _size(large_path) / large_events <= 500, note)  # fmt: skip
    yield from _pages(large, large_path, big, note)
    yield from _growth(small, large, note)
    yield from _as_of(large, big, note)
    yield from _search(large, large_path, note)
    small.close()
    large.close()
    shutil.rmtree(folder / "small")
    shutil.rmtree(folder / "large")


def _size(path: Path) -> int:
    return sum(file.stat().st_size for file in _files(path))


def _files(path: Path) -> list[Path]:
    return [file for suffix in ("", "-wal") if (file := Path(f"{path}{suffix}")).exists()]


def _pages(store: SqlStore, path: Path, big: int, note: str) -> Iterator[Row]:
    raw = apsw.Connection(f"file:{path}", flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    run = store.locate(BIG_RUN).run

    def rows_of(sql: str) -> list[tuple[Any, ...]]:
        return raw.execute(sql, (run,)).fetchall()

    call = f"call-{big_number(big // 200 * 100)}"
    wanted = _FILTERS | {"correlation id": ({"correlation_id": call}, f"correlation_id = '{call}'")}
    for name, (filters, condition) in wanted.items():
        sql = (
            "SELECT id, seq, ts, level, type, step, source, message, correlation_id, data FROM events "
            f"WHERE run = ? AND {condition} ORDER BY seq DESC LIMIT 100"
        )

        def splice(sql: str = sql) -> bytes:
            return b",".join(
                b'{"id":%d,"seq":%d,"ts":%d,"level":%d,"type":%d,"message":"%s","data":%s}'
                % (r[0], r[1], r[2], r[3], r[4], r[7].encode(), r[9].encode())
                for r in rows_of(sql)
            )

        def product(filters: dict[str, Any] = filters) -> bytes:
            page = store.read(BIG_RUN, order="desc", limit=100, **filters)
            return b",".join(event.to_json() for event in page)

        drop_caches(path)
        began = time.perf_counter()
        product()
        cold_ms = (time.perf_counter() - began) * 1000
        ratio = statistics.median(
            median_ms(product, times=20) / median_ms(splice, times=20) for _ in range(5)
        )
        warm = f"{median_ms(product, times=20):.2f} ms warm, {cold_ms:.1f} ms cold"
        yield Row("P4", f"page of 100 newest, by {name}, to JSON ÷ raw SQL + splice", f"{ratio:.2f} ×", "≤ 1.5 ×",
                  ratio <= 1.5, f"{warm}; {note}".rstrip("; "))  # fmt: skip
    raw.close()


def _growth(small: SqlStore, large: SqlStore, note: str) -> Iterator[Row]:
    def appended(store: SqlStore) -> Callable[[], object]:
        run_id = store.create_run("growth").run_id
        stream = store.stream(run_id, announced=False)
        numbers = iter(range(10**9))

        def work() -> None:
            for _ in range(1000):
                put(stream, next(numbers))
            store.flush(60)

        return work

    works: dict[str, Callable[[SqlStore], Callable[[], object]]] = {
        "page": lambda store: lambda: store.read(BIG_RUN, order="desc", limit=100),
        "list of 50": lambda store: lambda: store.list_runs(limit=50),
        "summary": lambda store: lambda: store.summary(BIG_RUN),
        "append of 1000": appended,
    }
    for name, work in works.items():
        on_small, on_large = work(small), work(large)
        ratio = statistics.median(
            median_ms(on_large, times=15) / median_ms(on_small, times=15) for _ in range(7)
        )
        yield at_most("P5", f"{name}: at 10 M events ÷ at 100 k", ratio, 1.3, "×", note)


def _as_of(store: SqlStore, big: int, note: str) -> Iterator[Row]:
    store.state(BIG_RUN, at_seq=big // 2)
    samples = []
    for n in range(1, 40):
        began = time.perf_counter()
        store.state(BIG_RUN, at_seq=max(1, big * n // 40 - 1))
        samples.append((time.perf_counter() - began) * 1000)
    yield at_most("P9", "state as of event N, warm, slowest of 39", max(samples), 50, "ms",
                  f"median {percentile(samples, 0.5):.1f} ms; {note}".rstrip("; "))  # fmt: skip


def _search(store: SqlStore, path: Path, note: str) -> Iterator[Row]:
    needle = f"part-{40_000 % 1_000_000:06d}"
    for state in ("cold", "warm"):
        if state == "cold":
            drop_caches(path)
        began = time.perf_counter()
        first_ms, hits = None, 0
        for piece in store.index(BIG_RUN, q=f'"{needle}"'):
            hits += len(piece.seqs)
            if hits and first_ms is None:
                first_ms = (time.perf_counter() - began) * 1000
        all_ms = (time.perf_counter() - began) * 1000
        goal = state == "warm"
        found = f"{hits} hits; {note}".rstrip("; ")
        yield Row("P15", f"free text, first hit, {state}", f"{first_ms or -1:.0f} ms", "≤ 150 ms" if goal else "–",
                  (first_ms or 1e9) <= 150 if goal else None, found)  # fmt: skip
        yield Row("P15", f"free text, all hits, {state}", f"{all_ms:.0f} ms", "≤ 2000 ms" if goal else "–",
                  all_ms <= 2000 if goal else None, found)  # fmt: skip
