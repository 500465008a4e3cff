"""What `runline exec` adds to a command that prints a million lines, and how flat reading such a run stays."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Row, at_most
from runline.store import open_store


def rows(folder: Path, *, scale: float = 1.0) -> Iterator[Row]:
    lines = int(1_000_000 * scale)
    path = folder / "exec" / "runline.db"
    shutil.rmtree(path.parent, ignore_errors=True)
    cli = str(Path(sys.executable).with_name("runline"))
    printing = ["seq", "-f", "line %.0f of a command that prints a lot", str(lines)]

    def spent_s(command: list[str]) -> float:
        began = time.perf_counter()
        with (folder / "out.txt").open("wb") as out:
            subprocess.run(command, check=True, stdout=out)
        return time.perf_counter() - began

    ratios, seconds = [], []
    for _ in range(3):
        plain_s = spent_s(["sh", "-c", f"seq -f '{printing[2]}' {lines} | cat"])
        recorded_s = spent_s([cli, "--store", str(path), "exec", "--", *printing])
        seconds.append(recorded_s)
        ratios.append(recorded_s / plain_s)
    with open_store(str(path), read_only=True) as store:
        runs = store.list_runs().items
        complete = all(run.event_count == lines + 2 and run.status == "completed" for run in runs)
        newest = runs[0].run_id
    if (folder / "out.txt").read_bytes().count(b"\n") != lines:
        raise RuntimeError("exec did not pass the output on")
    ratio = statistics.median(ratios)
    yield Row("exec", f"runline exec of {lines:,} lines ÷ cmd | cat > file", f"{ratio:.1f} ×", "–", None,
              f"{statistics.median(seconds) / lines * 1e6:.1f} µs a line")  # fmt: skip
    yield Row("exec", "the run is complete afterwards", str(complete), "True", complete)
    yield from _memory(path, newest, lines)


_PEAK = """
import sys
from runline.cli.main import main
try:
    main()
finally:
    peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("peak", peak, file=sys.stderr)
"""


def _memory(path: Path, run_id: str, lines: int) -> Iterator[Row]:
    def peak_mb(*arguments: str) -> float:
        command = [sys.executable, "-c", _PEAK, "--store", str(path), *arguments]
        out = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True, text=True
        )
        return int(out.stderr.split()[-1]) / 1024

    base = peak_mb("ls")
    for arguments in (
        ("show", run_id),
        ("tail", run_id),
        ("search", "line 777", "--run", run_id),
        ("export", run_id, "--format", "jsonl"),
        ("export", run_id, "--format", "json"),
    ):
        shown = " ".join(word for word in arguments if word != run_id)
        grown = peak_mb(*arguments) - base
        yield at_most("memory", f"runline {shown} of {lines:,} events, over ls", grown, 60, "MB")
