"""A run under construction: its rows are in the store, its number is garbage until it is published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from runline.fold.apply import apply
from runline.fold.state import RunFold
from runline.model.checksum import place_check, seal
from runline.model.errors import Conflict, Invalid, Unavailable
from runline.model.event import Draft
from runline.store import artifacts, audit, projection
from runline.store.append import INSERT_EVENTS
from runline.store.checkpoints import pack, spacing
from runline.store.codes import LEVEL_CODES
from runline.store.creation import free_id
from runline.store.engine import Row, Writing
from runline.store.projection import json_text
from runline.store.turns import Turns

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

_KEPT_MS = 600_000
"""How long after its last sign of life an unfinished import may be cleared away."""


class HiddenRun:
    """Made, filled batch by batch, then published or abandoned."""

    def __init__(self, store: SqlStore, turns: Turns, run_id: str, tenant: str, started_at_ms: int) -> None:
        self._store = store
        self._turns = turns
        self._tenant = tenant
        self._fold = RunFold(run_id, started_at_ms)
        self._input: str | None = None
        self._checkpoint_seq = self._checkpoint_bytes = 0
        self._run = turns.take(lambda tx, _: self._reserve(tx))

    def _reserve(self, tx: Writing) -> int:
        """A number that no run has had; the next run gets the next one."""
        rows = tx.execute(
            "/* reserve run */ UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'runs' RETURNING seq"
        )
        if not rows:
            rows = tx.execute("INSERT INTO sqlite_sequence VALUES ('runs', 1) RETURNING seq")
        run: int = rows[0][0]
        tx.execute(
            "INSERT INTO garbage VALUES (?, ?, ?, ?)", (run, self._fold.run_id, self._tenant, self._until())
        )
        return run

    def append(self, drafts: Sequence[Draft]) -> None:
        """The next events, clean ones; durable, and seen by nobody."""
        fold = self._fold
        first_seq = fold.last_seq + 1
        made = []
        for seq, event in enumerate(drafts, first_seq):
            apply(fold, event, seq)
            if seq == 1:
                given = msgspec.json.decode(event.payload).get("input")
                self._input = None if given is None else json_text(given)
                most = self._store.limits.input_bytes
                if self._input is not None and len(self._input.encode()) > most:
                    raise Invalid(f"The input is larger than {most} bytes.", code="input_too_large")
            if seq in fold.touched.artifacts[-1:]:
                made.append(artifacts.artifact_row(self._run, seq, event))

        def write(tx: Writing, _: int) -> None:
            self._keep(tx)
            tx.executemany(INSERT_EVENTS, self._event_rows(tx, drafts, first_seq))
            tx.executemany(artifacts.INSERT, made)
            self._write_projections(tx)

        self._turns.take(write)
        fold.touched.clear()

    def _event_rows(self, tx: Writing, drafts: Sequence[Draft], first_seq: int) -> list[Row]:
        codes = self._store.codes
        next_id = self._store.writer.appender.take_ids(len(drafts))
        rows = []
        for at, event in enumerate(drafts):
            level, type_ = LEVEL_CODES[event.level], codes.intern(tx, "types", event.type)
            step = None if event.step is None else self._fold.steps[event.step].number
            source = None if event.source is None else codes.intern(tx, "sources", event.source)
            check = seal(event.check, place_check(self._run, level, type_, step, source), first_seq + at)
            rows.append(
                (next_id + at, self._run, first_seq + at, event.ts_ms, level, type_, step, source, event.message,
                 event.correlation_id, event.payload, check)
            )  # fmt: skip
        return rows

    def _write_projections(self, tx: Writing) -> None:
        fold, run = self._fold, self._run
        touched = fold.touched
        if touched.all_slots:
            tx.execute("DELETE FROM slots WHERE run = ?", (run,))
        slots = fold.slots if touched.all_slots else touched.slots
        tx.executemany(
            projection.SAVE_STEP, [projection.step_row(run, step) for step in touched.steps.values()]
        )
        tx.executemany(
            projection.SAVE_CALL, [projection.call_row(run, call) for call in touched.calls.values()]
        )
        tx.executemany(projection.SAVE_SLOT, [(run, slot, *fold.slots[slot]) for slot in slots])
        if fold.last_seq - self._checkpoint_seq >= spacing(self._checkpoint_bytes):
            state = pack(fold)
            tx.execute("INSERT INTO checkpoints VALUES (?, ?, ?)", (run, fold.last_seq, state))
            self._checkpoint_seq, self._checkpoint_bytes = fold.last_seq, len(state)

    def publish(self, notes: Sequence[tuple[Any, ...]], *, pinned: bool) -> None:
        """From here on the run is there, with its notes. Raises Conflict when its id has been taken meanwhile."""
        fold, run = self._fold, self._run
        for *_, seq in notes:
            if seq is not None and not 1 <= seq <= fold.last_seq:
                raise Invalid(f"A note belongs to event {seq}, which is not there.", code="bad_export")

        def write(tx: Writing, _: int) -> None:
            self._keep(tx)
            if tx.execute("SELECT 1 FROM runs WHERE run_id = ?", (fold.run_id,)):
                raise Conflict(
                    f"There is already a run {fold.run_id!r}; import it under another id.", code="run_exists"
                )
            facts = {
                "run": run,
                "tenant": self._tenant,
                "run_id": fold.run_id,
                "started_at": fold.started_at_ms,
                "appended_at": self._store.clock.now_ms(),
                "checkpoint_seq": self._checkpoint_seq,
                "input_redacted": "[REDACTED:" in (self._input or ""),
                "pinned": pinned,
                "note_count": len(notes),
            }
            derived = zip(("eta", "fingerprint", "usual"), projection.derived_row(fold, 0), strict=False)
            row = (
                facts
                | dict(zip(projection.RUN_COLUMNS, projection.run_row(fold), strict=True))
                | dict(derived)
            )
            tx.execute(
                f"INSERT INTO runs ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})",
                tuple(row.values()),
            )
            tx.execute("INSERT INTO run_details VALUES (?, ?, ?)", (run, self._input, json_text(fold.cold)))
            tx.executemany(
                "INSERT INTO notes (run, created_at, author, note, labels, actions, event_seq) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (run, created_at, author, note, json_text(labels), json_text(actions), seq)
                    for created_at, author, note, labels, actions, seq in notes
                ],
            )
            free_id(tx, fold.run_id, self._tenant)
            tx.execute("DELETE FROM garbage WHERE run = ?", (run,))
            audit.write(
                self._store, tx, "import_run", target=fold.run_id, tenant=self._tenant, events=fold.last_seq
            )

        self._turns.take(write)

    def abandon(self) -> None:
        """What is there of it may be cleared away at once."""
        self._turns.take(
            lambda tx, _: tx.execute("UPDATE garbage SET not_before = 0 WHERE run = ?", (self._run,))
        )

    def _keep(self, tx: Writing) -> None:
        if not tx.execute(
            "UPDATE garbage SET not_before = ? WHERE run = ? RETURNING run", (self._until(), self._run)
        ):
            raise Unavailable("The import took too long and was cleared away; try again.", code="import_lost")

    def _until(self) -> int:
        return self._store.clock.now_ms() + _KEPT_MS
