"""Load over plain sockets, so that the client costs as little as it can.

Requests follow each other on each of a few connections. `python -m benchmarks.http_load PORT CONNECTIONS SECONDS
PATH…` prints how many are answered a second.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from itertools import cycle


def rate(port: int, paths: list[str], *, connections: int = 8, seconds: float = 2.0) -> float:
    """Answers a second, asked from another process; the paths are asked in turn."""
    command = [
        sys.executable,
        "-m",
        "benchmarks.http_load",
        str(port),
        str(connections),
        str(seconds),
        *paths,
    ]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


async def _ask(port: int, paths: list[str], until_s: float) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answered = 0
    for path in cycle(paths):
        if time.perf_counter() >= until_s:
            break
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head.decode())
        length = int(head.lower().partition(b"content-length:")[2].split()[0])
        await reader.readexactly(length)
        answered += 1
    writer.close()
    return answered


async def _all(port: int, connections: int, seconds: float, paths: list[str]) -> float:
    began_s = time.perf_counter()
    shares = [paths[n::connections] or paths for n in range(connections)]
    counts = await asyncio.gather(*(_ask(port, share, began_s + seconds) for share in shares))
    return sum(counts) / (time.perf_counter() - began_s)


if __name__ == "__main__":
    import uvloop

    print(uvloop.run(_all(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4:])))
