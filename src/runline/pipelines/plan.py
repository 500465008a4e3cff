"""The plan of a run: which steps there are once matrices are spread out, what waits for what, and in which waves.

A matrix step `build` becomes `build[0]`, `build[1]` …; whoever waits for `build` waits for all of them, which is
how `fold.graph` reads the dependencies of the start event too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from runline.fold.graph import Graph, lay_out
from runline.model.errors import Invalid
from runline.model.step import Step as ShownStep
from runline.pipelines.definition import Pipeline, Step

MOST_STEPS = 10_000
_NOT_SPREAD: Any = msgspec.UNSET


class PlannedStep(Struct, frozen=True, kw_only=True):
    """One step to run. Of a matrix step `item` is what it is run for, else UNSET."""

    name: str
    step: Step
    item: Any = _NOT_SPREAD
    index: int | None = None


class Plan(Struct, frozen=True, kw_only=True):
    """Steps in the order of the definition; `after` has, for each, the planned steps that it waits for."""

    steps: tuple[PlannedStep, ...]
    after: dict[str, tuple[str, ...]]
    sha256: str

    def waves(self) -> list[tuple[str, ...]]:
        """Steps that may run side by side, wave after wave; each waits only for earlier waves."""
        waiting = {name: set(before) for name, before in self.after.items()}
        followers = _followers(self.after)
        ready = [name for name, before in waiting.items() if not before]
        found: list[tuple[str, ...]] = []
        while ready:
            found.append(tuple(ready))
            reached: list[str] = []
            for name in ready:
                for follower in followers[name]:
                    waiting[follower].discard(name)
                    if not waiting[follower]:
                        reached.append(follower)
            ready = reached
        return found

    def downstream(self, names: Collection[str]) -> set[str]:
        """The steps that wait, directly or through others, for one of those."""
        followers = _followers(self.after)
        found: set[str] = set()
        frontier = list(names)
        while frontier:
            reached = [name for name in followers[frontier.pop()] if name not in found]
            found.update(reached)
            frontier += reached
        return found

    def data(self) -> dict[str, Any]:
        """`data.plan` of the start event: `{steps: [{id, persona?, dependencies?, max_attempts?, optional?}], sha256}`."""
        return {"steps": [_entry(planned) for planned in self.steps], "sha256": self.sha256}


def plan_of(pipeline: Pipeline, input: Any = None) -> Plan:
    """The plan of a run with that input. Raises Invalid when a matrix of the input is no list, or too long."""
    steps: list[PlannedStep] = []
    names: dict[str, tuple[str, ...]] = {}
    for step in pipeline.steps:
        items = _items(step, input)
        if items is None:
            instances = [PlannedStep(name=step.id, step=step)]
        else:
            instances = [
                PlannedStep(name=f"{step.id}[{index}]", step=step, item=item, index=index)
                for index, item in enumerate(items)
            ]
        steps += instances
        if len(steps) > MOST_STEPS:
            told = f"The matrix of step {step.id!r} makes more than {MOST_STEPS:,} steps; give fewer items."
            raise Invalid(told, code="too_many_steps", fields={_field(step): "too many items"})
        names[step.id] = tuple(instance.name for instance in instances)
    after = {
        planned.name: tuple(name for source in planned.step.dependencies for name in names[source])
        for planned in steps
    }
    return Plan(steps=tuple(steps), after=after, sha256=pipeline.definition_sha256)


def graph_of(steps: Sequence[Step]) -> Graph:
    """The definition's steps as boxes, matrices as one; its cycles with their paths."""
    shown = [
        ShownStep(
            run_id="",
            step_id=step.id,
            state="pending",
            index=index,
            persona=step.persona,
            dependencies=step.dependencies,
        )
        for index, step in enumerate(steps)
    ]
    return lay_out(shown)


def _items(step: Step, input: Any) -> Sequence[Any] | None:
    if step.matrix_from is None:
        return step.matrix
    found = input
    for key in filter(None, step.matrix_from.split(".")):
        found = found.get(key) if isinstance(found, Mapping) else None
    if not isinstance(found, list) or not found:
        told = f"Step {step.id!r} runs once for each item of {_field(step)}, and that is no list with items."
        raise Invalid(told, code="bad_matrix", fields={_field(step): "must be a list that is not empty"})
    return found


def _field(step: Step) -> str:
    return ".".join(filter(None, ("input", step.matrix_from)))


def _followers(after: Mapping[str, tuple[str, ...]]) -> defaultdict[str, list[str]]:
    followers: defaultdict[str, list[str]] = defaultdict(list)
    for name, before in after.items():
        for source in before:
            followers[source].append(name)
    return followers


def _entry(planned: PlannedStep) -> dict[str, Any]:
    step = planned.step
    entry: dict[str, Any] = {"id": planned.name}
    if step.persona is not None:
        entry["persona"] = step.persona
    if step.dependencies:
        entry["dependencies"] = list(step.dependencies)
    if step.retry.max_attempts > 1:
        entry["max_attempts"] = step.retry.max_attempts
    if step.optional:
        entry["optional"] = True
    return entry
