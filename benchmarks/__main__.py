"""`make bench`, or `python -m benchmarks [--scale 0.1] [--only write,read]`: the table of goals."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks import commands, followers, live, postgres, prune, read, serve, start, write
from benchmarks.measure import Row, table

SECTIONS = {
    "write": write,
    "start": start,
    "live": live,
    "commands": commands,
    "prune": prune,
    "read": read,
    "serve": serve,
    "followers": followers,
    "postgres": postgres,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scale", type=float, default=1.0, help="1: the sizes of the goals (some minutes, 5 GB of disk)"
    )
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"any of {', '.join(SECTIONS)}")
    parser.add_argument("--folder", type=Path, help="where to put the stores; a temporary folder by default")
    options = parser.parse_args()
    found: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="runline-bench-", dir=options.folder) as folder:
        for name in options.only.split(","):
            for row in SECTIONS[name].rows(Path(folder), scale=options.scale):
                found.append(row)
                print(table([row]).splitlines()[1], file=sys.stderr, flush=True)
    print(table(found))
    missed = sum(row.met is False for row in found)
    print(f"{sum(row.met is True for row in found)} goals met, {missed} missed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
