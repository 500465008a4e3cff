"""Which step may start next: those whose dependencies are done, in the order of the plan, so many at a time.

Pure: whoever runs the steps asks `ready`, tells `started` and `ended`, and asks again. A step that failed blocks
what waits for it, unless it is optional; what does not wait for it goes on. A stop lets running steps end.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from runline.pipelines.plan import Plan, PlannedStep

Ending = Literal["completed", "failed", "cancelled"]


class Schedule:
    """The steps of one run under way. `reused` are steps of an earlier run that need not run again."""

    def __init__(self, plan: Plan, *, most: int, reused: Collection[str] = ()) -> None:
        self.running: set[str] = set()
        self.endings: dict[str, Ending] = dict.fromkeys(reused, "completed")
        self.stopping = False
        self._plan = plan
        self._most = most
        self._optional = {planned.name for planned in plan.steps if planned.step.optional}
        self._left = {
            name: sum(source not in self.endings for source in before) for name, before in plan.after.items()
        }
        self._followers: dict[str, list[str]] = {planned.name: [] for planned in plan.steps}
        for name, before in plan.after.items():
            for source in before:
                self._followers[source].append(name)
        self._waiting = [
            planned
            for planned in plan.steps
            if planned.name not in self.endings and not self._left[planned.name]
        ]
        self._places = {planned.name: place for place, planned in enumerate(plan.steps)}

    def ready(self) -> list[PlannedStep]:
        """The steps to start now, in plan order; none while it stops."""
        if self.stopping:
            return []
        return self._waiting[: max(0, self._most - len(self.running))]

    def started(self, name: str) -> None:
        self._waiting = [planned for planned in self._waiting if planned.name != name]
        self.running.add(name)

    def ended(self, name: str, ending: Ending) -> None:
        """The step is over; what waited for it alone may start."""
        self.running.discard(name)
        self.endings[name] = ending
        if ending == "completed" or (ending == "failed" and name in self._optional):
            freed = []
            for follower in self._followers[name]:
                self._left[follower] -= 1
                if not self._left[follower]:
                    freed.append(self._plan.steps[self._places[follower]])
            if freed:
                self._waiting = sorted((*self._waiting, *freed), key=lambda one: self._places[one.name])

    @property
    def over(self) -> bool:
        """Nothing runs and nothing can start any more."""
        return not self.running and not self.ready()

    @property
    def blocked(self) -> tuple[str, ...]:
        """The steps that never started, in plan order."""
        return tuple(
            planned.name
            for planned in self._plan.steps
            if planned.name not in self.endings and planned.name not in self.running
        )

    @property
    def failed(self) -> tuple[str, ...]:
        """The steps that failed and are not optional, in the order they ended."""
        return tuple(
            name for name, ending in self.endings.items() if ending == "failed" and name not in self._optional
        )

    @property
    def status(self) -> Ending:
        """What the run amounts to once it is over."""
        if self.failed:
            return "failed"
        if self.stopping or "cancelled" in self.endings.values():
            return "cancelled"
        return "completed"

    @property
    def partial(self) -> bool:
        """It completed, and an optional step failed."""
        return self.status == "completed" and "failed" in self.endings.values()
