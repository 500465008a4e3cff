"""P6: from `run.event` to the follower's hands, in the same process and in another one, at 2,000 events/s."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import runline
from benchmarks.measure import Row, at_most, percentile

_EVENTS = 10_000
_PER_SECOND = 2_000
_FOLLOWER = """
import sys, time
from runline.store import open_store
store = open_store(sys.argv[1], read_only=True)
samples = []
print("ready", flush=True)
for event in store.follow(sys.argv[2], timeout_s=30):
    if event.type == "ping":
        samples.append(time.time_ns() - event.data["at_ns"])
print(" ".join(map(str, samples)))
"""


def emit(run: object) -> int:
    """So many events at the rate of the goal; how many."""
    due_s = time.perf_counter()
    for _ in range(_EVENTS):
        due_s += 1 / _PER_SECOND
        time.sleep(max(0, due_s - time.perf_counter()))
        run.event("ping", "ping", data={"at_ns": time.time_ns()})  # type: ignore[attr-defined]
    return _EVENTS


def rows(folder: Path, *, scale: float = 1.0) -> Iterator[Row]:
    del scale
    for where, p50_goal, p95_goal in (("same process", 5, 20), ("another process", 15, 40)):
        path = folder / "live" / "runline.db"
        shutil.rmtree(path.parent, ignore_errors=True)
        runline.configure(store=str(path))
        with runline.run("live") as run:
            run.flush(10)
            if where == "same process":
                samples = _same_process(run)
            else:
                command = [sys.executable, "-c", _FOLLOWER, str(path), run.id]
                follower = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
                assert follower.stdout is not None
                follower.stdout.readline()
                emit(run)
                run.end("completed")
                samples = [int(word) for word in follower.stdout.read().split()]
                follower.wait()
        runline.close(30)
        if len(samples) != _EVENTS:
            raise RuntimeError(f"the follower saw {len(samples)} of {_EVENTS} events")
        for name, share, goal in (("p50", 0.5, p50_goal), ("p95", 0.95, p95_goal)):
            yield at_most("P6", f"emit → follower, {where}, {name}", percentile(samples, share) / 1e6, goal, "ms",
                          f"{_EVENTS:,} events at {_PER_SECOND:,}/s")  # fmt: skip


def _same_process(run: object) -> list[int]:
    samples: list[int] = []
    # The follower shares the writer's process, and with it the waking without polling.
    own = runline.current().store
    ready = threading.Event()

    def follow() -> None:
        ready.set()
        pings = (event for event in own.follow(run.id, timeout_s=30) if event.type == "ping")  # type: ignore[attr-defined]
        samples.extend(time.time_ns() - event.data["at_ns"] for event in pings)

    thread = threading.Thread(target=follow)
    thread.start()
    ready.wait()
    emit(run)
    run.end("completed")  # type: ignore[attr-defined]
    thread.join()
    return samples
