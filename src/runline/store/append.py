"""Appending: the one place where an event gets its `seq`, and where projections change.

Within the writer's transaction `Appender` keeps the fold of each touched run, applies events as they are
added and writes rows once, at the end: all events in one executemany, then only the runs, steps, calls
and slots that changed. Folds stay cached between transactions; one is trusted only while its `last_seq`
is the stored one, because other processes write too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Sequence

from runline.fold.apply import apply_all
from runline.fold.calls import call_key
from runline.fold.state import RunFold
from runline.intake.accept import draft
from runline.model.catalogue import END_TYPES
from runline.model.checksum import place_check
from runline.model.errors import Conflict, RunEnded
from runline.model.event import Draft
from runline.model.limits import Limits
from runline.store import artifacts, checkpoints, loading, projection
from runline.store.codes import LEVEL_CODES, Codes
from runline.store.engine import Row, Writing
from runline.store.entry import Entry, Placed, Shape
from runline.store.event_ids import EventIds
from runline.store.figures import Figures
from runline.store.locate import Located, locate, locate_all

_CACHED_RUNS = 256
_CACHED_STEPS = 2_000
_CACHED_CALLS = 5_000
_CACHED_SHAPES = 4_096
_MASK = 0xFFFFFFFF
_SEQ = 374761393

EVENT_COLUMNS = "id, run, seq, ts, level, type, step, source, message, correlation_id, data, crc"
INSERT_EVENTS = f"INSERT INTO events ({EVENT_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Appender:
    """The writer thread's hands. Not safe from any other thread."""

    def __init__(self, codes: Codes, limits: Limits) -> None:
        self.codes = codes
        self.limits = limits
        self._cache: OrderedDict[str, Entry] = OrderedDict()
        self._touched: dict[str, Entry] = {}
        self._rows: list[Row] = []
        self._artifacts: list[tuple[Entry, int, Draft]] = []
        self._locked: dict[str, Located] = {}
        self._ids = EventIds()
        self.figures = Figures()
        self.tx: Writing
        self.now_ms = 0

    def begin(self, tx: Writing, now_ms: int) -> None:
        self.tx = tx
        self.now_ms = now_ms
        self.figures.begin()
        self._ids.begin(tx)

    def expect(self, run_ids: Collection[str], events: int) -> None:
        """Before the first job: those runs will be appended to, about so many events in all.

        Where others write too, the runs are locked at once and in one order, so that nobody waits crosswise.
        """
        self._ids.expect(events)
        if self.tx.shared and run_ids:
            self._locked = locate_all(self.tx, run_ids)

    def entry(self, run_id: str, tenant: str | None = None) -> Entry:
        """The run, current as of this transaction. Raises NotFound (also for another tenant's id)."""
        entry = self._touched.get(run_id)
        if entry is not None and tenant in (None, entry.tenant):
            return entry
        found = self._locked.get(run_id)
        if found is None or tenant not in (None, found.tenant):
            found = locate(self.tx, run_id, tenant, lock=True)
            self._ids.renounce()
        entry = self._cache.get(run_id)
        if entry is None or entry.fold.last_seq != found.last_seq or entry.run != found.run:
            fold, row = loading.load_run(self.tx, found.run)
            entry = Entry(found.run, found.tenant, fold, fold.last_seq, row[4])
            self._cache[run_id] = entry
        self._cache.move_to_end(run_id)
        self._touched[run_id] = entry
        return entry

    def forget(self, run_id: str) -> None:
        """The run's row has been removed in this transaction: nothing is kept of it, and nothing written."""
        self._touched.pop(run_id, None)
        self._cache.pop(run_id, None)

    def take_ids(self, count: int) -> int:
        """Ids for so many events that another hand writes in this transaction; the first of them."""
        return self._ids.take(count)

    def adopt(self, entry: Entry) -> None:
        """Takes in a run that was created in this transaction."""
        self._cache[entry.fold.run_id] = self._touched[entry.fold.run_id] = entry

    def add(self, entry: Entry, drafts: Sequence[Draft]) -> Placed:
        """Appends the whole batch or raises before anything changes.

        RunEnded when the run has its end event; Conflict when an end event stands inside the batch.
        Beyond the soft limit of events per run only the end event is stored.
        """
        fold = entry.fold
        if fold.completed_at_ms is not None:
            raise RunEnded(f"Run {fold.run_id} has ended ({fold.status}); nothing can follow its end event.")
        if any(d.type in END_TYPES for d in drafts[:-1]):
            raise Conflict(
                "The end event must be the last of its batch; nothing follows it.", code="end_not_last"
            )
        kept, not_stored = drafts, 0
        room = self.limits.run_events - fold.last_seq
        if len(drafts) > room:
            kept, not_stored = self._within_limit(fold, drafts, max(0, room))
        self._load(entry, kept)
        first_seq, first_id = fold.last_seq + 1, self._ids.take(len(kept))
        self._apply(entry, kept, first_id)
        return Placed(first_seq, fold.last_seq, first_id, not_stored)

    def _within_limit(self, fold: RunFold, drafts: Sequence[Draft], room: int) -> tuple[list[Draft], int]:
        """What still fits, one `limit_reached` the first time, always the end event; how many are left out."""
        kept = list(drafts[:room])
        not_stored = len(drafts) - room
        if "limit_reached" not in fold.types:
            limit = self.limits.run_events
            message = f"this run has reached its limit of {limit} events; later ones are not stored"
            kept.append(
                draft(
                    "limit_reached",
                    message,
                    {"limit": limit},
                    level="warn",
                    source="runline",
                    ts_ms=self.now_ms,
                )
            )
        if drafts[-1].type in END_TYPES:
            kept.append(drafts[-1])
            not_stored -= 1
        return kept, not_stored

    def _load(self, entry: Entry, drafts: Sequence[Draft]) -> None:
        """Completes the partial caches with the steps and open calls that the batch names."""
        fold = entry.fold
        if fold.step_numbers > len(fold.steps):
            names = {event.step for event in drafts if event.step is not None} - fold.steps.keys()
            if names:
                loading.load_steps(self.tx, entry.run, fold, names)
        if fold.open_calls > len(fold.calls):
            keys = {key for event in drafts if (key := call_key(event)) is not None} - fold.calls.keys()
            if keys:
                loading.load_calls(self.tx, entry.run, fold, keys)

    def _apply(self, entry: Entry, events: Sequence[Draft], next_id: int) -> None:
        fold, run, shapes, add_row = entry.fold, entry.run, entry.shapes, self._rows.append
        first_seq = fold.last_seq + 1
        registered = len(fold.touched.artifacts)
        apply_all(fold, events, first_seq)
        for seq, event in enumerate(events, first_seq):
            shape = shapes.get((event.type, event.level, event.step, event.source))
            level, type_, step, source, place = shape or self._shape(entry, event)
            add_row(
                (
                    next_id,
                    run,
                    seq,
                    event.ts_ms,
                    level,
                    type_,
                    step,
                    source,
                    event.message,
                    event.correlation_id,
                    event.payload,
                    event.check ^ (place + seq * _SEQ & _MASK),  # checksum.seal, inlined: once per event
                )
            )
            next_id += 1
        self._artifacts += [
            (entry, seq, events[seq - first_seq]) for seq in fold.touched.artifacts[registered:]
        ]

    def _shape(self, entry: Entry, event: Draft) -> Shape:
        if len(entry.shapes) >= _CACHED_SHAPES:
            entry.shapes.clear()
        level = LEVEL_CODES[event.level]
        type_ = self.codes.intern(self.tx, "types", event.type)
        step = None if event.step is None else entry.fold.steps[event.step].number
        source = None if event.source is None else self.codes.intern(self.tx, "sources", event.source)
        place = place_check(entry.run, level, type_, step, source)
        shape = (level, type_, step, source, place)
        entry.shapes[event.type, event.level, event.step, event.source] = shape
        return shape

    def flush(self) -> None:
        """Writes everything added in this transaction."""
        tx, rows = self.tx, self._rows
        if rows:
            tx.executemany(INSERT_EVENTS, rows)
        self._ids.flush()
        changed = [entry for entry in self._touched.values() if entry.fold.last_seq != entry.saved_seq]
        if not changed:
            return
        self._save_runs(changed)
        steps, calls, slots, cold = [], [], [], []
        for entry in changed:
            fold, run, touched = entry.fold, entry.run, entry.fold.touched
            steps += [projection.step_row(run, step) for step in touched.steps.values()]
            calls += [projection.call_row(run, call) for call in touched.calls.values()]
            if touched.all_slots:
                tx.execute("DELETE FROM slots WHERE run = ?", (run,))
            for slot in fold.slots if touched.all_slots else touched.slots:
                events, warns, errors = fold.slots[slot]
                slots.append((run, slot, events, warns, errors))
            if touched.cold:
                cold.append((run, projection.json_text(fold.cold)))
        for sql, saved in (
            (projection.SAVE_STEP, steps),
            (projection.SAVE_CALL, calls),
            (projection.SAVE_SLOT, slots),
            (projection.SAVE_COLD, cold),
        ):
            if saved:
                tx.executemany(sql, saved)
        for entry, seq, event in self._artifacts:
            artifacts.insert(tx, entry.run, seq, event)
        for entry in changed:
            if entry.fold.last_seq - entry.checkpoint_seq >= checkpoints.spacing(entry.checkpoint_bytes):
                self._checkpoint(entry)

    def _save_runs(self, changed: list[Entry]) -> None:
        now = self.now_ms
        runs = [
            (*projection.run_row(e.fold), *projection.derived_row(e.fold, now), e.run, e.saved_seq)
            for e in changed
        ]
        if self.tx.executemany(projection.UPDATE_RUN, runs) != len(runs):
            raise Conflict("Another writer got between; nothing of this batch was stored.", code="lost_race")

    def _checkpoint(self, entry: Entry) -> None:
        fold = entry.fold
        if fold.step_numbers > len(fold.steps) or fold.open_calls > len(fold.calls):
            fold = loading.load_whole(self.tx, entry.run)
        state = checkpoints.pack(fold)
        self.tx.execute(
            "INSERT INTO checkpoints VALUES (?, ?, ?) ON CONFLICT (run, seq) DO UPDATE SET state = excluded.state",
            (entry.run, fold.last_seq, state),
        )
        self.tx.execute("UPDATE runs SET checkpoint_seq = ? WHERE run = ?", (fold.last_seq, entry.run))
        entry.checkpoint_seq, entry.checkpoint_bytes = fold.last_seq, len(state)

    def committed(self) -> None:
        """The transaction is durable: what was touched is now what is stored."""
        for entry in self._touched.values():
            fold = entry.fold
            entry.saved_seq = fold.last_seq
            fold.touched.clear()
            if len(fold.steps) > _CACHED_STEPS:
                fold.steps.clear()
                entry.shapes.clear()
            if len(fold.calls) > _CACHED_CALLS:
                fold.calls.clear()
            if fold.completed_at_ms is not None:
                self._cache.pop(fold.run_id, None)
        while len(self._cache) > _CACHED_RUNS:
            self._cache.popitem(last=False)
        self.codes.committed()
        self.figures.committed(len(self._rows))
        self._reset()

    def rolled_back(self) -> None:
        """Nothing of the transaction happened: what it touched is read anew next time."""
        for run_id in self._touched:
            self._cache.pop(run_id, None)
        self.codes.rolled_back()
        self.figures.rolled_back()
        self._reset()

    def forget_all(self) -> None:
        """Empties the cache, so that every run is read anew."""
        self._cache.clear()

    def _reset(self) -> None:
        self._touched.clear()
        self._locked = {}
        self._rows = []
        self._artifacts.clear()
