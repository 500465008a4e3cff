from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runline.fold.apply import apply
from runline.fold.calls import call_key
from runline.fold.checkpoint import decode_fold, encode_fold
from runline.fold.slots import MOST_SLOTS
from runline.fold.snapshot import snapshot
from runline.fold.state import CallState, Cold, RunFold, StepState
from runline.model.catalogue import CATALOGUE, END_TYPES, START_TYPES
from runline.model.clock import MAX_MS, MIN_MS
from runline.model.event import Draft, Event
from runline.model.status import STEP_ACTIVE

Tell = Callable[..., RunFold]

STEPS = ("a", "b", "build[0]", "build[1]")
HOSTILE = st.sampled_from(
    [None, True, "abc", "", -1, 0, 1, 1.5, 40, 100, 10**6, 2**53 + 1, 2**63, 2**64 - 1, [], [1], {}, {"x": 1}]
)
GOOD = {
    "status": st.sampled_from(["completed", "failed", "cancelled"]),
    "progress": st.integers(0, 100),
    "dependencies": st.lists(st.sampled_from(STEPS), max_size=2),
    "tokens_used": st.integers(0, 10**6),
    "ok": st.booleans(),
    "level_index": st.integers(0, 3),
    "plan": st.just({"steps": [{"id": "a"}, {"id": "b", "dependencies": ["a"]}]}),
    "usual": st.just({"p50_ms": 9, "p90_ms": 90, "n": 2, "steps": {"b": {"p50_ms": 1, "p90_ms": 2, "n": 3}}}),
}
COMMON = ("progress", "tokens_used", "tokens_in", "estimated_time_ms", "total_steps")
INSTANTS = st.integers(0, 100_000) | st.integers(0, 10**9) | st.sampled_from([MIN_MS, MAX_MS])
MIDDLE = sorted(set(CATALOGUE) - END_TYPES)


@st.composite
def drafts(draw: st.DrawFn, types: st.SearchStrategy[str]) -> Draft:
    type_ = draw(types)
    keys = (*CATALOGUE[type_].keys, *COMMON) if type_ in CATALOGUE else COMMON
    said = draw(st.lists(st.sampled_from(keys), unique=True, max_size=5))
    data = {key: draw(GOOD[key] | HOSTILE if key in GOOD else HOSTILE) for key in said}
    return Draft(
        ts_ms=draw(INSTANTS),
        type=type_,
        level=draw(st.sampled_from(["info", "info", "info", "warn", "error"])),
        step=draw(st.none() | st.sampled_from(STEPS)),
        source=None,
        message=draw(st.sampled_from(["", "boom 1", "boom 2", "text"])),
        correlation_id=draw(st.none() | st.sampled_from(["c1", "c2"])),
        payload=msgspec.json.encode(data).decode(),
    )


@st.composite
def streams(draw: st.DrawFn) -> list[Draft]:
    """A start, events of a few types (so that they meet each other's steps and calls), sometimes an end."""
    theme = [*draw(st.lists(st.sampled_from(MIDDLE), min_size=1, max_size=5)), "made_up"]
    start = draw(drafts(st.sampled_from(sorted(START_TYPES))))
    events = draw(st.lists(drafts(st.sampled_from(theme)), max_size=30))
    ends = draw(st.lists(drafts(st.sampled_from(sorted(END_TYPES))), max_size=1))
    return [start, *events, *ends]


STREAMS = streams()
STORED_RUNS = settings(max_examples=400)


