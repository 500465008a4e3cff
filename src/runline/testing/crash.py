"""Processes to be killed: writers that say what was acknowledged, and the harness that kills them.

`Writers` starts `python -m runline.testing.crash fork …`, which imports once and then forks a writer for each line
on its standard input, so that a thousand kills do not cost a thousand starts. A writer appends batches for
ever and writes a record to standard output after each that was acknowledged. A pipe takes a record whole,
so a killed writer leaves no half of one. `write`, `follow` and `beat` are other parts to play.
"""

from __future__ import annotations

import os
import random
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runline.intake.accept import draft
from runline.model.clock import Clock
from runline.store import sqlite_connection, writer
from runline.store.sql_store import SqlStore, open_sqlite
from runline.testing.history import batch

RECORD = struct.Struct("!cqq")
"""Kind, number, size: `s` a writer has started (its pid), `a` a batch was acknowledged, `e` a writer is gone (its pid)."""
_SMALL_WAL_PAGES = 24
_FLUSH_S = 30.0
_Tell = Callable[[bytes], Any]


class FileClock:
    """A clock that several processes share and a test moves: milliseconds in a file of 8 bytes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def now_ms(self) -> int:
        return int.from_bytes(self._path.read_bytes())

    def set(self, now_ms: int) -> None:
        with self._path.open("r+b" if self._path.exists() else "xb") as file:
            file.write(now_ms.to_bytes(8))


def opened(path: str, clock: Clock | None = None) -> SqlStore:
    """A handle on the store, as any process opens it."""
    return open_sqlite(path, url=f"sqlite:///{path}", clock=clock)


def write(store: SqlStore, run_id: str, first: int, count: int, seed: int, tell: _Tell) -> None:
    """Batches `first` …, each told once it is acknowledged; every third goes the recorder's way."""
    chance = random.Random(seed)
    stream = store.stream(run_id, announced=False)
    for number in range(first, first + count):
        events = batch(number, chance.randint(1, 9) if number % 3 else 1)
        if number % 3:
            store.append(run_id, events)
        else:
            (event,) = events
            stream.put(draft("log", event["message"], event["data"], step=event["step"], ts_ms=number))
            if not stream.flush(_FLUSH_S):
                continue
        tell(RECORD.pack(b"a", number, len(events)))


def follow(store: SqlStore, run_id: str, tell: _Tell) -> None:
    """Tells the seq of each event up to the end of the run."""
    for event in store.follow(run_id):
        tell(RECORD.pack(b"f", event.seq, 0))


def beat(store: SqlStore, run_id: str, tell: _Tell, wait: Callable[[], object]) -> None:
    """Records a run, announced, and says nothing but that it is alive, until it is killed."""
    run = store.create_run("beating", run_id=run_id, announced=True)
    store.stream(run.run_id)
    tell(RECORD.pack(b"s", os.getpid(), 0))
    wait()


def play(part: str, path: str, run_id: str, rest: Sequence[str], tell: _Tell) -> None:
    """One part of a crash test, as a process of its own; see `main`."""
    match part:
        case "fork":  # pragma: no cover - only ever in a process without threads
            fork_writers(path, run_id, tell)
        case "write":
            first, count, seed = map(int, rest)
            with opened(path) as store:
                write(store, run_id, first, count, seed, tell)
        case "follow":
            with opened(path) as store:
                follow(store, run_id, tell)
        case _:
            clock, every_s = rest
            writer.HEARTBEAT_S = float(every_s)  # type: ignore[assignment,attr-defined]
            with opened(path, FileClock(Path(clock)) if clock else None) as store:
                beat(store, run_id, tell, signal.pause)


def fork_writers(path: str, run_id: str, tell: _Tell) -> None:  # pragma: no cover - as above
    """For each seed on standard input a writer, forked; every other one checkpoints all the time."""
    for line in sys.stdin:
        seed = int(line)
        pid = os.fork()
        if pid == 0:
            sqlite_connection.CHECKPOINT_PAGES = (
                _SMALL_WAL_PAGES if seed % 2 else sqlite_connection.CHECKPOINT_PAGES
            )
            tell(RECORD.pack(b"s", os.getpid(), 0))
            write(opened(path), run_id, seed << 20, 1 << 20, seed, tell)
            os._exit(0)
        os.waitpid(pid, 0)
        tell(RECORD.pack(b"e", pid, 0))


def start(part: str, *arguments: str) -> subprocess.Popen[bytes]:
    """The part as a process; its records come on standard output."""
    return subprocess.Popen(
        [sys.executable, "-m", "runline.testing.crash", part, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )


def records(process: subprocess.Popen[bytes]) -> list[tuple[bytes, int, int]]:
    """All that a process still has to say, until it ends; raises when it failed."""
    said, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return [RECORD.unpack(said[at : at + RECORD.size]) for at in range(0, len(said), RECORD.size)]


class Writers:
    """Writers of one run, killed one after the other. `acknowledged` are the batches they were sure of."""

    def __init__(self, path: str, run_id: str) -> None:
        self._process = start("fork", path, run_id)
        self.acknowledged: list[int] = []

    def kill_one(self, seed: int) -> None:
        """Starts a writer, lets it get somewhere, kills it, and waits until it is gone."""
        assert self._process.stdin is not None
        chance = random.Random(seed)
        self._process.stdin.write(b"%d\n" % seed)
        self._process.stdin.flush()
        kind, pid, _ = self._next()
        assert kind == b"s"
        for _ in range(chance.randint(0, 6)):
            assert self._next()[0] == b"a"  # else it died by itself
        time.sleep(chance.random() * 0.004)  # a moment like any other
        os.kill(pid, signal.SIGKILL)
        while self._next()[0] != b"e":
            pass

    def _next(self) -> tuple[bytes, int, int]:
        assert self._process.stdout is not None
        record: tuple[bytes, int, int] = RECORD.unpack(self._process.stdout.read(RECORD.size))
        if record[0] == b"a":
            self.acknowledged.append(record[1])
        return record

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()


def main(arguments: Sequence[str]) -> None:
    """`fork PATH RUN`, `write PATH RUN FIRST COUNT SEED`, `follow PATH RUN` or `beat PATH RUN CLOCK EVERY_S`."""

    def tell(record: bytes) -> None:
        os.write(1, record)

    part, path, run_id, *rest = arguments
    play(part, path, run_id, rest, tell)


if __name__ == "__main__":  # pragma: no cover - in the processes themselves
    main(sys.argv[1:])
