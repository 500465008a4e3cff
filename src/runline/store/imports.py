"""Taking in an exported run: all of it or nothing, whatever its size.

The events are written in short turns under a run number that nobody can see yet, because it stands in
`garbage`; the last turn gives the run its row and takes the number out. What a failure or a crash leaves is
garbage like any other. An import is history: `follow` reads it like any run, but it is not news to those who
follow all runs.

A document of another program, which does not begin with a start event, gets one in front, and an end event
behind when it says how the run ended; its events keep their order and times, and move by one seq.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from runline.intake.accept import accept, draft, still_blank
from runline.intake.instants import read_instant
from runline.intake.names import clean_name
from runline.model.catalogue import END_TYPES, START_TYPES
from runline.model.clock import to_iso
from runline.model.errors import Conflict, Invalid, RunlineError
from runline.model.event import Draft
from runline.model.ids import check_run_id
from runline.model.run import Run
from runline.model.status import END_STATUSES
from runline.store import garbage, notes, runs
from runline.store.creation import check_tenant
from runline.store.hidden_run import HiddenRun
from runline.store.turns import Turns

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

DEFAULT_TENANT = "default"


def import_run(
    store: SqlStore,
    run: Mapping[str, Any],
    events: Iterable[Mapping[str, Any]],
    note_items: Iterable[Mapping[str, Any]],
    *,
    as_id: str | None,
) -> Run:
    """Takes in a run with its events in order and its notes; see `Store.import_run`.

    `run` is a RunSummary, of which `run_id`, `tenant_id`, `pinned` and, where the log does not tell them,
    `pipeline_name`, `kind`, `status` and `started_at` are read; the rest is the fold of the events. A tenant's
    view of the store takes it in as that tenant's. Everything is redacted again.
    """
    run_id = check_run_id(run.get("run_id", "") if as_id is None else as_id)
    tenant = check_tenant(run.get("tenant_id") or DEFAULT_TENANT if store.tenant is None else store.tenant)
    _refuse_taken(store, run_id)
    started_at_ms, _ = read_instant(run.get("started_at"), store.clock.now_ms())
    turns = Turns(store.engine, store.writer)
    hidden = HiddenRun(store, turns, run_id, tenant, started_at_ms)
    try:
        reader = _Drafts(store, run, events, started_at_ms)
        drafts = iter(reader)
        while batch := list(islice(drafts, max(100, turns.size))):
            hidden.append(store.redactor.batch(batch))
        hidden.publish(
            [_note_row(store, item, reader.shift) for item in note_items], pinned=run.get("pinned") is True
        )
    except BaseException:
        with suppress(RunlineError):
            hidden.abandon()
            garbage.collect(store, turns)
        raise
    store.wake.notify()
    return runs.get(store, run_id)


def _refuse_taken(store: SqlStore, run_id: str) -> None:
    if store.engine.query("SELECT 1 FROM runs WHERE run_id = ?", (run_id,)):
        raise Conflict(f"There is already a run {run_id!r}; import it under another id.", code="run_exists")


class _Drafts:
    """The events as drafts, in order, their seqs checked. `shift`: what is added to a seq of the file."""

    def __init__(
        self, store: SqlStore, run: Mapping[str, Any], events: Iterable[Mapping[str, Any]], started_at_ms: int
    ) -> None:
        self._store = store
        self._run = run
        self._events = iter(events)
        self._at_ms = started_at_ms
        self.shift = 0

    def __iter__(self) -> Iterator[Draft]:
        first = next(self._events, None)
        if first is None:
            raise Invalid("The run has no events.", code="bad_export", fields={"events": "empty"})
        said = first.get("type") if isinstance(first, Mapping) else None
        foreign = not (isinstance(said, str) and said in START_TYPES)
        if foreign:
            yield self._start()
        last_type = ""
        for at, raw in enumerate(chain([first], self._events), 2 if foreign else 1):
            event = accept(raw, now_ms=self._at_ms, limits=self._store.limits, redactor=self._store.redactor)
            if not foreign:
                event = still_blank(event, raw.get("message"))
            self._check_seq(raw.get("seq"), at, foreign=foreign)
            if last_type in END_TYPES:
                raise Invalid(f"Event {at - self.shift} follows the end event.", code="bad_export")
            self._at_ms, last_type = event.ts_ms, event.type
            yield event
        if foreign and last_type not in END_TYPES and self._run.get("status") in END_STATUSES:
            yield self._end()

    def _check_seq(self, seq: object, at: int, *, foreign: bool) -> None:
        if foreign and at == 2:
            self.shift = 2 if seq == 0 else 1  # a foreign index may count from 0
        if seq is not None and (type(seq) is not int or seq + self.shift != at):
            raise Invalid(
                f"Event {at - self.shift} has the seq {str(seq)[:40]}; the seqs of a run are 1, 2, 3 and so on.",
                code="bad_export",
                fields={"seq": "not gapless"},
            )

    def _start(self) -> Draft:
        run, started_at = self._run, to_iso(self._at_ms)
        name = clean_name(run.get("pipeline_name") or run.get("run_id") or "", redactor=self._store.redactor)
        data = {
            "name": name,
            "kind": clean_name(run.get("kind") or "run", redactor=self._store.redactor),
            "started_at": started_at,
        }
        return draft(
            "run_started", "", data, ts_ms=self._at_ms, source="runline", redactor=self._store.redactor
        )

    def _end(self) -> Draft:
        status = self._run["status"]
        at_ms, _ = read_instant(self._run.get("completed_at"), self._at_ms)
        return draft("run_ended", "", {"status": status}, ts_ms=at_ms, source="runline")


def _note_row(store: SqlStore, item: Mapping[str, Any], shift: int) -> tuple[Any, ...]:
    """Created at, author, note, labels, actions (as texts), event seq."""
    text, author = item.get("note"), item.get("author")
    labels, actions, seq = item.get("labels") or [], item.get("actions") or [], item.get("event_index")
    if (
        not isinstance(text, str)
        or not isinstance(author, str | None)
        or not isinstance(labels, list)
        or not isinstance(actions, list)
        or not (seq is None or type(seq) is int)
    ):
        raise Invalid("A note of the file is not one.", code="bad_export", fields={"notes": "not notes"})
    created_at_ms, _ = read_instant(item.get("created_at_utc"), store.clock.now_ms())
    note, who, labels_, actions_ = notes.cleaned(store, text, author, labels, actions)
    return (created_at_ms, who, note, labels_, actions_, None if seq is None else seq + shift)
