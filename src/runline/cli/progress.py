"""A bar with an estimate for work that takes a while: on a terminal, and nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from runline.cli.output import Output, visible

Advance = Callable[[float], None]
"""Tells how much of the total has been done so far."""
_LOOK_S = 0.1


@contextmanager
def progress(screen: Output, title: str, total: float | None) -> Iterator[Advance]:
    """A bar that goes when the work is done. `total` None: how much there is cannot be known."""
    if not screen.on_terminal:
        yield lambda _: None
        return
    from rich.progress import (
        BarColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=30),
        TaskProgressColumn(),
        TimeRemainingColumn() if total is not None else TimeElapsedColumn(),
    )
    with Progress(*columns, console=screen.console, transient=True) as shown:
        task = shown.add_task(screen.glyphs.said(visible(title)), total=total)
        yield lambda done: shown.update(task, completed=done)


@contextmanager
def sampled(screen: Output, title: str, total: float, measure: Callable[[], float]) -> Iterator[None]:
    """The same for work that does not tell how far it is: `measure` is asked a few times a second."""
    if not screen.on_terminal:
        yield
        return
    done = threading.Event()
    with progress(screen, title, max(total, 1)) as advance:

        def look() -> None:
            while not done.wait(_LOOK_S):
                advance(measure())

        looking = threading.Thread(target=look, name="runline-progress", daemon=True)
        looking.start()
        try:
            yield
        finally:
            done.set()
            looking.join()
