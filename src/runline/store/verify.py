"""Verifying that the log is what was written and that the projections are what the log says.

Every event is checked against its checksum, its neighbours and the dictionaries, then folded; checkpoints,
calls and artifacts are compared on the way, the rest at the end, in one state of the store. So it works on a
store in use and never holds a run in memory. A run whose log is hurt has nothing to compare with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from msgspec import Struct, field

from runline.model.errors import RunlineError
from runline.store import log
from runline.store.codes import Codes
from runline.store.engine import Reading
from runline.store.log import LogRow
from runline.store.log_check import Kind, LogCheck
from runline.store.projection_check import ProjectionCheck

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

MOST_PROBLEMS = 1_000


class Problem(Struct, frozen=True):
    """One thing that is wrong. `run_id` None: with the database; `seq` None: with the run as a whole."""

    run_id: str | None
    seq: int | None
    kind: Kind
    detail: str


class VerifyReport(Struct, frozen=True, kw_only=True):
    """What was looked at, and the first thousand of the `found` problems."""

    runs: int
    events: int
    found: int
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        return self.found == 0


class _Findings(Struct):
    found: int = 0
    problems: list[Problem] = field(default_factory=list)

    def add(self, run_id: str | None, seq: int | None, kind: Kind, detail: str) -> None:
        self.found += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(run_id, seq, kind, detail))


def verify(
    store: SqlStore, run_id: str | None = None, *, on_progress: Callable[[int], None] | None = None
) -> VerifyReport:
    """Checks the database, then one run, or all of the store (of its tenant). Raises NotFound."""
    findings, runs, events = _Findings(), 0, 0
    told = on_progress or (lambda _: None)
    if run_id is not None:
        store.locate(run_id)
    try:
        for (said,) in store.engine.query("/* check */ PRAGMA quick_check(100)"):
            if said != "ok":
                findings.add(None, None, "database", said)
    except RunlineError as error:
        findings.add(None, None, "database", error.message)
    for run, name in _runs(store, run_id):
        for checked in _RunCheck(store, findings, run, name).perform():
            told(events + checked)
        events += checked
        runs += 1
    if run_id is None and store.tenant is None:
        _find_orphans(store, findings)
    return VerifyReport(runs=runs, events=events, found=findings.found, problems=tuple(findings.problems))


def _runs(store: SqlStore, run_id: str | None) -> Iterator[tuple[int, str]]:
    pages = store.engine.pages(
        "SELECT run, run_id FROM runs WHERE run > :after AND (CAST(:run_id AS TEXT) IS NULL OR run_id = :run_id) "
        "AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant) ORDER BY run LIMIT :limit",
        {"after": 0, "run_id": run_id, "tenant": store.tenant},
        size=500,
    )
    for page in pages:
        yield from page


def _find_orphans(store: SqlStore, findings: _Findings) -> None:
    """Events of a run that does not exist: a bit of their run's number has changed."""
    after: int | None = -(2**63)
    while after is not None:
        after, seq, known = store.engine.query(
            "SELECT found.run, (SELECT min(seq) FROM events WHERE events.run = found.run), "
            "EXISTS (SELECT 1 FROM runs WHERE runs.run = found.run) "
            "OR EXISTS (SELECT 1 FROM garbage WHERE garbage.run = found.run) "
            "FROM (SELECT min(run) AS run FROM events WHERE run > ?) AS found",
            (after,),
        )[0]
        if after is not None and not known:
            findings.add(
                None, seq, "orphan", f"events of run number {after}, which does not exist, from seq {seq} on"
            )


class _RunCheck:
    """One run, page by page."""

    def __init__(self, store: SqlStore, findings: _Findings, run: int, run_id: str) -> None:
        self._store = store
        self._findings = findings
        self._hurt = False
        self._run = run
        self._run_id = run_id
        self._read_seq: int | None = None
        self._last_seq = 0
        self._log = LogCheck(run, log.Decoder(Codes(store.engine), run_id, {}), self._report_hurt)
        self._projections: ProjectionCheck | None = None

    def perform(self) -> Iterator[int]:
        """How many events have been looked at, after each page; in the end all that the run has."""
        more = True
        while more:
            try:
                with self._store.engine.snapshot() as source:
                    more = self._next_page(source)
            except RunlineError as error:
                more = self._one_by_one(error)
            yield self._log.events

    def _next_page(self, source: Reading) -> bool:
        heads = source.execute("SELECT last_seq, started_at FROM runs WHERE run = ?", (self._run,))
        if not heads:
            return False  # it was pruned meanwhile
        self._last_seq, started_at_ms = heads[0]
        if self._projections is None:
            self._projections = ProjectionCheck(self._run, self._run_id, started_at_ms, source, self._report)
        span = log.span(source, self._run, self._read_seq)
        if span is not None:
            low, highest = span
            high = min(highest, low + log.PAGE - 1)
            self._check(source, log.rows(source, self._run, low, high), self._projections)
            self._read_seq = high
            if high < highest:
                return True
        next_id = source.execute("SELECT value FROM counters WHERE name = 'next_event_id'")[0][0]
        self._log.end(self._last_seq, next_id)
        if not self._hurt:
            self._projections.end(source)
        return False

    def _check(self, source: Reading, rows: list[LogRow], projections: ProjectionCheck) -> None:
        steps = self._log.decoder.steps
        if any(row.step is not None and row.step not in steps for row in rows):
            steps.update(log.step_names(source, self._run))
        for row in rows:
            event = self._log.check(row)
            if event is not None and not self._hurt:
                projections.fold_in(source, event)
        if not self._hurt:
            projections.end_page(source)

    def _one_by_one(self, error: RunlineError) -> bool:
        """A page could not be read: names the events that cannot, and goes on behind it."""
        found = self._findings.found
        low = 1 if self._read_seq is None else self._read_seq + 1
        high = min(low + log.PAGE - 1, self._last_seq)
        for seq in range(low, high + 1):
            try:
                for row in log.rows(self._store.direct, self._run, seq, seq):
                    self._log.check(row)
            except RunlineError as reason:
                self._report_hurt(seq, "unreadable", reason.message)
                self._log.pass_over(seq)
        self._read_seq = high
        if self._findings.found == found:
            self._report_hurt(None, "unreadable", error.message)
        return high < self._last_seq

    def _report_hurt(self, seq: int | None, kind: Kind, detail: str) -> None:
        self._hurt = True
        self._report(seq, kind, detail)

    def _report(self, seq: int | None, kind: Kind, detail: str) -> None:
        self._findings.add(self._run_id, seq, kind, detail)
