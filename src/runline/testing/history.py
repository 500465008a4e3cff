"""The history checker: what writers were told and followers saw, held against the log that is there afterwards.

Each event says which batch it belongs to: `data` is `{batch, n, size}`, `n` counting from 0. It knows nothing
of how the log came about, so every crash test uses the same one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from runline.model.event import Event


def batch(number: int, size: int) -> list[Mapping[str, Any]]:
    """A batch that the checker knows again."""
    return [
        {
            "type": "log",
            "message": "x" * (number % 50),
            "step": f"s{n % 3}",
            "data": {"batch": number, "n": n, "size": size},
        }
        for n in range(size)
    ]


def problems(
    events: Sequence[Event], acknowledged: Iterable[int], followed: Sequence[int] | None = None
) -> list[str]:
    """Everything that is wrong, in words; empty when nothing is.

    `events` is the whole log in the order in which it was read, `acknowledged` the batches that were, `followed`
    the seqs that a follower saw from the first event to the last.
    """
    found: list[str] = []
    seqs = [event.seq for event in events]
    if seqs != list(range(1, len(events) + 1)):
        found.append(f"the log is not gapless: {len(seqs)} events, last {seqs[-1:]}")
    if followed is not None and list(followed) != seqs:
        found.append(f"a follower saw {len(followed)} events of {len(seqs)}, or in another order")
    parts: defaultdict[int, list[tuple[int, int, int]]] = defaultdict(list)
    for event in events:
        data = event.data
        if "batch" in data:
            parts[data["batch"]].append((event.seq, data["n"], data["size"]))
    for number, stored in parts.items():
        size = stored[0][2]
        if [n for _, n, _ in stored] != list(range(size)):
            found.append(f"batch {number} is torn or doubled: {len(stored)} of {size} events")
        elif stored[-1][0] - stored[0][0] != size - 1:
            found.append(f"batch {number} does not stand together")
    found += [
        f"batch {number} was acknowledged and is not there" for number in acknowledged if number not in parts
    ]
    return found
