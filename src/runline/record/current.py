"""What `runline.current()` and the functions beside it mean here and now.

The run of this context; else the process's own (`lifetime.process_run`); else the one that the environment
names, joined on first use; else a run that ignores everything, so that no caller has to ask.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any, Self

from runline.model.errors import RunlineError, Unavailable
from runline.model.event import Draft
from runline.model.ids import check_run_id
from runline.record import lifetime
from runline.record.config import settings, store_for
from runline.record.context import RUN
from runline.record.environment import Inherited
from runline.record.run import ActiveRun

log = logging.getLogger("runline")


class NoRun(ActiveRun):
    """No run at all: the same interface (so its arguments go unused), and nothing happens."""

    def __init__(self) -> None:
        super().__init__("", owned=False)

    def start(self) -> Self:
        return self

    def event(self, type: str = "log", message: str = "", **fields: Any) -> bool:  # noqa: ARG002
        return False

    def artifact(self, name: str, path: Any = None, **fields: Any) -> None:  # noqa: ARG002
        return None

    def note(self, note: str, **fields: Any) -> None:  # noqa: ARG002
        return None

    def flush(self, timeout_s: float | None = None) -> bool:  # noqa: ARG002
        """True: there is nothing that could be lost."""
        return True

    def put_all(self, drafts: Sequence[Draft], *, timeout_s: float) -> None:  # noqa: ARG002
        return None

    def environment(self) -> dict[str, str]:
        return {}

    def failed_to(self, what: str, reason: object, *, lost: int = 0) -> None:  # noqa: ARG002
        return None

    async def __aenter__(self) -> Self:
        return self


class JoinedRun(ActiveRun):
    """The run of a parent process, found through the environment. It is the parent's to end."""

    def __init__(self, told: Inherited) -> None:
        """Raises what opening a store raises, NotFound, and Invalid for an id that is none."""
        super().__init__("", owned=False)
        store, run_id = store_for(told.store), check_run_id(told.run_id or "")
        try:
            found = store.get_run(run_id)
        except Unavailable:
            log.info("runline: run %s is joined although its store cannot be asked about it", run_id)
        else:
            self.name, self.kind, self.tenant = found.name, found.kind, found.tenant_id
        self.default_step = told.step
        self._attach(store, run_id)
        lifetime.opened(self)


NO_RUN = NoRun()


class _Joined:
    def __init__(self) -> None:
        self.runs: dict[Inherited, ActiveRun] = {}
        self.lock = threading.Lock()


_joined = _Joined()


def run(
    name: str,
    *,
    kind: str = "run",
    tags: Sequence[str] = (),
    input: Any = None,
    tenant: str | None = None,
    plan: Any = None,
    run_id: str | None = None,
    store: Any = None,
) -> ActiveRun:
    """A run to be entered with `with` or `async with`, or started and ended by hand.

    Inside another run, or in a process that a run started, it is that run's child. `store`: URL, path or open
    store; else the parent's, the configured one, or where `location` says. `tenant`: else the parent's, else
    `default`. `plan`: names of steps, or objects with `id persona dependencies max_attempts optional`.
    """
    return ActiveRun(
        name, kind=kind, tags=tags, input=input, tenant=tenant, plan=plan, run_id=run_id, store=store
    )


def current() -> ActiveRun:
    """The run that the code which asks belongs to; never None, never an exception."""
    here = RUN.get()
    while here is not None and here.ended:
        here = here.outer
    return here or lifetime.process_run() or _from_environment()


def event(
    type: str = "log",
    message: str = "",
    *,
    data: Mapping[str, Any] | None = None,
    step: str | None = None,
    level: str | None = None,
    source: str | None = None,
    correlation_id: str | None = None,
    durable: bool = False,
) -> bool:
    """`current().event(…)`."""
    return current().event(
        type,
        message,
        data=data,
        step=step,
        level=level,
        source=source,
        correlation_id=correlation_id,
        durable=durable,
    )


def flush(timeout_s: float | None = None) -> bool:
    """Whether everything that this process recorded is durable; waits up to `timeout_s` (5 s unless configured)."""
    return lifetime.flush(settings().flush_timeout_s if timeout_s is None else timeout_s)


def close(timeout_s: float | None = None) -> bool:
    """Flushes, then closes the stores that the recorder opened; whether everything is durable.

    Runs stay as they are: one that goes on opens its store again.
    """
    return lifetime.close(settings().flush_timeout_s if timeout_s is None else timeout_s)


def _from_environment() -> ActiveRun:
    told = lifetime.inherited()
    if told.run_id is None:
        return NO_RUN
    found = _joined.runs.get(told)
    if found is None:
        with _joined.lock:
            faster = _joined.runs.get(told)  # another thread's
            found = _joined.runs[told] = _join(told) if faster is None else faster
    return found


def _join(told: Inherited) -> ActiveRun:
    try:
        return JoinedRun(told)
    except RunlineError as error:
        log.warning("runline: nothing is recorded into the run that RUNLINE_RUN_ID names: %s", error)
        return NO_RUN