class Rows:
    """What a store keeps of a fold: rows, written only where `touched` says so, loaded only where named."""

    def __init__(self) -> None:
        self.scalars = b""
        self.cold = b""
        self.steps: dict[int, StepState] = {}
        self.calls: dict[int, CallState] = {}
        self.slots: dict[int, list[int]] = {}
        self.artifacts: list[int] = []

    def save(self, fold: RunFold) -> None:
        touched = fold.touched
        self.steps |= {step.number: copy.copy(step) for step in touched.steps.values()}
        self.calls |= {seq: copy.copy(call) for seq, call in touched.calls.items()}
        if touched.all_slots:
            self.slots.clear()
        self.slots |= {
            slot: list(fold.slots[slot]) for slot in (fold.slots if touched.all_slots else touched.slots)
        }
        self.artifacts += touched.artifacts
        if touched.cold or not self.cold:
            self.cold = msgspec.json.encode(fold.cold)
        bare = msgspec.structs.replace(fold, steps={}, calls={}, slots={}, running={}, cold=Cold())
        self.scalars = encode_fold(bare)

    def load(self, steps: set[str] | None, keys: set[str] | None) -> RunFold:
        """With the steps and open calls named; all of them when None."""
        fold = decode_fold(self.scalars)
        fold.cold = msgspec.json.decode(self.cold, type=Cold)
        fold.slots = {slot: list(counts) for slot, counts in self.slots.items()}
        for step in self.steps.values():
            if step.state in STEP_ACTIVE:
                fold.running[step.name] = step.started_seq << 32 | step.index
            if steps is None or step.name in steps:
                fold.steps[step.name] = copy.copy(step)
        for call in self.calls.values():
            if call.status == "open" and (keys is None or call.key in keys):
                fold.calls[call.key] = copy.copy(call)
        return fold


def fold_all(events: Sequence[Draft]) -> RunFold:
    fold = RunFold("r", 0)
    for seq, event in enumerate(events, 1):
        apply(fold, event, seq)
    return fold


def comparable(fold: RunFold) -> RunFold:
    """Equal whatever order its rows came in."""
    fold = decode_fold(encode_fold(fold))
    fold.steps = dict(sorted(fold.steps.items()))
    fold.running = dict(sorted(fold.running.items()))
    return fold


@STORED_RUNS
@given(STREAMS, st.lists(st.integers(1, 8), min_size=1, max_size=40))
def test_batches_over_saved_rows_equal_one_pass(events: list[Draft], sizes: list[int]) -> None:
    rows = Rows()
    rows.save(RunFold("r", 0))
    seq, place = 0, 0
    while seq < len(events):
        batch = events[seq : seq + sizes[place % len(sizes)]]
        place += 1
        names = {event.step for event in batch if event.step is not None}
        keys = {key for event in batch if (key := call_key(event)) is not None}
        fold = rows.load(names, keys)
        for event in batch:
            seq += 1
            apply(fold, event, seq)
        rows.save(fold)
    whole = fold_all(events)
    assert comparable(rows.load(None, None)) == comparable(whole)
    assert snapshot(rows.load(None, None)) == snapshot(whole)
    assert rows.artifacts == whole.touched.artifacts


@given(STREAMS)
def test_the_totals_are_the_sums_of_their_parts(events: list[Draft]) -> None:
    fold = RunFold("r", 0)
    progress = 0
    for seq, event in enumerate(events, 1):
        apply(fold, event, seq)
        assert progress <= fold.progress <= 100
        assert fold.progress < 100 or fold.status == "completed"
        progress = fold.progress
    state = snapshot(fold)
    assert sum(fold.types.values()) == sum(state.histogram.events) == len(events)
    assert sum(state.histogram.warnings) == fold.warn_count
    assert sum(state.histogram.errors) == fold.error_count
    assert len(fold.slots) <= MOST_SLOTS
    assert fold.open_calls == len(fold.calls) <= fold.call_count
    declared = [step for step in fold.steps.values() if step.declared]
    assert sorted(step.index for step in declared) == list(range(fold.declared_steps))
    assert state.failed_steps == sum(step.state == "failed" for step in state.steps)
    assert state.completed_steps == sum(step.state in ("completed", "skipped") for step in state.steps)
    assert fold.total_tokens >= sum(step.tokens_used for step in fold.steps.values())
    assert set(fold.running) == {step.name for step in declared if step.state in STEP_ACTIVE}
    if fold.completed_at_ms is None:
        latest = max(fold.running, key=lambda name: fold.running[name], default=None)
        assert fold.current_step == latest
        assert (fold.current_step_index is None) == (latest is None)
    assert msgspec.json.decode(msgspec.json.encode(state), type=type(state)) == state


