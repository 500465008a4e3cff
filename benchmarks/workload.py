"""Workload W: 100 runs written round-robin.

Every event has a type, a level, a step, a message of about 60 characters, 8 payload keys (about 326 bytes of
JSON) and a timestamp.

The mix is that of a working agent or pipeline: mostly logs and activity, some calls, some progress, one
event in fifty a warning and one in two hundred an error. A run goes through its steps in order.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

RUNS = 100
STEPS = ("extract", "validate", "dedupe", "enrich", "transform", "aggregate", "render", "publish")
_EVENTS_PER_STEP = 40
_TYPES = ("log", "stream_activity", "log", "tool_note", "log", "cache_lookup", "step_progress", "log")
START_MS = 1_795_200_000_000


class Happening(NamedTuple):
    """Arguments of `run.event`, and which run it belongs to."""

    run: int
    type: str
    message: str
    data: dict[str, Any]
    step: str
    level: str
    ts_ms: int


def happening(n: int) -> Happening:
    """The n-th event of W, from 0."""
    run, within = n % RUNS, n // RUNS
    level = "error" if n % 200 == 199 else "warn" if n % 50 == 49 else "info"
    type_ = "log" if level != "info" else _TYPES[within % len(_TYPES)]
    step = STEPS[within // _EVENTS_PER_STEP % len(STEPS)]
    data = {
        "supplier": f"supplier-{n % 9973:05d}",
        "url": f"https://example.org/catalogue/{n % 7919}/items?page={within % 40}",
        "rows": within * 17 % 5000,
        "duration_ms": n * 31 % 900,
        "path": f"/srv/data/{step}/part-{within:06d}.parquet",
        "attempt": 1 + n % 3,
        "cache_key": f"{n * 2654435761 % 2**32:08x}",
        "note": "the quick record of one thing that happened, with a bit of detail on how it came to be so",
    }
    if type_ == "step_progress":
        data["progress"] = min(99, within % _EVENTS_PER_STEP * 100 // _EVENTS_PER_STEP)
    message = f"{step}: supplier {n % 9973} page {within % 40} of 40, {within * 17 % 5000} rows read"
    return Happening(run, type_, message, data, step, level, START_MS + n)


def workload(count: int, *, start: int = 0) -> Iterator[Happening]:
    """`count` events of W from the `start`-th on."""
    for n in range(start, start + count):
        yield happening(n)
