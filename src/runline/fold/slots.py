"""The histogram: events, warnings and errors over time, in at most 512 slots whatever the run's length.

A slot is `slot_ms` wide and counted from the run's start. When an event lies beyond the last slot, the
width doubles until it fits and neighbours are merged, so no event is ever read again. Events from before
the start count in the first slot. Faces ask for fewer slots; those are merged by a whole factor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from runline.fold.state import RunFold

MOST_SLOTS = 512


class Histogram(Struct, frozen=True):
    """Counts per slot, oldest first. `events` includes warnings and errors; slot n begins at start + n × width."""

    start_ms: int
    slot_ms: int
    events: tuple[int, ...]
    warnings: tuple[int, ...]
    errors: tuple[int, ...]


def fit(fold: RunFold, ts_ms: int) -> int:
    """The slot of an instant outside the present slots; widens them all when it lies behind the last."""
    offset_ms = ts_ms - fold.started_at_ms
    if offset_ms < 0:
        return 0
    factor = 1
    while offset_ms // (fold.slot_ms * factor) >= MOST_SLOTS:
        factor *= 2
    fold.slots = _merged(fold.slots, factor)
    fold.slot_ms *= factor
    fold.touched.all_slots = True
    fold.touched.slots.clear()
    return offset_ms // fold.slot_ms


def merge(start_ms: int, slot_ms: int, slots: Mapping[int, Sequence[int]], most: int) -> Histogram:
    """The histogram in at most `most` slots (1 to 512), from the first slot to the last that has an event."""
    used = max(slots, default=-1) + 1
    factor = max(1, -(-used // max(1, most)))
    merged = _merged(slots, factor)
    columns: tuple[list[int], ...] = ([], [], [])
    for slot in range(-(-used // factor)):
        for column, counted in zip(columns, merged.get(slot, _EMPTY), strict=True):
            column.append(counted)
    events, warnings, errors = map(tuple, columns)
    return Histogram(start_ms, slot_ms * factor, events, warnings, errors)


_EMPTY = (0, 0, 0)


def _merged(slots: Mapping[int, Sequence[int]], factor: int) -> dict[int, list[int]]:
    merged: dict[int, list[int]] = {}
    for slot, counted in slots.items():
        sums = merged.setdefault(slot // factor, [0, 0, 0])
        for column in range(3):
            sums[column] += counted[column]
    return merged
