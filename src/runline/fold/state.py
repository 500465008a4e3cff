"""The mutable state of one run while its events are folded.

The store loads and saves it as rows: scalars of `RunFold` are columns of `runs`, `StepState` is a row of
`steps`, `CallState` one of `calls`, `slots` one row per slot, and `cold` one JSON column, rewritten only
when `touched.cold` is set. `steps` and `calls` may be *partial*: the store loads just the steps and
open calls that a batch names before it applies the batch. So nothing in `apply` may iterate over them;
totals live in scalars. `running` and `slots` are always complete.
"""

from __future__ import annotations

from msgspec import Struct, field

from runline.model.event import Draft, Event
from runline.model.step import Usual


class StepPlan(Struct, frozen=True, omit_defaults=True):
    """What the plan says about a step, fixed before it starts."""

    persona: str | None = None
    dependencies: tuple[str, ...] = ()
    max_attempts: int | None = None
    optional: bool = False
    usual: Usual | None = None


class StepState(Struct, array_like=True):
    """One step. `number` is its small integer within the run (1, 2, …) in order of first mention."""

    number: int
    name: str
    state: str = "pending"
    declared: bool = False
    """It has a lifecycle event or stands in the plan. A step that was only named (a stage) is not counted."""
    index: int = -1
    """Position among the declared steps: plan order first, then order of appearance. −1: not declared."""
    progress: int = 0
    total: int | None = None
    action: str | None = None
    persona: str | None = None
    model: str | None = None
    message: str | None = None
    error: str | None = None
    reason: str | None = None
    attempt: int = 0
    started_at_ms: int | None = None
    started_seq: int = 0
    completed_at_ms: int | None = None
    updated_at_ms: int = 0
    duration_ms: int | None = None
    estimate_ms: int | None = None
    estimate_at_ms: int | None = None
    tokens_before: int = 0
    """Of finished attempts."""
    tokens_seen: int = 0
    """Sum over the events of this attempt."""
    tokens_final: int | None = None
    """What the attempt's end event said; wins over `tokens_seen`."""
    level_index: int | None = None
    path: str | None = None
    event_count: int = 0
    warn_count: int = 0
    error_count: int = 0
    plan: StepPlan | None = None

    @property
    def tokens_used(self) -> int:
        current = self.tokens_seen if self.tokens_final is None else self.tokens_final
        return self.tokens_before + current


class CallState(Struct, array_like=True):
    """A call, found by `key` (the correlation id, or kind and step when there is none) while open.

    `last_seq` of an open call is the retry that was announced and not sent yet, else its first event.
    """

    key: str
    kind: str
    name: str
    detail: str
    step: str | None
    first_seq: int
    last_seq: int
    started_at_ms: int
    status: str = "open"
    duration_ms: int | None = None
    attempts: int = 1
    parent: str | None = None
    tokens_in: int | None = None
    tokens_out: int | None = None


class ErrorFact(Struct, frozen=True):
    """An error event, remembered."""

    seq: int
    ts_ms: int
    step: str | None
    type: str
    name: str | None
    message: str
    fingerprint: str


class LevelState(Struct):
    """A level of the session catalogue."""

    index: int
    total_count: int
    generated_count: int = 0
    failed_count: int = 0
    done: bool = False


class Cold(Struct):
    """What changes rarely; one JSON column."""

    first_error: ErrorFact | None = None
    last_error: ErrorFact | None = None
    """Its fingerprint is left blank: it would be computed for every error and read for one."""
    usual: Usual | None = None
    step_usual: dict[str, Usual] = field(default_factory=dict)
    """Of steps outside the plan, until they appear; a planned one has its own."""
    call_usual: dict[str, Usual] = field(default_factory=dict)
    plan_sha256: str | None = None
    generation: dict[str, int | str | None] = field(default_factory=dict)
    """Facts of `generation_*`: plan_id, total_levels, total_nodes, target_path, generated, failed, reason, state."""
    levels: list[LevelState] = field(default_factory=list)
    queue: dict[str, int] = field(default_factory=dict)
    scan: dict[str, int] = field(default_factory=dict)


class Touched(Struct):
    """What has changed since the store last saved; `apply` adds, the store reads and clears."""

    steps: dict[str, StepState] = field(default_factory=dict)
    calls: dict[int, CallState] = field(default_factory=dict)
    """By `first_seq`: opened, retried or closed."""
    slots: set[int] = field(default_factory=set)
    all_slots: bool = False
    """The slot width doubled: every slot row must be written anew."""
    cold: bool = False
    artifacts: list[int] = field(default_factory=list)
    """seqs of `artifact_created` events."""

    def clear(self) -> None:
        self.steps.clear()
        self.calls.clear()
        self.slots.clear()
        self.artifacts.clear()
        self.all_slots = self.cold = False


class Arrival(Struct, gc=False):
    """An event at its place in the run, and the state of its step."""

    event: Draft | Event
    seq: int
    step: StepState | None


class RunFold(Struct):
    """Everything that the events of one run amount to so far. `last_seq` 0: no event yet."""

    run_id: str
    started_at_ms: int
    kind: str = "run"
    name: str = ""
    tags: tuple[str, ...] = ()
    parent_run_id: str | None = None
    original_run_id: str | None = None
    status: str = "pending"
    partial: bool = False
    error_message: str | None = None
    completed_at_ms: int | None = None
    cancelled_at_ms: int | None = None
    window_start_ms: int = 0
    updated_at_ms: int = 0
    last_seq: int = 0
    warn_count: int = 0
    error_count: int = 0
    total_tokens: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    progress: int = 0
    progress_sum: int = 0
    """Σ progress of declared steps, a finished one counting 100."""
    announced_steps: int = 0
    """The largest total that the run announced (`total_steps`, `total_nodes`, the plan's length)."""
    step_numbers: int = 0
    """How many step names have been seen; the next number is one more."""
    declared_steps: int = 0
    completed_steps: int = 0
    failed_steps: int = 0
    artifact_count: int = 0
    call_count: int = 0
    open_calls: int = 0
    current_step: str | None = None
    current_step_index: int | None = None
    last_step: str | None = None
    last_message: str | None = None
    estimate_ms: int | None = None
    estimate_at_ms: int | None = None
    slot_ms: int = 1000
    types: dict[str, int] = field(default_factory=dict)
    cold: Cold = field(default_factory=Cold)
    steps: dict[str, StepState] = field(default_factory=dict)
    calls: dict[str, CallState] = field(default_factory=dict)
    """Open calls by key; a closed one leaves (the store writes it out from `touched`)."""
    running: dict[str, int] = field(default_factory=dict)
    """Running and retrying steps → (`started_seq` << 32 | index): enough to name the current step and its index."""
    slots: dict[int, list[int]] = field(default_factory=dict)
    """Histogram: slot → [events, warns, errors]; ≤ 512 slots of `slot_ms` from `started_at_ms`."""
    touched: Touched = field(default_factory=Touched)

    @property
    def total_steps(self) -> int:
        return max(self.announced_steps, self.declared_steps)
