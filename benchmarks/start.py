"""P3, P12: from nothing to the first durable event, and how soon the command line answers."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, at_most

_FIRST = """
import time
began = time.perf_counter()
import runline
runline.configure(store=__import__("sys").argv[1])
imported = time.perf_counter()
with runline.run("first") as run:
    run.event("log", "hello", durable=True)
    print((time.perf_counter() - began) * 1000)
"""
_OPEN = """
import sys, time
import runline
from runline.store import open_store
import runline.store.sql_store
began = time.perf_counter()
store = open_store(sys.argv[1])
run = store.create_run("first")
print((time.perf_counter() - began) * 1000)
store.close()
"""


def rows(folder: Path, *, scale: float = 1.0) -> Iterator[Row]:
    del scale
    path = folder / "start" / "runline.db"
    # As pip leaves it: with the bytecode compiled.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}

    def spent_ms(*command: str) -> float:
        began = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=environment)
        return (time.perf_counter() - began) * 1000

    def printed_ms(code: str, *, anew: bool) -> float:
        if anew:
            shutil.rmtree(path.parent, ignore_errors=True)
        return float(
            subprocess.run(
                [sys.executable, "-c", code, str(path)], check=True, capture_output=True, env=environment
            ).stdout
        )

    def first_ms() -> float:
        shutil.rmtree(path.parent, ignore_errors=True)
        return spent_ms(sys.executable, "-c", _FIRST, str(path))

    bare = statistics.median(spent_ms(sys.executable, "-c", "pass") for _ in range(9))
    first = statistics.median(first_ms() for _ in range(9))
    yield at_most("P3", "process start → first durable event, new store", first, 150, "ms",
                  f"a bare interpreter takes {bare:.0f} ms")  # fmt: skip
    for what, anew in (("a new", True), ("an existing", False)):
        taken = statistics.median(printed_ms(_OPEN, anew=anew) for _ in range(9))
        yield at_most("P3", f"opening {what} store and the first commit alone", taken, 15, "ms")
    cli = [sys.executable, "-m", "runline"]
    script = Path(sys.executable).with_name("runline")
    if script.exists():
        cli = [str(script)]
    for what, arguments, goal in (("--help", ["--help"], 150), ("ls", ["ls", "--store", str(path)], 250)):
        taken = statistics.median(spent_ms(*cli, *arguments) for _ in range(9))
        yield at_most("P12", f"runline {what}", taken, goal, "ms", f"÷ bare interpreter: {taken / bare:.1f}")
