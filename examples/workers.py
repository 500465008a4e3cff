"""One run, many hands: threads that carry its context, and child processes that join it."""
# ruff: noqa: INP001 - a file to run

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import runline

CHILD = "import runline; runline.event('log', 'hello from a child process', source='child')"


def resize(picture: int) -> None:
    runline.event("log", f"picture {picture} resized", data={"picture": picture})


def main() -> None:
    with runline.run("thumbnails", tags=["example"]) as run:
        with run.step("resize", total=40) as step, ThreadPoolExecutor(4) as pool:
            for _ in step.track(pool.map(runline.carry(resize), range(40))):
                if run.cancel_requested:
                    break
        with run.step("publish"):
            subprocess.run([sys.executable, "-c", CHILD], check=True)


if __name__ == "__main__":
    main()
