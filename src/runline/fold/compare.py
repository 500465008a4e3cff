"""Two runs side by side: where they first part, and how long each step took.

Steps run in parallel, so runs are compared per step: the sequence of its events, each reduced to its type,
its message with numbers, ids and times masked, and the names of its data keys. Noise, progress and the
start event (which tells of the run, not of what it did) are left out. Of the left run only twelve bytes
an event are kept; neither run is held in memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Literal

import msgspec
from msgspec import Struct, field

from runline.fold.fingerprint import mask
from runline.fold.state import ErrorFact
from runline.model.catalogue import NOISE, START_TYPES
from runline.model.event import Event
from runline.model.status import RunStatus, StepStatus
from runline.model.step import Step

DivergenceReason = Literal["type", "message", "data", "only_left", "only_right"]
_keys = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LEFT_OUT = START_TYPES | {"eta_updated"}


class Divergence(Struct, frozen=True):
    """Where two runs part. A seq is None in the run that lacks the event."""

    step: str | None
    left_seq: int | None
    right_seq: int | None
    reason: DivergenceReason


class StepDelta(Struct, frozen=True, kw_only=True):
    """One step in both runs; None where a run lacks it. `delta_ms` is right minus left."""

    step_id: str
    left_state: StepStatus | None
    right_state: StepStatus | None
    left_ms: int | None
    right_ms: int | None
    delta_ms: int | None


class Comparison(Struct, frozen=True, kw_only=True):
    """Two runs: where they first part, the steps of both, and the errors that only the right one has.

    `left_ms` and `right_ms` are the runs' durations, None while one has not ended.
    """

    left_run_id: str
    right_run_id: str
    left_status: RunStatus
    right_status: RunStatus
    left_ms: int | None
    right_ms: int | None
    first_divergence: Divergence | None
    steps: tuple[StepDelta, ...]
    new_errors: tuple[ErrorFact, ...]


class _Trail(Struct):
    """A step's events in the left run, and how many of them the right run has matched."""

    marks: array[int] = field(default_factory=lambda: array("Q"))
    seqs: array[int] = field(default_factory=lambda: array("I"))
    matched: int = 0


def first_divergence(left: Iterable[Event], right: Iterable[Event]) -> Divergence | None:
    """The earliest event of the right run that differs from the left, else the first that it lacks.

    Both are whole runs in order of seq. None: they did the same.
    """
    trails: dict[str | None, _Trail] = {}
    for event in left:
        if _compared(event):
            trail = trails.setdefault(event.step, _Trail())
            trail.marks.append(_mark(event))
            trail.seqs.append(event.seq)
    for event in right:
        if _compared(event):
            parted = _follow(trails.get(event.step), event)
            if parted is not None:
                return parted
    unmatched = [(trail.seqs[trail.matched], step) for step, trail in trails.items() if _rest(trail)]
    if not unmatched:
        return None
    seq, step = min(unmatched, key=lambda one: one[0])
    return Divergence(step, seq, None, "only_left")


def compare_steps(left: Iterable[Step], right: Iterable[Step]) -> tuple[StepDelta, ...]:
    """The right run's steps in their order, then those that only the left has."""
    lefts = {step.step_id: step for step in left}
    rights = {step.step_id: step for step in right}
    return tuple(_delta(name, lefts.get(name), rights.get(name)) for name in {**rights, **lefts})


def _delta(name: str, left: Step | None, right: Step | None) -> StepDelta:
    left_ms = None if left is None else left.duration_ms
    right_ms = None if right is None else right.duration_ms
    return StepDelta(
        step_id=name,
        left_state=None if left is None else left.state,
        right_state=None if right is None else right.state,
        left_ms=left_ms,
        right_ms=right_ms,
        delta_ms=None if left_ms is None or right_ms is None else right_ms - left_ms,
    )


def _compared(event: Event) -> bool:
    return event.type not in _LEFT_OUT and not (event.level == "info" and event.type in NOISE)


def _rest(trail: _Trail) -> int:
    return len(trail.marks) - trail.matched


def _follow(trail: _Trail | None, event: Event) -> Divergence | None:
    if trail is None or not _rest(trail):
        return Divergence(event.step, None, event.seq, "only_right")
    place = trail.matched
    trail.matched += 1
    difference = trail.marks[place] ^ _mark(event)
    if not difference:
        return None
    reason: DivergenceReason = "data"
    if difference >> _TYPE_SHIFT:
        reason = "type"
    elif difference >> _MESSAGE_SHIFT:
        reason = "message"
    return Divergence(event.step, trail.seqs[place], event.seq, reason)


_TYPE_SHIFT = 48
_MESSAGE_SHIFT = 16


def _mark(event: Event) -> int:
    """64 bits: 16 of the type, 32 of the masked message, 16 of the data's keys; equal within this process."""
    try:
        keys = frozenset(_keys.decode(event.payload)) - {"_cut"}
    except (msgspec.MsgspecError, ValueError, RecursionError):
        keys = frozenset()
    return (
        (hash(event.type) & 0xFFFF) << _TYPE_SHIFT
        | (hash(mask(event.message)) & 0xFFFFFFFF) << _MESSAGE_SHIFT
        | (hash(keys) & 0xFFFF)
    )
