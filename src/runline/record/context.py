"""Which run, step and call the code that is running belongs to.

Context variables follow `await`, tasks, `asyncio.to_thread` and copied contexts by themselves. A plain thread or
an executor starts with an empty context: `carry` takes it along; without it the thread falls back to
the process's run (see `lifetime`).
"""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from runline.record.call import ActiveCall
    from runline.record.run import ActiveRun
    from runline.record.step import ActiveStep

RUN: ContextVar[ActiveRun | None] = ContextVar("runline_run", default=None)
STEP: ContextVar[ActiveStep | None] = ContextVar("runline_step", default=None)
CALL: ContextVar[ActiveCall | None] = ContextVar("runline_call", default=None)

P = ParamSpec("P")
R = TypeVar("R")


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """The function, bound to the run, step and call of this moment, for a thread or an executor.

    `pool.submit(runline.carry(work), item)`. May be called many times, also at once.
    """
    run, step, call = RUN.get(), STEP.get(), CALL.get()

    @functools.wraps(function)
    def carried(*args: P.args, **kwargs: P.kwargs) -> R:
        context = contextvars.copy_context()
        context.run(RUN.set, run)
        context.run(STEP.set, step)
        context.run(CALL.set, call)
        return context.run(function, *args, **kwargs)

    return carried
