"""What a caller of `append` and `end_run` hands over, and what it gets back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from runline.intake.accept import accept, body_digest
from runline.model.errors import Invalid, RunEnded
from runline.model.event import Draft, Event
from runline.model.status import END_STATUSES
from runline.store import events, idempotency
from runline.store.append import Appender
from runline.store.idempotency import Told
from runline.store.jobs import Job
from runline.store.search import EventFilter

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


class Appended(Struct, frozen=True):
    """Where each event of a request went, in request order (None: beyond the run's limit, not stored)."""

    seqs: tuple[int | None, ...]
    not_stored: int
    first: tuple[int, int] | None = None
    """seq and id of the first that is new; None: all had been stored before."""


def append(
    store: SqlStore, run_id: str, given: Iterable[Mapping[str, Any]], *, idempotency_key: str | None
) -> Appended:
    """Durable when it returns. Raises NotFound, RunEnded, Conflict, Invalid, StoreFull, Unavailable."""
    return begin(store, run_id, given, idempotency_key=idempotency_key).result()


def begin(
    store: SqlStore,
    run_id: str,
    given: Iterable[Mapping[str, Any]],
    *,
    idempotency_key: str | None,
    digest: str | None = None,
) -> Future[Appended]:
    """Hands the events to the writer; what `append` returns or raises once they are durable.

    `digest`: of what the caller asked for, when the events are not just that. Raises at once what can be told
    without the store: Invalid, Unavailable.
    """
    bodies = list(given)
    drafts = _accepted(store, bodies)
    if idempotency_key is None:
        digest = ""
    else:
        idempotency.check_key(idempotency_key)
        digest = digest or body_digest(bodies)
    return store.writer.enqueue(
        Job(_appending(store, run_id, idempotency_key, digest), drafts, run_id=run_id)
    )


def _accepted(store: SqlStore, bodies: Sequence[Mapping[str, Any]]) -> list[Draft]:
    now_ms, drafts = store.clock.now_ms(), list[Draft]()
    try:
        for raw in bodies:
            drafts.append(accept(raw, now_ms=now_ms, limits=store.limits, redactor=store.redactor))
    except Invalid as error:
        if len(bodies) == 1:
            raise
        at = len(drafts)
        raise Invalid(
            f"Event {at + 1} of {len(bodies):,}: {error.message}",
            code=error.code,
            fields={f"events[{at}].{name}": told for name, told in error.fields.items()},
        ) from error
    return drafts


def _appending(
    store: SqlStore, run_id: str, key: str | None, digest: str
) -> Callable[[Appender, Sequence[Draft]], Appended]:
    tenant = store.tenant

    def perform(appender: Appender, drafts: Sequence[Draft]) -> Appended:
        entry = appender.entry(run_id, tenant)
        if key is not None:
            told = idempotency.lookup(appender, entry.tenant, entry.run, key, digest)
            if told is not None:
                return Appended(tuple(idempotency.repeated(appender, entry, drafts, told)), told.not_stored)
        fresh, known = idempotency.split_known(appender, entry, drafts)
        if not fresh:
            if not known and entry.fold.completed_at_ms is not None:
                raise RunEnded(f"Run {run_id} has ended; nothing can follow its end event.")
            if key is not None:
                empty = Told(entry.fold.last_seq + 1, entry.fold.last_seq, 0, run_id)
                idempotency.remember(appender, entry.tenant, entry.run, key, digest, empty)
            return Appended(tuple(known), 0)
        placed = appender.add(entry, fresh)
        places = placed.seqs(fresh)
        idempotency.remember_events(appender, entry, zip(fresh, places, strict=True))
        if key is not None:
            told = Told(placed.first_seq, placed.last_seq, placed.not_stored, run_id)
            idempotency.remember(appender, entry.tenant, entry.run, key, digest, told)
        new = iter(places)
        answered = (next(new) if seq is None else places[-1 - seq] if seq < 0 else seq for seq in known)
        return Appended(tuple(answered), placed.not_stored, (placed.first_seq, placed.first_id))

    return perform


def told_events(store: SqlStore, run_id: str, appended: Appended) -> list[Event]:
    """The stored events of an answer, in request order; what was not stored is left out."""
    seqs = [seq for seq in appended.seqs if seq is not None]
    found = _stored(store, run_id, seqs)
    return [found[seq] for seq in seqs]


def told_ids(store: SqlStore, run_id: str, appended: Appended) -> list[int | None]:
    """The ids of an answer's events, in request order, None for what was not stored. Reads only older ones."""
    first_seq, first_id = appended.first or (sys.maxsize, 0)
    older = _stored(store, run_id, [seq for seq in appended.seqs if seq is not None and seq < first_seq])
    shift = first_id - first_seq
    return [
        None if seq is None else seq + shift if seq >= first_seq else older[seq].id for seq in appended.seqs
    ]


def _stored(store: SqlStore, run_id: str, seqs: Iterable[int]) -> dict[int, Event]:
    found: dict[int, Event] = {}
    for low in _starts(sorted(set(seqs))):
        for event in events.read(store, run_id, EventFilter(), after_seq=low - 1, limit=events.MAX_PAGE):
            found[event.seq] = event
    return found


def _starts(seqs: list[int]) -> Iterable[int]:
    """Where pages of the log begin that together hold all of the ascending seqs."""
    covered = 0
    for seq in seqs:
        if seq > covered:
            covered = seq + events.MAX_PAGE - 1
            yield seq


def end_event(kind: str, status: str, error: str | None) -> dict[str, Any]:
    """The end event of a run of that kind; its sentence is the catalogue's."""
    if status not in END_STATUSES:
        raise Invalid(
            f"{status[:60]!r} is no end status; one of {', '.join(END_STATUSES)}.",
            fields={"status": "unknown"},
        )
    return {
        "type": "session_ended" if kind == "session" else "run_ended",
        "data": {"status": status} | ({} if error is None else {"error": error}),
        "source": "runline",
    }
