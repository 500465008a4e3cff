"""Rebuilding: the projections of a run made anew from its log.

The log is folded in pages beside whatever goes on; what came in meanwhile is folded under the write lock, and
the rows are replaced in that one transaction. Facts beside the log (notes, pins, liveness) stay. Names of
steps are not told by events, which hold a number: a lost one is taken from the plan or from a checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from runline.fold.apply import apply
from runline.fold.state import CallState, RunFold
from runline.model.errors import NotFound, Unavailable
from runline.model.event import Event
from runline.store import artifacts, audit, log, projection
from runline.store.checkpoints import pack, spacing, unpack
from runline.store.engine import Reading, Row, Writing
from runline.store.locate import locate

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


def rebuild(
    store: SqlStore, run_id: str | None = None, *, on_progress: Callable[[int], None] | None = None
) -> int:
    """Rebuilds one run, or all of the store (of its tenant); how many. Raises NotFound.

    The memory it takes grows with a run's steps and calls, not with its events.
    """
    told = on_progress or (lambda _: None)
    tally = audit.Tally(store, "rebuild", target=run_id)
    if run_id is not None:
        _rebuild_run(store, run_id, told, tally)
        return 1
    done = events = 0

    def told_in_all(folded: int) -> None:
        told(events + folded)

    pages = store.engine.pages(
        "SELECT run, run_id FROM runs WHERE run > :after AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant) "
        "ORDER BY run LIMIT :limit",
        {"after": 0, "tenant": store.tenant},
        size=500,
    )
    for page in pages:
        for _, name in page:
            try:
                events += _rebuild_run(store, name, told_in_all, tally)
            except NotFound:
                continue  # it was pruned meanwhile
            done += 1
    return done


def _rebuild_run(store: SqlStore, run_id: str, told: Callable[[int], None], tally: audit.Tally) -> int:
    """How many events the run has."""
    found = store.locate(run_id)
    building = _Building(store, run_id, found.run, found.started_at_ms)
    while building.fold_page(store.direct):
        told(building.folded)

    def replace() -> None:
        with store.engine.transaction() as tx:
            locate(tx, run_id, store.tenant, lock=True)
            while building.fold_page(tx):
                pass
            building.save(tx)
            tally.add(tx, runs=1, events=building.folded)
        tally.committed()
        # What this process remembers of the run may be what was wrong.
        store.writer.appender.forget_all()

    store.writer.between(replace)
    return building.folded


class _Building:
    """The fold of one run, and the rows that it has let go of on the way."""

    def __init__(self, store: SqlStore, run_id: str, run: int, started_at_ms: int) -> None:
        self._run = run
        self._fold = RunFold(run_id, started_at_ms)
        self._decoder = log.Decoder(store.codes, run_id, {})
        self._lost: dict[int, str] | None = None
        self._closed: dict[int, CallState] = {}
        self._artifacts: list[Row] = []
        self._checkpoints: list[tuple[int, int, bytes]] = [(run, 0, b"")]
        self._input: str | None = None

    @property
    def folded(self) -> int:
        return self._fold.last_seq

    def fold_page(self, source: Reading) -> bool:
        """Folds the next page in; whether there was one."""
        fold = self._fold
        span = log.span(source, self._run, fold.last_seq)
        if span is None:
            return False
        rows = log.rows(source, self._run, span[0], span[0] + log.PAGE - 1)
        steps = self._decoder.steps
        if any(row.step is not None and row.step not in steps for row in rows):
            steps.update(log.step_names(source, self._run))
        for row in rows:
            if row.step is not None and row.step not in steps:
                steps[row.step] = self._lost_name(source, row.step)
            try:
                self._fold_in(self._decoder.event(row))
            except (LookupError, ValueError, msgspec.MsgspecError) as error:
                raise Unavailable(
                    f"Event {row.seq} of run {fold.run_id} is damaged, so nothing can be made from the log "
                    "of this run. `runline verify` tells what is hurt; restore a backup.",
                    code="corrupt",
                ) from error
        self._closed.update({seq: call for seq, call in fold.touched.calls.items() if call.status != "open"})
        fold.touched.clear()
        return True

    def _fold_in(self, event: Event) -> None:
        fold = self._fold
        apply(fold, event, event.seq)
        if event.seq == 1 and "input" in event.data:
            self._input = projection.json_text(event.data["input"])
        if event.seq in fold.touched.artifacts[-1:]:
            self._artifacts.append(artifacts.artifact_row(self._run, event.seq, event))
        _, checkpoint_seq, state = self._checkpoints[-1]
        if event.seq - checkpoint_seq >= spacing(len(state)):
            self._checkpoints.append((self._run, event.seq, pack(fold)))

    def _lost_name(self, source: Reading, number: int) -> str:
        """A name that keeps the numbers in the log valid."""
        if self._lost is None:
            states = source.execute("SELECT state FROM checkpoints WHERE run = ? ORDER BY seq", (self._run,))
            known = [fold for (state,) in states if (fold := unpack(state)) is not None]
            self._lost = {step.number: step.name for fold in known for step in fold.steps.values()}
        planned = {step.number: step.name for step in self._fold.steps.values()}
        return planned.get(number) or self._lost.get(number) or f"step-{number}"

    def save(self, tx: Writing) -> None:
        """Replaces the run's rows."""
        fold, run = self._fold, self._run
        for table in ("steps", "calls", "slots", "checkpoints"):
            tx.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
        strange = {seq for (seq,) in tx.execute("SELECT seq FROM artifacts WHERE run = ?", (run,))}
        strange -= {row[1] for row in self._artifacts}
        calls = [*self._closed.values(), *fold.calls.values()]
        for sql, rows in (
            (projection.SAVE_STEP, [projection.step_row(run, step) for step in fold.steps.values()]),
            (projection.SAVE_CALL, [projection.call_row(run, call) for call in calls]),
            (projection.SAVE_SLOT, [(run, slot, *counts) for slot, counts in fold.slots.items()]),
            ("DELETE FROM artifacts WHERE run = ? AND seq = ?", [(run, seq) for seq in strange]),
            (artifacts.SAVE, self._artifacts),
            ("INSERT INTO checkpoints VALUES (?, ?, ?)", self._checkpoints[1:]),
            (_SAVE_DETAILS, [(run, self._input, projection.json_text(fold.cold))]),
        ):
            tx.executemany(sql, rows)
        columns = (*projection.RUN_COLUMNS, "eta", "fingerprint", "usual", "started_at", "checkpoint_seq")
        tx.execute(
            f"UPDATE runs SET {', '.join(f'{column} = ?' for column in columns)} WHERE run = ?",
            (
                *projection.run_row(fold),
                *projection.derived_row(fold, 0)[:3],
                fold.started_at_ms,
                self._checkpoints[-1][1],
                run,
            ),
        )


_SAVE_DETAILS = (
    "INSERT INTO run_details VALUES (?, ?, ?) "
    "ON CONFLICT (run) DO UPDATE SET input = excluded.input, cold = excluded.cold"
)
