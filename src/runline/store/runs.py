"""Runs: making, finding and listing them. Lists and heads read one row a run, never the log."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from runline.fold.state import Cold, RunFold
from runline.intake.accept import draft
from runline.intake.names import clean_name
from runline.model.clock import to_iso
from runline.model.errors import Conflict, Invalid, NotFound
from runline.model.event import Draft
from runline.model.ids import check_run_id, new_run_id
from runline.model.page import Page
from runline.model.run import Eta, LastNote, Run
from runline.model.step import Usual
from runline.store import idempotency, projection
from runline.store.append import Appender, Entry
from runline.store.engine import Row
from runline.store.locate import missing
from runline.store.search import RunFilter, run_where, status_sql
from runline.store.usual import usual_of_name
from runline.store.writer import Job

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

MAX_PAGE = 100
_SAME = (
    "run_id kind name parent_run_id original_run_id partial error_message window_start updated_at completed_at "
    "cancelled_at last_seq warn_count error_count total_tokens tokens_in tokens_out progress declared_steps "
    "announced_steps completed_steps failed_steps artifact_count call_count current_step current_step_index "
    "last_step last_message pinned note_count started_at"
).split()
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
    status, tenant, tags, eta, usual, seen_at, appended_at, host, pid, cancel, note, author, labels, *same = row
    at = dict(zip(_SAME, same, strict=True))
    declared, announced = at.pop("declared_steps"), at.pop("announced_steps")
    for name in ("window_start", "updated_at", "completed_at", "cancelled_at", "started_at"):
        at[f"{name}_ms"] = at.pop(name)
    for name in ("partial", "pinned"):
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
    t: int
    id: str


def decode_cursor(cursor: str) -> tuple[int, str]:
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        at = msgspec.json.decode(text, type=_Cursor)
        if abs(at.t) >= 2**62:
            raise ValueError(cursor)
    except (ValueError, binascii.Error, msgspec.MsgspecError) as error:
        raise Invalid(
            "The cursor is not one that this store gave out.", code="bad_cursor", fields={"cursor": "unreadable"}
        ) from error
    return at.t, at.id


def newest(store: SqlStore) -> int:
    """The private number of the newest run, whatever its tenant."""
    return int(store.engine.query("SELECT coalesce(max(run), 0) FROM runs")[0][0])


def since(store: SqlStore, run: int) -> list[Run]:
    """The tenant's runs made after the one of that private number."""
    rows = store.engine.query(
        f"{_SELECT} {_FROM} WHERE runs.run > :run "
        "AND (CAST(:tenant AS TEXT) IS NULL OR runs.tenant = :tenant) ORDER BY runs.run",
        {"run": run, "tenant": store.tenant, "now": store.clock.now_ms()},
    )
    return [run_of(row) for row in rows]


class NewRun(msgspec.Struct, kw_only=True):
    """What a run is made from; already checked and clean. `start` is its start event."""

    run_id: str
    tenant: str
    kind: str
    started_at_ms: int
    start: Draft
    input_json: str | None
    input_redacted: bool
    announced: tuple[str, int] | None
    """(host, pid) of a recorder that will renew its liveness."""
    idempotency_key: str | None
    digest: str


