"""A run of a pipeline: its steps side by side, each when those it waits for are done.

Whoever calls has begun the run and holds its plan; this ends it. A run that is asked to stop starts no further step
and lets the running ones end; one that is ended from outside (a forced stop) has them killed.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Collection
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from runline.model.errors import RunlineError
from runline.pipelines.manifest import Manifest
from runline.pipelines.plan import Plan
from runline.pipelines.schedule import Ending, Schedule
from runline.pipelines.step_run import StepRun, Work
from runline.record.config import settings
from runline.record.run import ActiveRun

_LOOK_S = 0.1


def execute(
    run: ActiveRun, plan: Plan, manifest: Manifest, *, input: Any = None, reused: Collection[str] = ()
) -> Ending:
    """Runs the plan to its end, and ends the run. `reused` are steps that an earlier run completed."""
    with tempfile.TemporaryDirectory(prefix="runline-") as scratch:
        ending, error, partial = _Execution(run, plan, manifest, input, Path(scratch), reused).through()
    run.end(ending, error=error, partial=partial)
    return ending


class _Execution:
    """One run under way. Steps run in threads of their own; this one alone decides what starts."""

    def __init__(
        self,
        run: ActiveRun,
        plan: Plan,
        manifest: Manifest,
        input: Any,
        scratch: Path,
        reused: Collection[str],
    ) -> None:
        self.run = run
        self.schedule = Schedule(plan, most=manifest.runtime.max_steps, reused=reused)
        self.force = threading.Event()
        self.stop = threading.Event()
        self.ended: SimpleQueue[tuple[str, Ending]] = SimpleQueue()
        input_file = scratch / "input.json"
        input_file.write_bytes(msgspec.json.encode(input))
        self.work = Work(
            run=run,
            manifest=manifest,
            input=input,
            input_file=input_file,
            scratch=scratch,
            force=self.force.is_set,
            stop=self.stop,
            left={},
            cleaning={"limits": run.store.limits, "redactor": settings().redactor},
        )
        self._look_s = 0.0

    def through(self) -> tuple[Ending, str | None, bool]:
        while not self.schedule.over:
            for planned in self.schedule.ready():
                self.schedule.started(planned.name)
                step = StepRun(self.work, planned)
                threading.Thread(target=self._one, args=(step,), name=f"runline-{planned.name}").start()
            try:
                name, ending = self.ended.get(timeout=_LOOK_S)
                self.schedule.ended(name, ending)
            except Empty:
                pass
            self._look()
        failed = self.schedule.failed
        error = f"step {failed[0]} failed" if failed else None
        return self.schedule.status, error, self.schedule.partial

    def _one(self, step: StepRun) -> None:
        ending: Ending = "failed"
        try:
            ending = step.run()
        finally:
            self.ended.put((step.name, ending))

    def _look(self) -> None:
        """Whether the run is to stop, and whether somebody has ended it already."""
        if time.monotonic() < self._look_s or not self.run.cancel_requested:
            return
        self._look_s = time.monotonic() + _LOOK_S
        self.schedule.stopping = True
        self.stop.set()
        try:
            if self.run.store.get_run(self.run.id).completed_at_ms is not None:
                self.force.set()
        except RunlineError as error:
            self.run.failed_to("look whether it was ended", error)
