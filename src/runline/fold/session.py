"""The session catalogue's facts: a generation and its levels, the queue and the scanner.

Nodes are steps; a level counts the nodes that name it. What `level_completed` says replaces what was
counted and stays.
"""

from __future__ import annotations

import msgspec

from runline.fold import facts as read
from runline.fold.facts import SessionFacts
from runline.fold.state import Arrival, LevelState, RunFold

_decoder = msgspec.json.Decoder(SessionFacts)
_MOST_LEVELS = 10_000


def on_generation(fold: RunFold, at: Arrival) -> None:
    event = at.event
    said = read.read_facts(_decoder, event.payload)
    known = fold.cold.generation
    found: dict[str, int | str | None] = {
        "plan_id": read.name(said.plan_id),
        "total_levels": read.count(said.total_levels),
        "total_nodes": read.count(said.total_nodes),
        "target_path": read.text(said.target_path),
        "generated": read.count(said.total_generated),
        "failed": read.count(said.total_failed),
        "reason": read.text(said.reason),
    }
    if event.type == "generation_started":
        known.clear()
        fold.announced_steps = max(fold.announced_steps, read.count(said.total_nodes) or 0)
    known.update({key: value for key, value in found.items() if value is not None})
    known["state"] = _GENERATION_STATES[event.type]
    fold.touched.cold = True


_GENERATION_STATES = {
    "generation_started": "running",
    "generation_completed": "completed",
    "generation_failed": "failed",
}


def on_level(fold: RunFold, at: Arrival) -> None:
    event = at.event
    said = read.read_facts(_decoder, event.payload)
    index = read.count(said.level_index, _MOST_LEVELS - 1)
    if index is None:
        index = _unfinished(fold)
    if index is None:
        return
    level = _level(fold, index)
    if level is None:
        level = LevelState(index, 0)
        fold.cold.levels.append(level)
        fold.cold.levels.sort(key=lambda one: one.index)
    total = read.count(said.total_count)
    if total is not None:
        level.total_count = total
    if event.type == "level_completed":
        generated, failed = read.count(said.generated_count), read.count(said.failed_count)
        level.generated_count = level.generated_count if generated is None else generated
        level.failed_count = level.failed_count if failed is None else failed
        level.done = True
    fold.touched.cold = True


def recount_level(fold: RunFold, index: int, old: str, new: str) -> None:
    """Moves a node of that level from one state to another, unless the level's figures are final."""
    level = _level(fold, index)
    if level is None or level.done:
        return
    level.generated_count = max(0, level.generated_count + (new == "completed") - (old == "completed"))
    level.failed_count = max(0, level.failed_count + (new == "failed") - (old == "failed"))
    fold.touched.cold = True


def on_queue(fold: RunFold, at: Arrival) -> None:
    event = at.event
    said = read.read_facts(_decoder, event.payload)
    _update(
        fold,
        fold.cold.queue,
        {
            "pending": read.count(said.pending),
            "processing": read.count(said.processing),
            "completed": read.count(said.completed),
            "failed": read.count(said.failed),
        },
    )


def on_scan(fold: RunFold, at: Arrival) -> None:
    event = at.event
    said = read.read_facts(_decoder, event.payload)
    if event.type == "scan_started":
        fold.cold.scan.clear()
    _update(
        fold,
        fold.cold.scan,
        {
            "node_count": read.count(said.node_count),
            "total_nodes": read.count(said.total_nodes),
            "duration_ms": read.count(said.duration_ms, read.MOST_MS),
        },
    )


def _update(fold: RunFold, facts: dict[str, int], found: dict[str, int | None]) -> None:
    facts.update({key: value for key, value in found.items() if value is not None})
    fold.touched.cold = True


def _level(fold: RunFold, index: int) -> LevelState | None:
    levels = fold.cold.levels
    if index < len(levels) and levels[index].index == index:
        return levels[index]
    return next((level for level in levels if level.index == index), None)


def _unfinished(fold: RunFold) -> int | None:
    """The level that an event without an index speaks of: the last one that has started and not ended."""
    return next((level.index for level in reversed(fold.cold.levels) if not level.done), None)
