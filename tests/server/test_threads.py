"""Work of requests in threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from runline.server.threads import in_thread


def test_it_happens_elsewhere_and_comes_back() -> None:
    def work(a: int, *, b: int) -> tuple[str, int]:
        return threading.current_thread().name, a + b

    name, total = asyncio.run(in_thread(work, 1, b=2))
    assert name.startswith("runline-request")
    assert total == 3


def test_what_it_raises_comes_back() -> None:
    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        asyncio.run(in_thread(fail))
