"""The rows of a run as its fold again: the inverse of `projection`.

A run that another process has written to is picked up from here. A writer loads only the steps and calls
that its batch names; readers load them all.
"""

from __future__ import annotations

import msgspec

from runline.fold.state import CallState, Cold, RunFold, StepPlan, StepState
from runline.model.errors import NotFound
from runline.store.engine import Reading, Row
from runline.store.projection import CALL_COLUMNS, RUN_COLUMNS, STEP_COLUMNS, json_text

SELECT_RUN = f"SELECT run, run_id, tenant, started_at, checkpoint_seq, {', '.join(RUN_COLUMNS)} FROM runs WHERE run = :run"
SELECT_STEPS = f"SELECT {', '.join(STEP_COLUMNS)} FROM steps WHERE run = :run"
SELECT_CALLS = f"SELECT {', '.join(CALL_COLUMNS)} FROM calls WHERE run = :run"

_decode_cold = msgspec.json.Decoder(Cold).decode
_decode_plan = msgspec.json.Decoder(StepPlan).decode


def step_of(row: Row) -> StepState:
    """The inverse of `step_row`."""
    _, number, name, state, declared, *rest, plan = row
    step = StepState(number, name, state, bool(declared), *rest)
    step.plan = None if plan is None else _decode_plan(plan)
    return step


def call_of(row: Row) -> CallState:
    """The inverse of `call_row`."""
    _, first_seq, key, kind, name, detail, step, last_seq, started_at, *rest = row
    return CallState(key, kind, name, detail, step, first_seq, last_seq, started_at, *rest)


def load_steps(tx: Reading, run: int, fold: RunFold, names: set[str]) -> None:
    """Brings the rows of those steps into the fold, where they exist."""
    # As one JSON array: a batch may name more of them than a statement takes parameters.
    for row in tx.execute(
        SELECT_STEPS + " AND name IN (SELECT value FROM json_each(:names))",
        {"run": run, "names": json_text(sorted(names))},
    ):
        fold.steps[row[2]] = step_of(row)


def load_calls(tx: Reading, run: int, fold: RunFold, keys: set[str]) -> None:
    """Brings the rows of those open calls into the fold, where they exist."""
    for row in tx.execute(
        SELECT_CALLS + " AND status = 'open' AND key IN (SELECT value FROM json_each(:keys))",
        {"run": run, "keys": json_text(sorted(keys))},
    ):
        fold.calls[row[2]] = call_of(row)


def load_run(tx: Reading, run: int) -> tuple[RunFold, Row]:
    """The fold of a run without its steps and calls, and the row it came from. NotFound: it is gone."""
    rows = tx.execute(SELECT_RUN, {"run": run})
    if not rows:
        raise NotFound("This run is being removed.", code="pruned")
    row = rows[0]
    _, run_id, _, started_at, _, kind, name, tags, *rest, types = row
    cold = tx.execute("SELECT cold FROM run_details WHERE run = ?", (run,))[0][0]
    fold = RunFold(run_id, started_at, kind, name, tuple(msgspec.json.decode(tags)))
    for field, value in zip(_FOLD_FIELDS, rest, strict=True):
        setattr(fold, field, value)
    fold.partial = bool(fold.partial)
    fold.types = msgspec.json.decode(types)
    fold.cold = _decode_cold(cold)
    for step, seq, position in tx.execute(
        "SELECT name, started_seq, position FROM steps "
        "WHERE run = ? AND state IN ('running', 'retrying') ORDER BY started_seq",
        (run,),
    ):
        fold.running[step] = seq << 32 | position
    for slot, *counts in tx.execute("SELECT slot, events, warns, errors FROM slots WHERE run = ?", (run,)):
        fold.slots[slot] = counts
    return fold, row


_MILLISECONDS = {"completed_at", "cancelled_at", "window_start", "updated_at", "estimate_at"}
_FOLD_FIELDS = [f"{c}_ms" if c in _MILLISECONDS else c for c in RUN_COLUMNS[3:-1]]


def load_whole(tx: Reading, run: int) -> RunFold:
    """The fold with all its steps and open calls. NotFound: the run is gone."""
    fold, _ = load_run(tx, run)
    for row in tx.execute(SELECT_STEPS + " ORDER BY step", {"run": run}):
        fold.steps[row[2]] = step_of(row)
    for row in tx.execute(SELECT_CALLS + " AND status = 'open' ORDER BY first_seq", {"run": run}):
        fold.calls[row[2]] = call_of(row)
    return fold
