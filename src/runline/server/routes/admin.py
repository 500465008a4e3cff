"""The store as a whole: its figures, the audit, pruning, checking, rebuilding, and a copy of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import msgspec
from litestar import Response
from msgspec import Meta, Struct

from runline.model.clock import to_iso
from runline.model.wire.audit import AuditList, audit_list
from runline.model.wire.quantity import about as told
from runline.server.bodies import read_json
from runline.server.file_answer import FileAnswer
from runline.server.parameters import about, limit
from runline.server.route import get, post
from runline.server.server import Server
from runline.server.settings import Retention
from runline.store.health import StoreInfo
from runline.store.prune_report import PruneReport
from runline.store.sql_store import SqlStore
from runline.store.verify import VerifyReport

SQLITE = "application/vnd.sqlite3"
_AtLeast0 = Meta(ge=0)


class PruneBody(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """The rules, one after the other; null switches one off."""

    older_than_days: Annotated[
        Annotated[float, _AtLeast0] | None, told("Runs that ended longer ago than that go.")
    ] = 14
    keep: Annotated[
        Annotated[int, _AtLeast0] | None, told("Of the others so many of each tenant stay, newest first.")
    ] = 500
    max_size_bytes: Annotated[
        Annotated[int, _AtLeast0] | None, told("Then the oldest go until the store is this small.")
    ] = None
    dry_run: Annotated[bool, told("Only say what would go.")] = False


class OneRunBody(Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """One run, or all of them."""

    run_id: Annotated[str | None, told("Null: every run.")] = None


class AuditQuery(Struct, kw_only=True, frozen=True):
    """A page of the audit."""

    limit: Annotated[int, limit("Entries a page.", most=1000)] = 100
    cursor: Annotated[str | None, about("`next_cursor` of the page before.")] = None


class Verified(VerifyReport, frozen=True, kw_only=True):
    """What was checked, and the first thousand of the `found` problems."""

    ok: Annotated[bool, told("Nothing was found.")]


class Rebuilt(Struct, kw_only=True, frozen=True):
    """How much was folded anew."""

    runs: int
    events: int


class StoreView(StoreInfo, frozen=True, kw_only=True):
    """Versions and sizes of the store. A tenant's token gets the counts of its own runs."""

    retention: Annotated[Retention | None, told("What the server prunes by itself; null: nothing.")]


@post(
    "/api/admin/prune",
    scope="admin",
    body=PruneBody,
    body_required=False,
    answer=PruneReport,
    summary="Remove old runs",
    tag="Admin",
    tenants=True,
)
def prune_runs(store: SqlStore, body: bytes) -> PruneReport:
    """Ended runs leave by age, then by count, then by size. Active, interrupted, pinned and annotated ones stay."""
    asked = read_json(body, PruneBody)
    return store.prune(
        older_than_days=asked.older_than_days,
        keep=asked.keep,
        max_size_bytes=asked.max_size_bytes,
        dry_run=asked.dry_run,
    )


@post(
    "/api/admin/verify",
    scope="admin",
    body=OneRunBody,
    body_required=False,
    answer=Verified,
    errors=(404,),
    summary="Check what is stored",
    tag="Admin",
    tenants=True,
)
def verify_store(store: SqlStore, body: bytes) -> Verified:
    """Every event's checksum, the order, and that everything derived from the log equals it. It takes its time."""
    report = store.verify(read_json(body, OneRunBody).run_id)
    return Verified(**msgspec.structs.asdict(report), ok=report.ok)


@post(
    "/api/admin/rebuild",
    scope="admin",
    body=OneRunBody,
    body_required=False,
    answer=Rebuilt,
    errors=(404,),
    summary="Make the projections anew",
    tag="Admin",
    tenants=True,
)
def rebuild_runs(store: SqlStore, body: bytes) -> Rebuilt:
    """Statuses, steps and counters are folded from the log again. It takes its time."""
    folded = 0

    def told(events: int) -> None:
        nonlocal folded
        folded = events

    runs = store.rebuild(read_json(body, OneRunBody).run_id, on_progress=told)
    return Rebuilt(runs=runs, events=folded)


@get(
    "/api/admin/backup",
    scope="admin",
    answers={SQLITE: None},
    errors=(409, 503, 507),
    summary="Fetch a copy of the store",
    head=False,
    tag="Admin",
    tenants=True,
)
def fetch_backup(store: SqlStore) -> Response[None]:
    """A consistent copy of the store in use, every tenant's runs in it; a tenant's token gets 403.

    To restore it, put the file in the store's place.
    """
    with tempfile.TemporaryDirectory(dir=store.engine.scratch, prefix=".backup-") as folder:
        copy = Path(folder) / "copy.db"
        store.backup(str(copy))
        # Open, it needs no name any more: it is gone once it is closed, whatever happens to the client or to us.
        file = copy.open("rb")
    name = f"{Path(store.engine.place).stem}-{to_iso(store.clock.now_ms())[:19].replace(':', '')}.db"
    return FileAnswer(file, name, media_type=SQLITE)


@get(
    "/api/admin/store",
    scope="admin",
    answer=StoreView,
    summary="Sizes and versions",
    tag="Admin",
    tenants=True,
)
def show_store(store: SqlStore, server: Server) -> StoreView:
    """`free_bytes` lie inside the file and will be used again; `disk_free_bytes` are left on its disk."""
    return StoreView(**msgspec.structs.asdict(store.info()), retention=server.settings.retention)


@get(
    "/api/admin/audit",
    scope="admin",
    query=AuditQuery,
    answer=AuditList,
    summary="Who did what",
    tag="Admin",
    tenants=True,
)
def list_audit(store: SqlStore, given: AuditQuery) -> AuditList:
    """Control actions, newest first. Of a tenant's admin, what was about that tenant."""
    return audit_list(store.list_audit(limit=given.limit, cursor=given.cursor))


HANDLERS = [prune_runs, verify_store, rebuild_runs, fetch_backup, show_store, list_audit]
