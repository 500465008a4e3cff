"""The open runs of this process, and what happens to them when it forks, ends or closes its stores.

The *process's run* is what threads without a context and child processes take part in: started in the main
thread, the innermost one as long as the open ones form one chain; with several side by side, the run
they all lie in, else none. A run that nobody ended is ended when the process is: `failed` when an uncaught
exception ends it, else `interrupted`. A kill, `os._exit` and a signal's default action skip all of this: the queue
is lost, and the run reads interrupted once it has been silent for 30 s.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from runline.record import config
from runline.record.environment import Export, Inherited, variables

if TYPE_CHECKING:
    from runline.record.run import ActiveRun
    from runline.record.step import ActiveStep


class _Runs:
    """The open runs in order of opening, by id of the handle."""

    def __init__(self) -> None:
        self.open: dict[int, ActiveRun] = {}
        self.steps: dict[int, ActiveStep] = {}
        """Open steps of the main thread."""
        self.lock = threading.RLock()
        self.export = Export()
        self.wide: ActiveRun | None = None
        self.lost = False
        """A run that has ended since lost events."""
        self.armed = False


_runs = _Runs()


def opened(run: ActiveRun) -> None:
    with _runs.lock:
        if not _runs.armed:
            _runs.armed = True
            os.register_at_fork(after_in_child=_forked)
            atexit.register(at_exit)
            _arm_multiprocessing()
        _runs.open[id(run)] = run
        _settle()


def closed(run: ActiveRun) -> None:
    with _runs.lock:
        _runs.lost |= run.lost > 0
        _runs.open.pop(id(run), None)
        _settle()


def step_opened(step: ActiveStep) -> None:
    if threading.current_thread() is threading.main_thread():
        with _runs.lock:
            _runs.steps[id(step)] = step
            _show()


def step_closed(step: ActiveStep) -> None:
    with _runs.lock:
        if _runs.steps.pop(id(step), None) is not None:
            _show()


def process_run() -> ActiveRun | None:
    """The run of threads and children that have no other."""
    return _runs.wide


def inherited() -> Inherited:
    """What the environment said before this process exported a run of its own."""
    return _runs.export.inherited()


def _settle() -> None:
    main = [run for run in _runs.open.values() if run.in_main_thread]
    _runs.wide = _innermost_shared(main)
    _show()


def _innermost_shared(runs: list[ActiveRun]) -> ActiveRun | None:
    """The deepest run that every one of them lies in or is."""
    among = {id(run) for run in runs}
    inner: dict[int, list[ActiveRun]] = {}
    for run in runs:
        outer = run.outer
        while outer is not None and id(outer) not in among:
            outer = outer.outer
        inner.setdefault(id(outer), []).append(run)
    shared: ActiveRun | None = None
    while len(found := inner.get(id(shared), [])) == 1:
        shared = found[0]
    return shared


def _show() -> None:
    run = _runs.wide
    if run is None:
        _runs.export.show(None)
        return
    steps = [step for step in _runs.steps.values() if step.run is run]
    chain = {id(steps[-1])} if steps else set[int]()
    at = steps[-1].outer if steps else None
    while at is not None:
        chain.add(id(at))
        at = at.outer
    alone = bool(steps) and all(id(step) in chain for step in steps)
    _runs.export.show(variables(run.store_url, run.id, steps[-1].name if alone else run.default_step))


def flush(timeout_s: float) -> bool:
    """Whether every event of every run of this process is durable now."""
    deadline_s = time.monotonic() + timeout_s
    runs = list(_runs.open.values())
    stores = {id(store): store for store in (*config.opened(), *(run.store for run in runs))}
    written = [store.flush(max(0.0, deadline_s - time.monotonic())) for store in stores.values()]
    return all(written) and not _runs.lost and not any(run.lost for run in runs)


def close(timeout_s: float) -> bool:
    """Flushes and lets go of the stores; a run that is still open opens its store again when it goes on."""
    written = flush(timeout_s)
    for run in list(_runs.open.values()):
        run.let_go()
    return config.close_stores(timeout_s) and written


def at_exit() -> None:
    """The process ends in good order: nothing that was queued is lost, and no run stays open for ever."""
    timeout_s = config.settings().flush_timeout_s
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    for run in reversed(list(_runs.open.values())):
        run.abandon(error)
    close(timeout_s)


def _forked() -> None:
    """In a forked child: the runs are the parent's to end; what this process records goes its own way."""
    _runs.lock = threading.RLock()
    config.forked()
    for run in _runs.open.values():
        run.forked()
    for step in _runs.steps.values():
        step.forked()
    util: Any = sys.modules.get("multiprocessing.util")
    if util is not None:
        # The child's bootstrap clears its finalizers and then runs what is registered here.
        util.register_after_fork(_runs, lambda _: _arm_multiprocessing())


def _arm_multiprocessing() -> None:
    """Children of multiprocessing leave through its finalizers, never through atexit."""
    util: Any = sys.modules.get("multiprocessing.util")
    process: Any = sys.modules.get("multiprocessing.process")
    if util is not None and process is not None and process.parent_process() is not None:
        util.Finalize(None, at_exit, exitpriority=-100)
