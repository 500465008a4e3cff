"""Runs: finding and listing them. Lists and heads read one row a run, never the log."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec

from runline.model.errors import Invalid, NotFound
from runline.model.event import Draft
from runline.model.page import Page
from runline.model.run import Eta, LastNote, Run
from runline.model.step import Usual
from runline.store import audit
from runline.store.append import Appender
from runline.store.engine import Row
from runline.store.jobs import Job
from runline.store.locate import missing
from runline.store.search import RunFilter, run_where, status_sql

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

MAX_PAGE = 100
_SAME = [
    "run_id",
    "kind",
    "name",
    "parent_run_id",
    "original_run_id",
    "partial",
    "error_message",
    "window_start",
    "updated_at",
    "completed_at",
    "cancelled_at",
    "last_seq",
    "warn_count",
    "error_count",
    "total_tokens",
    "tokens_in",
    "tokens_out",
    "progress",
    "declared_steps",
    "announced_steps",
    "completed_steps",
    "failed_steps",
    "artifact_count",
    "call_count",
    "current_step",
    "current_step_index",
    "last_step",
    "last_message",
    "pinned",
    "input_redacted",
    "note_count",
    "started_at",
]
_FROM = (
    "FROM runs LEFT JOIN liveness ON liveness.run = runs.run "
    "LEFT JOIN cancellations ON cancellations.run = runs.run "
    "LEFT JOIN notes ON runs.note_count > 0 AND notes.id = (SELECT n.id FROM notes AS n WHERE n.run = runs.run "
    "ORDER BY n.created_at DESC, n.id DESC LIMIT 1)"
)
_SELECT = (
    f"SELECT {status_sql(':now')}, runs.tenant, runs.tags, runs.eta, runs.usual, liveness.seen_at, runs.appended_at, "
    "liveness.host, liveness.pid, cancellations.run IS NOT NULL, notes.note, notes.author, notes.labels, "
    + ", ".join(f"runs.{column}" for column in _SAME)
)
_decode_eta = msgspec.json.Decoder(Eta).decode
_decode_usual = msgspec.json.Decoder(Usual).decode
_decode_texts = msgspec.json.Decoder(tuple[str, ...]).decode


def run_of(row: Row, input_json: str | None = None) -> Run:
    """A row of `_SELECT` as a Run."""
    status, tenant, tags, eta, usual, seen_at, appended_at, host, pid, cancel, note, author, labels, *same = (
        row
    )
    at = dict(zip(_SAME, same, strict=True))
    declared, announced = at.pop("declared_steps"), at.pop("announced_steps")
    for name in ("window_start", "updated_at", "completed_at", "cancelled_at", "started_at"):
        at[f"{name}_ms"] = at.pop(name)
    for name in ("partial", "pinned", "input_redacted"):
        at[name] = bool(at[name])
    return Run(
        status=status,
        tenant_id=tenant,
        tags=_decode_texts(tags),
        eta=None if eta is None or at["completed_at_ms"] is not None else _decode_eta(eta),
        usual=None if usual is None else _decode_usual(usual),
        last_seen_at_ms=appended_at if seen_at is None else seen_at,
        host=host,
        pid=pid,
        cancel_requested=bool(cancel),
        last_note=None if note is None else LastNote(note, author, _decode_texts(labels)),
        input_json=input_json,
        event_count=at["last_seq"],
        total_steps=max(declared, announced),
        **at,
    )


def get(store: SqlStore, run_id: str) -> Run:
    rows = store.engine.query(
        f"{_SELECT}, run_details.input {_FROM} JOIN run_details ON run_details.run = runs.run "
        "WHERE runs.run_id = :run_id AND (CAST(:tenant AS TEXT) IS NULL OR runs.tenant = :tenant)",
        {"run_id": run_id, "tenant": store.tenant, "now": store.clock.now_ms()},
    )
    if not rows:
        raise missing(store.direct, run_id, store.tenant)
    return run_of(rows[0][:-1], rows[0][-1])


def try_get(store: SqlStore, run_id: str) -> list[Run]:
    """The run, or nothing when it is gone."""
    try:
        return [get(store, run_id)]
    except NotFound:
        return []


def listed(
    store: SqlStore, wanted: RunFilter, *, limit: int, before: tuple[int, str] | None = None
) -> list[Run]:
    """Newest first: `started_at` DESC, `run_id` DESC, from after the run at `before`."""
    now_ms = store.clock.now_ms()
    where = run_where(wanted, store.tenant, now_ms)
    if before is not None:
        where.add(f"(runs.started_at, runs.run_id) < ({where.bind(before[0])}, {where.bind(before[1])})")
    rows = store.engine.query(
        f"{_SELECT} {_FROM} WHERE {where.sql} ORDER BY runs.started_at DESC, runs.run_id DESC LIMIT :limit",
        {**where.parameters, "limit": limit, "now": now_ms},
    )
    return [run_of(row) for row in rows]


def page(store: SqlStore, wanted: RunFilter, *, limit: int, cursor: str | None) -> Page[Run]:
    found = listed(store, wanted, limit=limit + 1, before=None if cursor is None else decode_cursor(cursor))
    items, more = found[:limit], len(found) > limit
    return Page(items, encode_cursor(items[-1]) if more else None, more)


def encode_cursor(run: Run) -> str:
    """base64url of JSON `{t (ms), id}`."""
    text = msgspec.json.encode({"t": run.started_at_ms, "id": run.run_id})
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


class _Cursor(msgspec.Struct):
    t: Annotated[int, msgspec.Meta(ge=-(2**62), le=2**62)]
    id: str


def decode_cursor(cursor: str) -> tuple[int, str]:
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        at = msgspec.json.decode(text, type=_Cursor)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise Invalid(
            "The cursor is not one that this store gave out.",
            code="bad_cursor",
            fields={"cursor": "unreadable"},
        ) from error
    return at.t, at.id


class Head(NamedTuple):
    """How far a run has come."""

    last_seq: int
    ended: bool


def heads(store: SqlStore, run_ids: Sequence[str]) -> dict[str, Head]:
    """Those of the runs that the tenant has, in one query whatever their number."""
    rows = store.engine.query(
        "SELECT run_id, last_seq, completed_at IS NOT NULL FROM runs "
        "WHERE run_id IN (SELECT value FROM json_each(:ids)) AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)",
        {"ids": msgspec.json.encode(list(run_ids)).decode(), "tenant": store.tenant},
    )
    return {run_id: Head(last_seq, bool(ended)) for run_id, last_seq, ended in rows}


def newest(store: SqlStore) -> int:
    """The private number of the newest run, whatever its tenant."""
    return int(store.engine.query("SELECT coalesce(max(run), 0) FROM runs")[0][0])


def between(store: SqlStore, after: int, upto: int) -> list[Run]:
    """The tenant's runs with private numbers above `after`, up to `upto`."""
    rows = store.engine.query(
        f"{_SELECT} {_FROM} WHERE runs.run > :after AND runs.run <= :upto "
        "AND (CAST(:tenant AS TEXT) IS NULL OR runs.tenant = :tenant) ORDER BY runs.run",
        {"after": after, "upto": upto, "tenant": store.tenant, "now": store.clock.now_ms()},
    )
    return [run_of(row) for row in rows]


def pin(store: SqlStore, run_id: str, on: bool) -> None:
    """A pinned run is never pruned."""
    tenant = store.tenant

    def perform(appender: Appender, _: Sequence[Draft]) -> None:
        entry = appender.entry(run_id, tenant)
        appender.tx.execute("UPDATE runs SET pinned = ? WHERE run = ?", (on, entry.run))
        audit.write(store, appender.tx, "pin", target=run_id, tenant=entry.tenant, pinned=bool(on))

    store.writer.submit(Job(perform))
