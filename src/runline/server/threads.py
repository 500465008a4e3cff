"""Where synchronous work of requests is done, so that the event loop never waits for a disk.

Not the event loop's own threads: a loop that ends waits for those. Work that is still under way when a server stops
finds the store closed at its next read or write, and ends.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
_MOST = 32
_THREADS = ThreadPoolExecutor(_MOST, thread_name_prefix="runline-request")


async def in_thread(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """What the work gives, or raises."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, functools.partial(work, *args, **more))
