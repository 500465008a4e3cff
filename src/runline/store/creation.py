"""Making a run: its rows and its start event in one transaction.

The start event carries everything that the run was made from, so that a run can be rebuilt from its log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from runline.fold.state import Cold, RunFold
from runline.intake.accept import body_digest, draft
from runline.intake.names import clean_name
from runline.intake.safe import safe
from runline.model.clock import MAX_MS, MIN_MS, to_iso
from runline.model.errors import Conflict, Invalid
from runline.model.event import Draft
from runline.model.ids import check_run_id, new_run_id
from runline.store import idempotency, projection
from runline.store.append import Appender
from runline.store.engine import Writing
from runline.store.entry import Entry
from runline.store.given import is_list, is_text
from runline.store.jobs import Job
from runline.store.liveness import RunWriter
from runline.store.usual import usual_of_name

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore


class _Start(msgspec.Struct):
    input: msgspec.Raw


_decode_start = msgspec.json.Decoder(_Start).decode


class NewRun(msgspec.Struct, kw_only=True):
    """What a run is made from; already checked and clean. `start` is its start event."""

    run_id: str
    tenant: str
    kind: str
    started_at_ms: int
    start: Draft
    input_json: str | None
    input_redacted: bool
    announced: RunWriter | None
    """A recorder that will renew its liveness."""
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
    announced: RunWriter | None,
    input_redacted: bool,
    idempotency_key: str | None,
) -> NewRun:
    """Checks and cleans what a caller wants; raises Invalid."""
    limits, now_ms = store.limits, store.clock.now_ms()
    check_tenant(tenant)
    if not is_text(name) or not name.strip():
        raise Invalid("A run needs a name.", fields={"name": "missing"})
    if not is_list(tags) or len(tags) > limits.tags:
        raise Invalid(f"tags is a list of at most {limits.tags} words.", fields={"tags": "not such a list"})
    if run_id is not None:
        check_run_id(run_id)
    if idempotency_key is not None:
        idempotency.check_key(idempotency_key)
    if parent_run_id is not None and check_run_id(parent_run_id, field="parent_run_id") == run_id:
        raise Invalid("A run cannot be its own parent.", fields={"parent_run_id": "the run itself"})
    if original_run_id is not None:
        check_run_id(original_run_id, field="original_run_id")
    value, redacted = store.redactor.input(input)
    if value is not None and len(projection.json_text(value).encode()) > limits.input_bytes:
        raise Invalid(
            f"The input is larger than {limits.input_bytes} bytes; put it in a file and name the file.",
            code="input_too_large",
            fields={"input": "too large"},
        )
    clean = clean_name(name, redactor=store.redactor)
    started = now_ms if started_at_ms is None else started_at_ms
    if not MIN_MS <= started <= MAX_MS:
        raise Invalid(
            "A run starts in the years 1 to 9999.", fields={"started_at": "outside the years 1 to 9999"}
        )
    usual = usual_of_name(store, tenant, clean)
    plan = None if plan is None else safe(plan, exempt=True)
    data: dict[str, Any] = {
        "name": clean,
        "kind": clean_name(kind, redactor=store.redactor) or "run",
        "tags": [word for tag in tags if (word := clean_name(tag, redactor=store.redactor))],
        "started_at": to_iso(started),
        "tenant_id": tenant,
    }
    given = {
        "input": value,
        "parent_run_id": parent_run_id,
        "original_run_id": original_run_id,
        "plan": plan,
        "usual": usual,
        "command": clean if data["kind"] == "session" else None,
    }
    data |= {key: value for key, value in given.items() if value is not None}
    start = draft(
        "session_started" if data["kind"] == "session" else "run_started",
        "",
        data,
        ts_ms=started,
        source="runline",
    )
    body = [name, kind, list(tags), input, parent_run_id, original_run_id, run_id, plan, started_at_ms]
    return NewRun(
        run_id=run_id or new_run_id(clean, started),
        tenant=tenant,
        kind=data["kind"],
        started_at_ms=started,
        start=start,
        # As the start event has it: there it lies one level deeper, and may have been cut.
        input_json=None if value is None else bytes(_decode_start(start.payload).input).decode(),
        input_redacted=redacted or input_redacted,
        announced=None if announced is None else announced.clean(store.redactor),
        idempotency_key=idempotency_key,
        digest=body_digest([body]),
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
                appender,
                new.tenant,
                0,
                new.idempotency_key,
                new.digest,
                idempotency.Told(1, 1, 0, new.run_id),
            )
        return new.run_id

    return store.writer.submit(Job(perform, [new.start]))


def free_id(tx: Writing, run_id: str, tenant: str) -> None:
    """A pruned run's id may come back, but only to its own tenant. Raises Conflict."""
    tx.execute("DELETE FROM tombstones WHERE run_id = ? AND tenant = ?", (run_id, tenant))
    if tx.execute("SELECT 1 FROM tombstones WHERE run_id = ?", (run_id,)):
        raise Conflict(f"There is already a run {run_id!r}; choose another id.", code="run_exists")


def check_tenant(tenant: str, *, field: str = "tenant") -> str:
    """A tenant's name, unchanged. Raises Invalid, about that field, when it may not be one."""
    if not is_text(tenant) or not tenant or not tenant.isprintable() or clean_name(tenant) != tenant:
        raise Invalid(
            "A tenant's name is 1 to 200 printable characters without a secret in them.",
            code="bad_tenant",
            fields={field: "not a tenant's name"},
        )
    return tenant


def insert(appender: Appender, new: NewRun, drafts: Sequence[Draft]) -> Entry:
    """In the writer's transaction: the run's rows, then its first events. Raises Conflict for a taken id."""
    tx, now_ms = appender.tx, appender.now_ms
    if tx.execute("SELECT 1 FROM runs WHERE run_id = ?", (new.run_id,)):
        raise Conflict(f"There is already a run {new.run_id!r}; choose another id.", code="run_exists")
    free_id(tx, new.run_id, new.tenant)
    fold = RunFold(new.run_id, new.started_at_ms)
    columns = ["tenant", "run_id", "started_at", "appended_at", "input_redacted", *projection.RUN_COLUMNS]
    values = (
        new.tenant,
        new.run_id,
        new.started_at_ms,
        now_ms,
        new.input_redacted,
        *projection.run_row(fold),
    )
    run = tx.execute(
        f"INSERT INTO runs ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))}) RETURNING run",
        values,
    )[0][0]
    tx.execute(
        "INSERT INTO run_details VALUES (?, ?, ?)", (run, new.input_json, projection.json_text(Cold()))
    )
    if new.announced is not None:
        tx.execute(
            "INSERT INTO liveness VALUES (?, ?, ?, ?)", (run, now_ms, new.announced.host, new.announced.pid)
        )
    entry = Entry(run, new.tenant, fold, 0, 0)
    appender.adopt(entry)
    appender.add(entry, drafts)
    return entry