@given(STREAMS)
def test_a_checkpoint_in_the_middle_changes_nothing(events: list[Draft]) -> None:
    middle = len(events) // 2
    fold = decode_fold(encode_fold(fold_all(events[:middle])))
    for seq, event in enumerate(events[middle:], middle + 1):
        apply(fold, event, seq)
    assert comparable(fold) == comparable(fold_all(events))


@given(STREAMS)
def test_every_number_fits_a_signed_64_bit_column(events: list[Draft]) -> None:
    fold = fold_all(events)
    rows: list[Any] = [fold, *fold.steps.values(), *fold.calls.values()]
    numbers = [value for row in rows for value in msgspec.structs.astuple(row) if isinstance(value, int)]
    assert all(-(2**63) <= number < 2**63 for number in numbers)


@pytest.mark.parametrize(
    "payload",
    ["", "[1]", "\ud800", '{"progress":1e999}', '{"progress":NaN}', '{"tokens_used":' + "9" * 5000 + "}"],
)
@pytest.mark.parametrize("type_", [*sorted(CATALOGUE), "made_up"])
def test_no_payload_makes_it_fail(type_: str, payload: str) -> None:
    marked = payload + ' "tokens'
    for text in (payload, marked):
        fold = fold_all(
            [
                Draft(0, "run_started", "info", None, None, "", None, "{}"),
                Draft(0, type_, "error", "a", None, "", "c", text),
            ]
        )
        assert fold.last_seq == 2
        assert fold.total_tokens == 0


def test_a_stored_event_folds_like_its_draft() -> None:
    draft = Draft(5, "step_started", "info", "a", None, "m", None, "{}")
    event = Event(1, "r", 1, 5, "step_started", "info", "a", None, "m", None, "{}", 0)
    left, right = RunFold("r", 0), RunFold("r", 0)
    apply(left, draft, 1)
    apply(right, event, 1)
    assert left == right


def test_an_ordinary_event_is_counted(tell: Tell) -> None:
    fold = tell(("made_up", "a", {"@message": "hello"}, 1000), ("made_up", {"@message": "bye"}, 3000))
    step = fold.steps["a"]
    assert (step.event_count, step.updated_at_ms, step.message, step.state) == (
        1,
        1_001_000,
        "hello",
        "pending",
    )
    assert (fold.last_seq, fold.updated_at_ms, fold.last_step, fold.last_message) == (
        3,
        1_003_000,
        None,
        "bye",
    )
    assert fold.types == {"run_started": 1, "made_up": 2}
    assert set(fold.touched.steps) == {"a"}
    assert not fold.touched.cold


def test_levels_are_counted_for_the_run_and_the_step(tell: Tell) -> None:
    fold = tell(
        ("log", "a", {"@level": "warn"}),
        ("log", "a", {"@level": "error"}),
        ("log", {"@level": "warn"}),
        ("log", {"@level": "error"}),
    )
    assert (fold.warn_count, fold.error_count) == (2, 2)
    assert (fold.steps["a"].warn_count, fold.steps["a"].error_count) == (1, 1)


def test_first_and_last_error_are_remembered(tell: Tell) -> None:
    fold = tell(
        ("error", "a", {"@message": "one", "name": "E"}), ("log", {"@message": "two", "@level": "error"})
    )
    first, last = fold.cold.first_error, fold.cold.last_error
    assert first is not None and last is not None
    assert (first.seq, first.step, first.name, first.message) == (2, "a", "E", "one")
    assert (last.seq, last.message) == (3, "two")
    assert len(first.fingerprint) == 16
    assert fold.touched.cold


def test_types_beyond_256_count_as_other(tell: Tell) -> None:
    fold = tell(*((f"type_{n}",) for n in range(300)), ("type_0",))
    assert (len(fold.types), fold.types["other"], fold.types["type_0"]) == (257, 45, 2)


def test_artifacts_are_counted_and_named_by_their_event(tell: Tell) -> None:
    fold = tell(("artifact_created", "a", {"name": "x"}), ("log",), ("artifact_created", {"name": "y"}))
    assert (fold.artifact_count, fold.touched.artifacts) == (2, [2, 4])
    fold.touched.clear()
    assert fold.touched.artifacts == []
