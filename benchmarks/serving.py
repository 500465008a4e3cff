"""A server in a process of its own, with one more route that answers fixed bytes: what serving costs by itself.

`python -m benchmarks.serving STORE BYTES` prints its URL and serves until SIGTERM.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from litestar import Response

from runline.server import app
from runline.server.route import get
from runline.server.serve import listen
from runline.server.settings import Settings
from runline.store import open_local

STATIC = "/bench/static"


class Served(NamedTuple):
    """Where it answers, and its process."""

    url: str
    port: int
    process: subprocess.Popen[str]

    def memory_bytes(self) -> int:
        """What it holds in memory now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@contextmanager
def served(store: Path, static: Path) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.serving", str(store), str(static)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        yield Served(url, int(url.rpartition(":")[2]), process)
    finally:
        process.terminate()
        process.wait(30)


def main() -> None:
    store_path, static_path = sys.argv[1:]

    @get(STATIC, answers={"application/json": None}, summary="Fixed bytes", tag="Bench")
    async def static_answer() -> Response[bytes]:
        """The same bytes each time, from memory."""
        return Response(fixed(), media_type="application/json")

    kept: list[bytes] = []

    def fixed() -> bytes:
        if not kept:
            kept.append(Path(static_path).read_bytes())
        return kept[0]

    app.HANDLERS = [*app.HANDLERS, static_answer]  # type: ignore[attr-defined]
    with open_local(store_path) as store:
        listening = listen(store, Settings(port=0))
        print(listening.url, flush=True)
        listening.run()


if __name__ == "__main__":
    main()
