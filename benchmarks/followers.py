"""P6 in a browser, P7 and P11: streams. `python -m benchmarks.followers PORT RUN COUNT` follows with many sockets."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

import runline
from benchmarks.live import emit
from benchmarks.measure import Row, at_most, percentile
from benchmarks.serving import Served, served
from benchmarks.stores import BIG_RUN, fill

_FOLLOWERS = 1_000
_PER_SECOND = 5
_SECONDS = 10
_AT = re.compile(rb'"at_ns":(\d+)')
_PAGE = """
([url, states]) => {
    window.samples = [];
    const source = new EventSource(url);
    for (const state of states)
        source.addEventListener(state, event => {
            const now = performance.timeOrigin + performance.now();
            const told = JSON.parse(event.data);
            if (told.type === 'ping') window.samples.push(now - told.data.at_ns / 1e6);
            if (told.type === 'run_ended') window.over = true;
        });
}
"""


def rows(folder: Path, *, scale: float = 1.0) -> Iterator[Row]:
    place = folder / "followers"
    place.mkdir(exist_ok=True)
    yield from _browser(place)
    yield from _many(place)
    yield _memory(place, int(1_000_000 * scale))


def _browser(place: Path) -> Iterator[Row]:
    from runline.model.catalogue import STATES
    from tests.browser import browser

    path = place / "browser.db"
    runline.configure(store=str(path))
    with runline.run("seen") as run:
        run.flush(10)
        with served(path, path) as server, browser() as chromium:
            page = chromium.new_context(bypass_csp=True).new_page()
            page.goto(f"{server.url}/docs")
            page.evaluate(_PAGE, [f"{server.url}/api/runs/{run.id}/events", sorted(STATES)])
            count = emit(run)
            run.end("completed")
            page.wait_for_function("window.over", timeout=60_000)
            samples: list[float] = page.evaluate("window.samples")
    runline.close(30)
    if len(samples) != count:
        raise RuntimeError(f"the browser saw {len(samples)} of {count} events")
    for name, share, goal in (("p50", 0.5, 25), ("p95", 0.95, 80)):
        yield at_most("P6", f"emit in another process → browser over SSE, {name}", percentile(samples, share), goal, "ms",
                      f"{count:,} events at 2,000/s")  # fmt: skip


def _many(place: Path) -> Iterator[Row]:
    path = place / "many.db"
    runline.configure(store=str(path))
    with runline.run("followed") as run:
        run.flush(10)
        with served(path, path) as server:
            httpx.get(f"{server.url}/api/runs/{run.id}/events")
            before = server.memory_bytes()
            command = [
                sys.executable,
                "-m",
                "benchmarks.followers",
                str(server.port),
                run.id,
                str(_FOLLOWERS),
            ]
            client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
            assert client.stdout is not None
            client.stdout.readline()
            each = (server.memory_bytes() - before) / _FOLLOWERS
            count = _PER_SECOND * _SECONDS
            for _ in range(count):
                run.event("ping", "ping", data={"at_ns": time.time_ns()}, durable=True)
                time.sleep(1 / _PER_SECOND)
            run.end("completed")
            told = json.loads(client.stdout.read())
            client.wait()
            left = _gauge(server, "runline_followers")
    runline.close(30)
    lost = count * _FOLLOWERS - told["seen"]
    note = f"{_FOLLOWERS:,} followers × {_PER_SECOND}/s; {lost} lost, {left:.0f} handlers left"
    yield at_most("P7", "emit → each of many followers, p99", told["p99_ms"], 250, "ms", note)
    yield at_most("P7", "memory a follower", each / 1024, 30, "KB", note)
    yield Row(
        "P7", "events lost and handlers left", f"{lost} and {left:.0f}", "0 and 0", lost == 0 and left == 0
    )


def _memory(place: Path, events: int) -> Row:
    path = place / "memory.db"
    fill(path, events=0, big_run=events).close()
    with served(path, path) as server:
        command = [
            sys.executable,
            "-m",
            "benchmarks.followers",
            str(server.port),
            BIG_RUN,
            "100",
            str(events - 10),
        ]
        client = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert client.stdout is not None
        client.stdout.readline()
        with httpx.Client(base_url=server.url) as asking:
            for path_ in (
                "",
                "/events?limit=1000",
                "/state",
                "/summary",
                "/histogram",
                "/calls",
                f"/events?afterSeq={events // 2}",
            ):
                asking.get(f"/api/runs/{BIG_RUN}{path_}", timeout=60).raise_for_status()
        held = server.memory_bytes() / 1e6
        client.terminate()
        client.wait()
    return at_most("P11", "server, a large run open and 100 followers", held, 130, "MB", f"run of {events:,}")


def _gauge(server: Served, name: str) -> float:
    """Once the server has noticed that they are gone."""
    value = -1.0
    for _ in range(100):
        text = httpx.get(f"{server.url}/metrics").text
        value = float(re.search(rf"^{name} (\S+)$", text, re.MULTILINE)[1])  # type: ignore[index]
        if value == 0:
            break
        time.sleep(0.05)
    return value


async def _follow(port: int, run_id: str, after: str, opened: list[int], lags: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    query = f"?afterSeq={after}" if after else ""
    writer.write(
        f"GET /api/runs/{run_id}/events{query} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode()
    )
    await reader.readuntil(b"retry:")
    opened.append(1)
    if len(opened) == int(sys.argv[3]):
        print("ready", flush=True)
    tail = b""
    while piece := await reader.read(1 << 16):
        now = time.time_ns()
        *lines, tail = (tail + piece).split(b"\n")
        lags.extend((now - int(at[1])) / 1e6 for line in lines if (at := _AT.search(line)))
    writer.close()


async def _all() -> None:
    opened: list[int] = []
    lags: list[float] = []
    after = sys.argv[4] if len(sys.argv) > 4 else ""
    await asyncio.gather(
        *(_follow(int(sys.argv[1]), sys.argv[2], after, opened, lags) for _ in range(int(sys.argv[3])))
    )
    print(json.dumps({"seen": len(lags), "p99_ms": percentile(lags, 0.99) if lags else 0}))


if __name__ == "__main__":
    import uvloop

    uvloop.run(_all())
