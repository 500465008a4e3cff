"""The graph of steps: what waits for what, what a failure blocks, and where each box is drawn.

Dependencies name steps; a matrix step (`build[0]`, `build[1]` …) answers to the name without its index
too. The layout is layered: a step stands one column right of the last of its dependencies, and columns
are ordered so that lines cross little. A cycle cannot be layered: its path is reported and the
dependency that closes it is left out of the layering.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct, field

from runline.fold.state import StepState
from runline.model.status import StepStatus
from runline.model.step import Step

NODE_WIDTH_PX = 172
NODE_HEIGHT_PX = 50
_COLUMN_GAP_PX = 60
_ROW_GAP_PX = 24
_MATRIX = re.compile(r"(.+)\[[0-9]+\]")


class DagNode(Struct, frozen=True):
    """A step's box; x and y are the px of its top left corner."""

    id: str
    label: str
    persona: str | None
    status: StepStatus
    progress: int
    x: int
    y: int


class DagEdge(Struct, frozen=True):
    """`to` waits for `from`."""

    source: str = field(name="from")
    to: str


class Graph(Struct, frozen=True):
    """Nodes in the order of the steps. Each cycle is a path, every step waiting for the next, back to its first."""

    nodes: tuple[DagNode, ...]
    edges: tuple[DagEdge, ...]
    cycles: tuple[tuple[str, ...], ...] = ()


def matrix_name(step: str) -> str | None:
    """The name that a matrix step is an instance of; None when it is none."""
    found = _MATRIX.fullmatch(step)
    return None if found is None else found.group(1)


def blocked_steps(steps: Iterable[StepState]) -> tuple[str, ...]:
    """The pending steps that cannot start any more, in index order: a step before them failed.

    A failed step that the plan calls optional blocks nothing, and one that ran all the same passes nothing on.
    """
    declared = sorted((step for step in steps if step.declared), key=lambda step: step.index)
    waiting = {step.name: step.plan.dependencies for step in declared if step.plan is not None}
    sources = _sources(waiting, [step.name for step in declared])
    after: defaultdict[str, list[str]] = defaultdict(list)
    for name, before in sources.items():
        for source in before:
            after[source].append(name)
    free = {step.name for step in declared if step.state == "pending"}
    blocked: set[str] = set()
    frontier = [step.name for step in declared if step.state == "failed" and not _optional(step)]
    while frontier:
        reached = free.intersection(after[frontier.pop()])
        free -= reached
        blocked |= reached
        frontier.extend(reached)
    return tuple(step.name for step in declared if step.name in blocked)


def lay_out(steps: Sequence[Step]) -> Graph:
    """The graph of those steps."""
    order = {step.step_id: place for place, step in enumerate(steps)}
    sources = _sources({step.step_id: step.dependencies for step in steps}, list(order))
    cycles, acyclic = _without_cycles(sources)
    columns = _columns(acyclic)
    rows = _rows(acyclic, columns, order)
    nodes = tuple(
        DagNode(
            step.step_id,
            step.step_id,
            step.persona,
            step.state,
            step.progress,
            columns[step.step_id] * (NODE_WIDTH_PX + _COLUMN_GAP_PX),
            rows[step.step_id] * (NODE_HEIGHT_PX + _ROW_GAP_PX),
        )
        for step in steps
    )
    edges = tuple(DagEdge(source, name) for name, before in sources.items() for source in before)
    return Graph(nodes, edges, cycles)


def _optional(step: StepState) -> bool:
    return step.plan is not None and step.plan.optional


def _sources(waiting: Mapping[str, Sequence[str]], known: Sequence[str]) -> dict[str, list[str]]:
    """Each known step's dependencies as known steps; a name without its index stands for its instances."""
    instances: defaultdict[str, list[str]] = defaultdict(list)
    for name in known:
        whole = matrix_name(name)
        if whole is not None:
            instances[whole].append(name)
    present = set(known)
    sources: dict[str, list[str]] = {}
    for name in known:
        before = [
            source
            for dependency in waiting.get(name, ())
            for source in ([dependency] if dependency in present else []) + instances[dependency]
        ]
        sources[name] = list(dict.fromkeys(before))
    return sources


def _without_cycles(
    sources: Mapping[str, list[str]],
) -> tuple[tuple[tuple[str, ...], ...], dict[str, list[str]]]:
    """The cycles found by depth-first search, and the graph without the dependencies that close them.

    The result's keys are in an order in which every step follows its dependencies.
    """
    cycles: list[tuple[str, ...]] = []
    done: dict[str, list[str]] = {}
    for root in sources:
        path: dict[str, list[str]] = {}
        stack = [] if root in done else [(root, iter(sources[root]))]
        if stack:
            path[root] = []
        while stack:
            name, before = stack[-1]
            source = next(before, None)
            if source is None:
                stack.pop()
                done[name] = path.pop(name)
            elif source in path:
                waiting = list(path)
                cycles.append((*waiting[waiting.index(source) :], source))
            else:
                path[name].append(source)
                if source not in done:
                    path[source] = []
                    stack.append((source, iter(sources[source])))
    return tuple(cycles), done


def _columns(acyclic: Mapping[str, list[str]]) -> dict[str, int]:
    columns: dict[str, int] = {}
    for name, before in acyclic.items():
        columns[name] = max((columns[source] + 1 for source in before), default=0)
    return columns


def _rows(
    acyclic: Mapping[str, list[str]], columns: Mapping[str, int], order: Mapping[str, int]
) -> dict[str, int]:
    """Within a column, steps stand in the order of the middle of their dependencies' rows."""
    layers: defaultdict[int, list[str]] = defaultdict(list)
    for name in sorted(acyclic, key=order.__getitem__):
        layers[columns[name]].append(name)
    rows: dict[str, int] = {}

    def middle(name: str) -> float:
        before = acyclic[name]
        return sum(rows[source] for source in before) / len(before) if before else order[name]

    for column in sorted(layers):
        rows.update({name: row for row, name in enumerate(sorted(layers[column], key=middle))})
    return rows
