"""Answers already given: a request that is repeated with its key gets the first answer again.

A key is remembered for 24 hours, an `event_id` as long as its run. The same key with another body is a
Conflict, never a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from runline.model.errors import Conflict, Invalid
from runline.model.event import Draft
from runline.store.append import Appender
from runline.store.entry import Entry, Placed

KEPT_MS = 24 * 3600 * 1000
_MAX_KEY = 255


class Told(Struct, frozen=True):
    """What was answered: seqs `first_seq` … `last_seq` (none when first > last) of a run."""

    first_seq: int
    last_seq: int
    not_stored: int
    run_id: str


def check_key(key: str) -> str:
    if not 1 <= len(key) <= _MAX_KEY or "\0" in key or not key.isprintable():
        raise Invalid(
            f"An idempotency key is 1 to {_MAX_KEY} printable characters.",
            code="bad_idempotency_key",
            fields={"idempotency_key": "not a valid key"},
        )
    return key


def lookup(appender: Appender, tenant: str, run: int, key: str, digest: str) -> Told | None:
    """The answer given before, None when the key is new. Raises Conflict for another body."""
    rows = appender.tx.execute(
        "SELECT digest, first_seq, last_seq, not_stored, run_id FROM idempotency "
        "WHERE tenant = ? AND run = ? AND key = ? AND expires_at > ?",
        (tenant, run, key, appender.now_ms),
    )
    if not rows:
        return None
    if rows[0][0] != digest:
        raise Conflict(
            "This idempotency key was used with another body; use a new key for a new request.",
            code="idempotency_conflict",
        )
    return Told(*rows[0][1:])


def remember(appender: Appender, tenant: str, run: int, key: str, digest: str, told: Told) -> None:
    """Keeps the answer, and forgets some that have expired."""
    appender.tx.execute(
        "DELETE FROM idempotency WHERE (tenant, run, key) IN "
        "(SELECT tenant, run, key FROM idempotency WHERE expires_at <= ? LIMIT 10)",
        (appender.now_ms,),
    )
    appender.tx.execute(
        "DELETE FROM idempotency WHERE tenant = ? AND run = ? AND key = ? AND expires_at <= ?",
        (tenant, run, key, appender.now_ms),
    )
    # Where two make the same request at once, the second one fails here and, tried again, finds the first's answer.
    appender.tx.execute(
        "INSERT INTO idempotency VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            tenant,
            run,
            key,
            digest,
            told.first_seq,
            told.last_seq,
            told.not_stored,
            told.run_id,
            appender.now_ms + KEPT_MS,
        ),
    )


def split_known(
    appender: Appender, entry: Entry, drafts: Sequence[Draft]
) -> tuple[list[Draft], list[int | None]]:
    """The drafts that are new, and for each draft of the request the seq it already has (None: new).

    A repeated `event_id` inside the request counts as known too: its seq is negative, −1 − its place
    among the new ones. Raises Conflict when an `event_id` comes back with another body.
    """
    fresh: list[Draft] = []
    seqs: list[int | None] = []
    seen: dict[str, tuple[str | None, int]] = {}
    for draft in drafts:
        if draft.event_id is None:
            seqs.append(None)
            fresh.append(draft)
            continue
        if draft.event_id in seen:
            digest, at = seen[draft.event_id]
            seq = -1 - at
        else:
            rows = appender.tx.execute(
                "SELECT digest, seq FROM event_ids WHERE run = ? AND event_id = ?",
                (entry.run, draft.event_id),
            )
            if not rows:
                seen[draft.event_id] = (draft.digest, len(fresh))
                seqs.append(None)
                fresh.append(draft)
                continue
            digest, seq = rows[0]
        if digest != draft.digest:
            raise Conflict(
                f"event_id {draft.event_id!r} was used with another body; an event never changes.",
                code="event_id_conflict",
            )
        seqs.append(seq)
    return fresh, seqs


def repeated(appender: Appender, entry: Entry, drafts: Sequence[Draft], told: Told) -> list[int | None]:
    """The seqs that the first answer gave: of the events that were new then, and of those known before by id."""
    _, known = split_known(appender, entry, drafts)
    first: dict[str, int] = {}
    new: list[int] = []
    for at, (draft, seq) in enumerate(zip(drafts, known, strict=True)):
        if draft.event_id is None or (
            first.setdefault(draft.event_id, at) == at and (seq is None or seq >= told.first_seq)
        ):
            new.append(at)
    answer = known
    places = Placed(told.first_seq, told.last_seq, 0, told.not_stored).seqs([drafts[at] for at in new])
    for at, place in zip(new, places, strict=True):
        answer[at] = place
    return [
        seq if draft.event_id is None else answer[first[draft.event_id]]
        for draft, seq in zip(drafts, answer, strict=True)
    ]


def remember_events(appender: Appender, entry: Entry, stored: Iterable[tuple[Draft, int | None]]) -> None:
    """Keeps the event ids of what was just stored, each with its seq (None: it was not)."""
    rows = [
        (entry.run, draft.event_id, seq, draft.digest)
        for draft, seq in stored
        if draft.event_id is not None and seq is not None
    ]
    if rows:
        appender.tx.executemany("INSERT INTO event_ids VALUES (?, ?, ?, ?)", rows)