def prepare(
    store: SqlStore,
    name: str,
    *,
    kind: str,
    run_id: str | None,
    tenant: str,
    tags: Sequence[str],
    input: Any,
    parent_run_id: str | None,
    original_run_id: str | None,
    plan: Any,
    started_at_ms: int | None,
    announced: tuple[str, int] | None,
    idempotency_key: str | None,
) -> NewRun:
    """Checks and cleans what a caller wants; raises Invalid."""
    limits, now_ms = store.limits, store.clock.now_ms()
    if not name.strip():
        raise Invalid("A run needs a name.", fields={"name": "missing"})
    if isinstance(tags, str) or len(tags) > limits.tags:
        raise Invalid(f"tags is a list of at most {limits.tags} words.", fields={"tags": "too many"})
    if run_id is not None:
        check_run_id(run_id)
    if parent_run_id is not None and check_run_id(parent_run_id) == run_id:
        raise Invalid("A run cannot be its own parent.", fields={"parent_run_id": "the run itself"})
    value, redacted = store.redactor.input(input)
    input_json = None if value is None else projection.json_text(value)
    if input_json is not None and len(input_json.encode()) > limits.input_bytes:
        raise Invalid(
            f"The input is larger than {limits.input_bytes} bytes; put it in a file and name the file.",
            code="input_too_large",
            fields={"input": "too large"},
        )
    clean = clean_name(name.strip())
    started = now_ms if started_at_ms is None else started_at_ms
    usual = usual_of_name(store, tenant, clean)
    data: dict[str, Any] = {
        "name": clean,
        "kind": clean_name(kind) or "run",
        "tags": [clean_name(tag) for tag in tags],
        "started_at": to_iso(started),
        "tenant_id": tenant,
    }
    for key, given in (
        ("input", value),
        ("parent_run_id", parent_run_id),
        ("original_run_id", original_run_id),
        ("plan", plan),
        ("usual", usual),
    ):
        if given is not None:
            data[key] = given
    start = draft(
        "session_started" if data["kind"] == "session" else "run_started",
        "",
        data | ({"command": clean} if data["kind"] == "session" else {}),
        ts_ms=started,
        source="runline",
    )
    body = projection.json_text([clean, data["kind"], data["tags"], value, parent_run_id, run_id, plan])
    return NewRun(
        run_id=run_id or new_run_id(clean, started),
        tenant=tenant,
        kind=data["kind"],
        started_at_ms=started,
        start=start,
        input_json=input_json,
        input_redacted=redacted,
        announced=announced,
        idempotency_key=idempotency_key,
        digest=hashlib.sha256(body.encode()).hexdigest(),
    )


def create(store: SqlStore, new: NewRun) -> str:
    """Makes the run and its start event in one transaction; its id (an earlier one's for a repeated key)."""

    def perform(appender: Appender, drafts: Sequence[Draft]) -> str:
        if new.idempotency_key is not None:
            told = idempotency.lookup(appender, new.tenant, 0, new.idempotency_key, new.digest)
            if told is not None:
                return told.run_id
        insert(appender, new, drafts)
        if new.idempotency_key is not None:
            idempotency.remember(
                appender, new.tenant, 0, new.idempotency_key, new.digest, idempotency.Told(1, 1, 0, new.run_id)
            )
        return new.run_id

    return store.writer.submit(Job(perform, [new.start]))


def insert(appender: Appender, new: NewRun, drafts: Sequence[Draft]) -> Entry:
    """In the writer's transaction: the run's rows, then its first events. Raises Conflict for a taken id."""
    tx, now_ms = appender.tx, appender.now_ms
    if tx.execute("SELECT 1 FROM runs WHERE run_id = ?", (new.run_id,)):
        raise Conflict(f"There is already a run {new.run_id!r}; choose another id.", code="run_exists")
    tx.execute("DELETE FROM tombstones WHERE run_id = ?", (new.run_id,))
    fold = RunFold(new.run_id, new.started_at_ms)
    columns = ["tenant", "run_id", "started_at", "appended_at", "input_redacted", *projection.RUN_COLUMNS]
    values = (new.tenant, new.run_id, new.started_at_ms, now_ms, new.input_redacted, *projection.run_row(fold))
    run = tx.execute(
        f"INSERT INTO runs ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) RETURNING run", values
    )[0][0]
    tx.execute("INSERT INTO run_details VALUES (?, ?, ?)", (run, new.input_json, projection.json_text(Cold())))
    if new.announced is not None:
        tx.execute("INSERT INTO liveness VALUES (?, ?, ?, ?)", (run, now_ms, *new.announced))
    entry = Entry(run, new.tenant, fold, 0, 0)
    appender.adopt(entry)
    appender.add(entry, drafts)
    return entry


def pin(store: SqlStore, run_id: str, on: bool) -> None:
    """A pinned run is never pruned."""
    tenant = store.tenant

    def perform(appender: Appender, _: Sequence[Draft]) -> None:
        entry = appender.entry(run_id, tenant)
        appender.tx.execute("UPDATE runs SET pinned = ? WHERE run = ?", (on, entry.run))

    store.writer.submit(Job(perform))
