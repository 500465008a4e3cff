"""A gate that makes forking safe: no thread may be inside a library with locks of its own while the process forks.

RE2's locks would stay held for ever in the child. SQLite keeps its view of who holds which file lock per process,
so a child inherits locks that it does not have: it waits for ever for a commit that was under way, or reads unprotected.
So a fork waits until everybody is out, and the child can close the connections it inherited, which empties
that view, before it opens its own.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_WAIT_S = 5.0
_POLL_S = 0.0005
log = logging.getLogger("runline")


class _Gate:
    """`inside` counts the threads that are inside; `lock` protects it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inside = 0
        self.open = True
        self.quiet = True
        self.gave_up = False
        self.own = threading.local()


_gate = _Gate()


@contextmanager
def inside() -> Iterator[None]:
    """Around searches and every use of a connection; may be nested."""
    own = _gate.own
    depth = getattr(own, "depth", 0)
    if depth == 0:
        _enter()
    own.depth = depth + 1
    try:
        yield
    finally:
        own.depth -= 1
        if own.depth == 0:
            with _gate.lock:
                _gate.inside -= 1


def was_quiet() -> bool:
    """In a forked child: whether everybody was out at the fork. Not so after five seconds of waiting."""
    return _gate.quiet


def _enter() -> None:
    while True:
        with _gate.lock:
            if _gate.open:
                _gate.inside += 1
                return
        time.sleep(_POLL_S)  # a fork is about to happen


def _before() -> None:
    """Shuts the gate and waits until the other threads are out."""
    own = int(getattr(_gate.own, "depth", 0) > 0)
    deadline_s = time.monotonic() + _WAIT_S
    with _gate.lock:
        _gate.open = False
    while _gate.inside > own and time.monotonic() < deadline_s:
        time.sleep(_POLL_S)
    _gate.lock.acquire()
    _gate.quiet = _gate.inside == 0
    _gate.gave_up = _gate.inside > own


def _after_in_parent() -> None:
    _gate.open = True
    _gate.lock.release()
    if _gate.gave_up:
        # Not before the gate is open: a handler may record it, and that goes inside.
        log.warning("a process was forked while the store was busy for %g s; its child may hang", _WAIT_S)


def _after_in_child() -> None:
    _gate.inside = int(getattr(_gate.own, "depth", 0) > 0)
    _gate.open = True
    _gate.lock.release()


os.register_at_fork(before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
