"""Checking one run's projections, which must be the fold of its log.

The log is folded once more. Closed calls, artifacts and checkpoints are compared as they pass, because the
fold does not keep them; the run, its steps, open calls and slots at the end.
"""

from __future__ import annotations

from typing import Any

import msgspec

from runline.fold.apply import apply
from runline.fold.state import RunFold, Touched
from runline.model.event import Event
from runline.store import artifacts, loading, projection
from runline.store.checkpoints import unpack
from runline.store.engine import Reading, Row
from runline.store.log_check import Report

_WHOLE = [name for name in RunFold.__struct_fields__ if name not in ("steps", "calls", "touched")]
_SHOWN_CHARS = 60


class ProjectionCheck:
    """Takes the events in order and reports where rows say something else."""

    def __init__(self, run: int, run_id: str, started_at_ms: int, source: Reading, report: Report) -> None:
        self._run = run
        self._report = report
        self._fold = RunFold(run_id, started_at_ms)
        self._checkpoints = {
            seq for (seq,) in source.execute("SELECT seq FROM checkpoints WHERE run = ?", (run,))
        }
        self._artifacts: dict[int, Row] = {}
        self._input: Any = None

    def fold_in(self, source: Reading, event: Event) -> None:
        """The next event; after a page of them comes `end_page`."""
        fold = self._fold
        apply(fold, event, event.seq)
        if event.seq == 1:
            self._input = event.data.get("input")
        if event.seq in fold.touched.artifacts[-1:]:
            self._artifacts[event.seq] = artifacts.artifact_row(self._run, event.seq, event)
        if event.seq in self._checkpoints:
            self._compare_checkpoint(source, event.seq)

    def end_page(self, source: Reading) -> None:
        """Compares what the fold is about to forget."""
        calls = self._fold.touched.calls
        closed = {
            seq: projection.call_row(self._run, call) for seq, call in calls.items() if call.status != "open"
        }
        self._compare_rows(source, "calls", f"{loading.SELECT_CALLS} AND first_seq", 1, closed)
        self._compare_rows(
            source,
            "artifacts",
            f"SELECT {artifacts.COLUMNS} FROM artifacts WHERE run = :run AND seq",
            1,
            self._artifacts,
        )
        self._artifacts.clear()
        self._fold.touched.clear()

    def end(self, source: Reading) -> None:
        """Compares everything else with the rows of this moment; the log must have been folded up to it."""
        fold = self._fold
        try:
            stored = loading.load_whole(source, self._run)
            said = source.execute("SELECT input FROM run_details WHERE run = ?", (self._run,))[0][0]
            given = None if said is None else msgspec.json.decode(said)
        except (LookupError, TypeError, ValueError) as error:
            self._report(None, "projection", f"the run's rows cannot be read: {error}")
            return
        for name in _WHOLE:
            self._compare(name, getattr(stored, name), getattr(fold, name))
        for noun in ("steps", "calls"):
            kept, own = getattr(stored, noun), getattr(fold, noun)
            for key in {**own, **kept}:
                self._compare(f"{noun} {key!r}", kept.get(key), own.get(key))
        self._compare("input", given, self._input)
        derived = source.execute("SELECT eta, fingerprint, usual FROM runs WHERE run = ?", (self._run,))[0]
        self._compare("eta, fingerprint, usual", derived, projection.derived_row(fold, 0)[:3])
        for table, count in (("calls", fold.call_count), ("artifacts", fold.artifact_count)):
            rows = source.execute(f"SELECT count(*) FROM {table} WHERE run = ?", (self._run,))
            self._compare(f"number of {table}", rows[0][0], count)

    def _compare_checkpoint(self, source: Reading, seq: int) -> None:
        rows = source.execute("SELECT state FROM checkpoints WHERE run = ? AND seq = ?", (self._run, seq))
        if rows and unpack(rows[0][0]) != msgspec.structs.replace(self._fold, touched=Touched()):
            self._report(seq, "checkpoint", "the checkpoint is not the fold of the events up to it")

    def _compare_rows(self, source: Reading, table: str, select: str, key: int, own: dict[int, Row]) -> None:
        if not own:
            return
        marks = ", ".join(map(str, own))
        kept = {row[key]: row for row in source.execute(f"{select} IN ({marks})", {"run": self._run})}
        for seq, row in own.items():
            if kept.get(seq) != row:
                self._report(seq, "projection", f"its row in {table} is not what the event says")

    def _compare(self, what: str, kept: object, own: object) -> None:
        if kept != own:
            self._report(None, "projection", f"{what}: {_short(kept)} is stored, the log says {_short(own)}")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else text[:_SHOWN_CHARS] + "…"
