"""Making runs and reading many of them, over the wire."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from runline.intake.names import clean_name
from runline.intake.redact import Redactor
from runline.intake.safe import safe
from runline.model.clock import parse_instant, to_iso
from runline.model.errors import Invalid, Unavailable
from runline.model.ids import check_run_id, new_run_id
from runline.model.limits import Limits
from runline.model.page import Page
from runline.model.run import Run
from runline.model.wire.runs import RunDetail, RunList, RunSummary, run_of
from runline.store.remote.client import Client, part
from runline.store.remote.outgoing import plain
from runline.store.remote.parcel import Parcel, new_key
from runline.store.remote.writer import RemoteWriter

_PATIENCE_S = 10.0
"""For which a program waits before it starts without the server."""
_IMPORT_S = 3600.0


class Detail(msgspec.Struct):
    """Of the answer about one run, the run."""

    run: RunDetail


DEFAULT_TENANT = "default"


def creation(
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
    redactor: Redactor,
    limits: Limits,
) -> dict[str, Any]:
    """The body that asks for a run; what is wrong with it the server says. Raises Invalid for too large an input."""
    value, redacted = redactor.input(input)
    if value is not None and len(msgspec.json.encode(value)) > limits.input_bytes:
        raise Invalid(
            f"The input is larger than {limits.input_bytes} bytes; put it in a file and name the file.",
            code="input_too_large",
            fields={"input": "too large"},
        )
    body = {
        "name": plain(name, redactor),
        "kind": plain(kind, redactor),
        "run_id": run_id,
        # Nobody named one: the server takes that of the token.
        "tenant_id": None if tenant == DEFAULT_TENANT else tenant,
        "tags": [plain(tag, redactor) for tag in tags]
        if isinstance(tags, list | tuple | set | frozenset)
        else safe(tags),
        "input": value,
        "input_redacted": redacted or None,
        "parent_run_id": parent_run_id,
        "original_run_id": original_run_id,
        "plan": None if plan is None else plain(plan, redactor),
        "started_at": None if started_at_ms is None else to_iso(started_at_ms),
    }
    return {field: given for field, given in body.items() if given is not None}


def create(client: Client, body: Mapping[str, Any], key: str | None) -> Run:
    """One try, more with a key."""
    return run_of(client.post("/api/runs", RunSummary, body, key=key))


def announce(client: Client, writer: RemoteWriter, body: dict[str, Any], now_ms: int) -> Run:
    """Makes a recorder's run, on the server or, while that is away, here: the creation is then sent later.

    Raises what the server refuses, and Unavailable when it can neither be told nor kept.
    """
    started = body.setdefault("started_at", to_iso(now_ms))
    if "run_id" not in body:
        name = clean_name(body["name"], redactor=writer.redactor)
        if not name:
            raise Invalid("A run needs a name.", fields={"name": "missing"})
        body["run_id"] = new_run_id(name, now_ms)
    check_run_id(body["run_id"])
    body["host"], body["pid"] = socket.gethostname(), os.getpid()
    content = msgspec.json.encode(body)
    key = new_key()
    if not writer.outbox.away:
        try:
            told = client.send("POST", "/api/runs", RunSummary, content, key=key, timeout_s=_PATIENCE_S)
            return run_of(told)
        except Unavailable as error:
            trouble = error
    else:
        trouble = Unavailable(f"{client.url} is away.", code="unreachable")
    kept = Parcel(
        kind="create",
        run_id=body["run_id"],
        key=key,
        body=content.decode(),
        vital=True,
        size=len(content),
    )
    if not writer.hold(kept):
        raise trouble
    return _not_yet_told(body, started, now_ms)


def _not_yet_told(body: Mapping[str, Any], started: str, now_ms: int) -> Run:
    started_ms = parse_instant(started)
    return Run(
        run_id=body["run_id"],
        tenant_id=body.get("tenant_id", DEFAULT_TENANT),
        kind=body.get("kind") or "run",
        name=body["name"],
        status="running",
        started_at_ms=started_ms,
        updated_at_ms=started_ms,
        window_start_ms=started_ms,
        tags=tuple(body.get("tags", ())),
        input_redacted=bool(body.get("input_redacted")),
        parent_run_id=body.get("parent_run_id"),
        original_run_id=body.get("original_run_id"),
        last_seen_at_ms=now_ms,
        host=body["host"],
        pid=body["pid"],
    )


def get(client: Client, run_id: str) -> Run:
    return run_of(client.get(f"/api/runs/{part(run_id)}", Detail).run)


def page(client: Client, filters: Mapping[str, Any], *, limit: int, cursor: str | None) -> Page[Run]:
    told = client.get("/api/runs", RunList, {**list_parameters(**filters), "limit": limit, "cursor": cursor})
    return Page([run_of(run) for run in told.runs], told.next_cursor or None, told.has_more)


def list_parameters(
    *,
    status: Any = None,
    name: Any = None,
    kind: Any = None,
    tag: Any = None,
    since_ms: int | None = None,
    until_ms: int | None = None,
    parent_run_id: str | None = None,
    q: str | None = None,
) -> dict[str, Any]:
    """The filters of a list as the API names them."""
    return {
        "status": words(status),
        "pipeline": words(name),
        "kind": words(kind),
        "tag": words(tag),
        "since": None if since_ms is None else to_iso(since_ms),
        "until": None if until_ms is None else to_iso(until_ms),
        "parent": parent_run_id,
        "q": q,
    }


def words(given: str | Sequence[str] | None) -> list[str]:
    """The values of a parameter that may be given several times; a comma in one is no separator."""
    if given is None:
        return []
    return [value.replace(",", "\\,") for value in ([given] if isinstance(given, str) else given)]


def import_run(
    client: Client,
    run: Mapping[str, Any],
    events: Iterable[Mapping[str, Any]],
    notes: Iterable[Mapping[str, Any]],
    *,
    as_id: str | None,
) -> Run:
    """Sends the document line by line, whatever its size."""

    def lines() -> Iterator[bytes]:
        head = {"runline": 1, "run": {"run_id": as_id, **run}, "notes": list(notes)}
        yield msgspec.json.encode(safe(head, exempt=True)) + b"\n"
        for event in events:
            yield msgspec.json.encode(safe(event, exempt=True)) + b"\n"

    told = client.send(
        "POST",
        "/api/runs/import",
        RunSummary,
        lines(),
        media="application/x-ndjson",
        params={"as": as_id},
        timeout_s=_IMPORT_S,
    )
    return run_of(told)
