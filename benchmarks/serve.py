"""P4 and P8 over HTTP: pages beside the same bytes served statically, ingest beside the process's own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from benchmarks.http_load import rate
from benchmarks.measure import Row, at_least, paired
from benchmarks.serving import STATIC, Served, served
from benchmarks.stores import BIG_RUN, fill, put
from benchmarks.workload import RUNS, happening
from runline.model.clock import to_iso
from runline.store import open_local

_TIMES = 5
_BATCH = 500
_CLIENTS = 4
_PAGES = 6_000


def rows(folder: Path, *, scale: float = 1.0) -> Iterator[Row]:
    place = folder / "serve"
    place.mkdir(exist_ok=True)
    events = int(1_000_000 * scale)
    path, static = place / "runline.db", place / "page.json"
    fill(path, events=events, big_run=events // 2).close()
    note = "" if scale == 1 else f"run of {events // 2:,}"
    with served(path, static) as server:
        yield from _pages(server, static, events // 2, note)
    yield _ingest(place, int(200_000 * min(scale, 1.0)))


def _pages(server: Served, static: Path, last_seq: int, note: str) -> Iterator[Row]:
    base = f"/api/runs/{BIG_RUN}/events?limit=100"
    for name, more in (
        ("none", ""),
        ("level", "&level=error"),
        ("type", "&types=cache_lookup"),
        ("step", "&step=enrich"),
    ):
        # Pages all over the run: more than are asked for, so that no answer is one that was kept.
        paths = [
            f"{base}{more}&order=desc&beforeSeq={last_seq - n * 97 % (last_seq // 2)}" for n in range(_PAGES)
        ]
        static.write_bytes(httpx.get(server.url + paths[0]).content)

        def first(_: int, paths: list[str] = paths) -> float:
            return rate(server.port, paths)

        def again(_: int, paths: list[str] = paths[:40]) -> float:
            return rate(server.port, paths)

        def fixed(_: int) -> float:
            return rate(server.port, [STATIC])

        _, _, ratio = paired(first, fixed, times=_TIMES)
        yield at_least("P4", f"HTTP page of 100, filter {name} ÷ the same bytes static", ratio, 0.6, note)
        if name == "none":
            _, _, ratio = paired(again, fixed, times=_TIMES)
            yield Row(
                "P4", "the same 40 pages asked again and again ÷ static", f"{ratio:.2f} ×", "–", None, note
            )


def _ingest(place: Path, events: int) -> Row:
    def over_http(n: int) -> float:
        path = place / f"http-{n}.db"
        with served(path, path) as server:
            bodies: list[list[tuple[str, bytes]]] = [[] for _ in range(_CLIENTS)]
            with httpx.Client(base_url=server.url) as client:
                names = [
                    client.post("/api/runs", json={"name": f"r{i}"}).json()["run_id"] for i in range(RUNS)
                ]
            for batch in range(events // _BATCH):
                lines = [_line(i * RUNS + batch % RUNS) for i in range(batch * _BATCH, (batch + 1) * _BATCH)]
                bodies[batch % _CLIENTS].append((names[batch % RUNS], b"\n".join(lines)))
            began = time.perf_counter()
            threads = [threading.Thread(target=_post, args=(server.url, share)) for share in bodies]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            return events / (time.perf_counter() - began)

    def in_process(n: int) -> float:
        with open_local(str(place / f"own-{n}.db")) as store:
            streams = [store.stream(store.create_run(f"r{i}").run_id, announced=False) for i in range(RUNS)]
            began = time.perf_counter()
            for i in range(events):
                put(streams[i % RUNS], i)
            assert store.flush(600)
            return events / (time.perf_counter() - began)

    _, _, ratio = paired(over_http, in_process, times=3)
    return at_least(
        "P8",
        "ingest over HTTP, NDJSON × 500 ÷ in the process",
        ratio,
        0.5,
        f"{_CLIENTS} clients, {events:,} events",
    )


def _post(url: str, bodies: list[tuple[str, bytes]]) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        for run_id, body in bodies:
            answer = client.post(
                f"/api/runs/{run_id}/events", content=body, headers={"Content-Type": "application/x-ndjson"}
            )
            answer.raise_for_status()


def _line(n: int) -> bytes:
    h = happening(n)
    told = {"type": h.type, "message": h.message, "step": h.step, "level": h.level, "source": "bench",
            "ts": to_iso(h.ts_ms), "data": h.data}  # fmt: skip
    return json.dumps(told).encode()
