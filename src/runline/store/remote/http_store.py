"""The store behind a server: each method is one request, or a stream of them.

Opened by a URL like any other; who may do what, the server decides by the token.
"""

from __future__ import annotations

import copy
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from runline.intake.names import default_redactor
from runline.model.clock import Clock, SystemClock
from runline.model.errors import Forbidden, RunlineError
from runline.model.limits import DEFAULT_LIMITS, Limits
from runline.store.interface import Order
from runline.store.recording_store import RecordingStore
from runline.store.remote import admin, artifacts, follow, keeping, runs, views
from runline.store.remote import events as wire_events
from runline.store.remote.client import Client, Connections
from runline.store.remote.delivery import send_left_behind
from runline.store.remote.line import RemoteLine, files_below
from runline.store.remote.outbox import Outbox
from runline.store.remote.spool import Spool, files_of, spool_folder
from runline.store.remote.writer import RemoteWriter

if TYPE_CHECKING:
    from runline.fold.compare import Comparison
    from runline.fold.failure import Failure
    from runline.fold.slots import Histogram
    from runline.fold.snapshot import RunState
    from runline.intake.redact import Redactor
    from runline.model.artifact import Artifact, ArtifactContent
    from runline.model.audit import AuditEntry
    from runline.model.call import Call
    from runline.model.event import Event
    from runline.model.note import Note
    from runline.model.page import Page
    from runline.model.run import Run
    from runline.model.step import Step
    from runline.model.summary import Summary
    from runline.model.token import NewToken, Token
    from runline.store.events import Hits
    from runline.store.health import StoreInfo
    from runline.store.prune_report import PruneReport
    from runline.store.statistics import Counts, Statistics
    from runline.store.verify import VerifyReport

_CLOSE_S = 10.0


class HttpStore(RecordingStore):
    """A store on a server. `tenant` None sees what the token allows."""

    look_every_s = 1.0

    def __init__(
        self, client: Client, writer: RemoteWriter, *, clock: Clock, limits: Limits, redactor: Redactor
    ) -> None:
        self.url = client.url
        self.client = client
        self.writer = writer
        self.clock = clock
        self.limits = limits
        self.redactor = redactor
        self.tenant: str | None = None
        store = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forked(store()))

    # -- for recorders

    def stream(self, run_id: str, *, announced: bool = True) -> RemoteLine:
        """A recorder's way to tell of a run without waiting."""
        return self.writer.line(run_id, announced=announced)

    def flush(self, timeout_s: float) -> bool:
        """Whether the server has acknowledged everything queued before, within the time."""
        return self.writer.flush(timeout_s)

    def shut(self, timeout_s: float) -> bool:
        """Sends what is queued within that time, and closes; what could not be sent waits on disk."""
        sent = self.writer.shut(timeout_s)
        self.client.close()
        return sent

    @property
    def waiting(self) -> str | None:
        """Where events are that the server has not taken yet; None when there are none."""
        return str(self.writer.folder) if self.writer.outbox.left else None

    @property
    def spooled(self) -> list[Path]:
        """The files in which events wait for this server, also those of other processes of this folder."""
        return files_of(self.writer.folder, self.url)

    def artifacts_folder(self) -> Path:
        """Where a recorder puts the copies that are then sent."""
        return files_below(self.writer.outbox)

    def is_cancelled(self, run_id: str) -> bool:
        """Whether somebody asked the run to stop; unknown while the server is away."""
        return not self.writer.outbox.away and keeping.is_cancelled(self.client, run_id)

    def server(self) -> admin.ServerFacts:
        """Who answers, and as whom it takes the caller."""
        return admin.server(self.client)

    # -- writing

    def create_run(
        self,
        name: str,
        *,
        kind: str = "run",
        run_id: str | None = None,
        tenant: str = "default",
        tags: Sequence[str] = (),
        input: Any = None,
        parent_run_id: str | None = None,
        original_run_id: str | None = None,
        plan: Any = None,
        started_at_ms: int | None = None,
        idempotency_key: str | None = None,
        announced: bool = False,
    ) -> Run:
        """`announced`: a recorder in this process tells of it, also while the server is away."""
        body = runs.creation(
            name,
            kind=kind,
            run_id=run_id,
            tenant=tenant if self.tenant is None else self.tenant,
            tags=tags,
            input=input,
            parent_run_id=parent_run_id,
            original_run_id=original_run_id,
            plan=plan,
            started_at_ms=started_at_ms,
            redactor=self.redactor,
            limits=self.limits,
        )
        if announced:
            return runs.announce(self.client, self.writer, body, self.clock.now_ms())
        return runs.create(self.client, body, idempotency_key)

    def append(
        self, run_id: str, events: Iterable[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[Event]:
        return wire_events.append(
            self.client,
            run_id,
            events,
            idempotency_key=idempotency_key,
            limits=self.limits,
            redactor=self.redactor,
        )

    def end_run(
        self,
        run_id: str,
        status: str = "completed",
        *,
        error: str | None = None,
        idempotency_key: str | None = None,
    ) -> Event:
        return wire_events.end(self.client, run_id, status, error, key=idempotency_key)

    def heartbeat(self, run_id: str) -> None:
        keeping.heartbeat(self.client, run_id)

    def cancel(self, run_id: str, *, force: bool = False) -> str:
        return keeping.cancel(self.client, run_id, force=force)

    def add_note(
        self,
        run_id: str,
        note: str,
        *,
        author: str | None = None,
        labels: Sequence[str] = (),
        actions: Sequence[str] = (),
        event_seq: int | None = None,
    ) -> Note:
        return keeping.add_note(
            self.client,
            run_id,
            {"note": note, "author": author, "labels": labels, "actions": actions, "event_index": event_seq},
            self.redactor,
        )

    def put_artifact(
        self,
        run_id: str,
        name: str,
        content: bytes | BinaryIO,
        *,
        step: str | None = None,
        type: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Artifact:
        return artifacts.put(self.client, run_id, name, content, step=step, type=type, data=data)

    def pin(self, run_id: str, on: bool = True) -> None:  # noqa: FBT002 - the contract's signature
        keeping.pin(self.client, run_id, on=on)

    def delete_run(self, run_id: str) -> None:
        keeping.delete_run(self.client, run_id)

    def import_run(
        self,
        run: Mapping[str, Any],
        events: Iterable[Mapping[str, Any]],
        notes: Iterable[Mapping[str, Any]] = (),
        *,
        as_id: str | None = None,
    ) -> Run:
        return runs.import_run(self.client, run, events, notes, as_id=as_id)

    # -- reading one run

    def get_run(self, run_id: str) -> Run:
        return runs.get(self.client, run_id)

    def read(
        self,
        run_id: str,
        *,
        after_seq: int = 0,
        before_seq: int | None = None,
        after_id: int | None = None,
        order: Order = "asc",
        limit: int = 100,
        **filters: Any,
    ) -> list[Event]:
        return wire_events.read(
            self.client,
            run_id,
            filters,
            after_seq=after_seq,
            before_seq=before_seq,
            after_id=after_id,
            order=order,
            limit=limit,
        )

    def index(self, run_id: str, *, after_seq: int = 0, **filters: Any) -> Iterator[Hits]:
        return wire_events.index(self.client, run_id, filters, after_seq=after_seq)

    def count_events(self, run_id: str, **filters: Any) -> int:
        return wire_events.count(self.client, run_id, filters)

    def follow(
        self,
        run_id: str,
        *,
        after_seq: int = 0,
        after_id: int | None = None,
        timeout_s: float | None = None,
        **filters: Any,
    ) -> Iterator[Event]:
        wanted = wire_events.filter_parameters(**filters)
        return follow.follow(
            self.client, run_id, wanted, after_seq=after_seq, after_id=after_id, timeout_s=timeout_s
        )

    def state(self, run_id: str, *, at_seq: int | None = None) -> RunState:
        return views.state(self.client, run_id, at_seq=at_seq)

    def replay(self, run_id: str, *, to_seq: int | None = None) -> Iterator[RunState]:
        return wire_events.replay(self.client, run_id, to_seq=to_seq)

    def summary(self, run_id: str) -> Summary:
        return views.summary(self.client, run_id)

    def list_steps(self, run_id: str) -> list[Step]:
        return views.steps(self.client, run_id)

    def list_artifacts(self, run_id: str) -> list[Artifact]:
        return artifacts.listed(self.client, run_id)

    def read_artifact(self, run_id: str, step: str | None, name: str) -> ArtifactContent:
        return artifacts.read(self.client, run_id, step, name)

    def open_artifact(self, run_id: str, step: str | None, name: str) -> tuple[BinaryIO, Artifact]:
        return artifacts.opened(self.client, run_id, step, name)

    def list_notes(self, run_id: str, *, limit: int = 100) -> list[Note]:
        return keeping.list_notes(self.client, run_id, limit=limit)

    def calls(
        self,
        run_id: str,
        *,
        status: str | Sequence[str] | None = None,
        kind: str | Sequence[str] | None = None,
        step: str | Sequence[str] | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Call]:
        asked = {"status": runs.words(status), "kind": runs.words(kind), "step": runs.words(step)}
        return views.calls(self.client, run_id, {**asked, "limit": limit, "cursor": cursor})

    def histogram(self, run_id: str, *, slots: int = 160) -> Histogram:
        return views.histogram(self.client, run_id, slots=slots)

    def failure(self, run_id: str) -> Failure:
        return views.failure(self.client, run_id)

    def compare(self, left: str, right: str) -> Comparison:
        return views.compare(self.client, left, right)

    # -- reading many

    def list_runs(self, *, limit: int = 25, cursor: str | None = None, **filters: Any) -> Page[Run]:
        return runs.page(self.client, filters, limit=limit, cursor=cursor)

    def counts(self, **filters: Any) -> Counts:
        return views.counts(self.client, runs.list_parameters(**filters))

    def statistics(self, *, range: str = "7d") -> Statistics:
        return views.statistics(self.client, range)

    def follow_all(
        self, *, cursor: str | None = None, timeout_s: float | None = None
    ) -> Iterator[tuple[str, Event]]:
        return follow.follow_all(self.client, cursor=cursor, timeout_s=timeout_s)

    def follow_runs(self, *, timeout_s: float | None = None) -> Iterator[Run]:
        return follow.follow_runs(self.client, timeout_s=timeout_s)

    # -- the store itself

    def scoped(self, tenant: str) -> HttpStore:
        if self.tenant not in (None, tenant):
            raise Forbidden(f"This is already the store as tenant {self.tenant!r} sees it.")
        view = copy.copy(self)
        view.tenant = tenant
        view.client = self.client.narrowed(tenant)
        return view

    def acting_as(self, who: str) -> HttpStore:
        """The server names who acts by the token; what is said here changes nothing."""
        del who
        return self

    def tenants(self) -> list[str]:
        return admin.tenants(self.client)

    def create_token(
        self,
        name: str,
        *,
        scopes: Sequence[str],
        tenant: str | None = None,
        expires_in_days: float | None = None,
    ) -> NewToken:
        return admin.create_token(
            self.client, name, scopes=scopes, tenant=tenant, expires_in_days=expires_in_days
        )

    def list_tokens(self) -> list[Token]:
        return admin.list_tokens(self.client)

    def revoke_token(self, token_id: str) -> Token:
        return admin.revoke_token(self.client, token_id)

    def list_audit(self, *, limit: int = 100, cursor: str | None = None) -> Page[AuditEntry]:
        return admin.list_audit(self.client, limit=limit, cursor=cursor)

    def info(self) -> StoreInfo:
        return admin.info(self.client)

    def prune(
        self,
        *,
        older_than_days: float | None = 14,
        keep: int | None = 500,
        max_size_bytes: int | None = None,
        dry_run: bool = False,
    ) -> PruneReport:
        asked = {
            "older_than_days": older_than_days,
            "keep": keep,
            "max_size_bytes": max_size_bytes,
            "dry_run": dry_run,
        }
        return admin.prune(self.client, asked)

    def verify(
        self, run_id: str | None = None, *, on_progress: Callable[[int], None] | None = None
    ) -> VerifyReport:
        return admin.verify(self.client, run_id, on_progress=on_progress)

    def rebuild(self, run_id: str | None = None, *, on_progress: Callable[[int], None] | None = None) -> int:
        return admin.rebuild(self.client, run_id, on_progress=on_progress)

    def backup(self, destination: str) -> None:
        if self.tenant is not None:
            raise Forbidden("A backup holds every tenant's runs; make it from the whole store.")
        admin.backup(self.client, destination)

    def close(self) -> None:
        if self.tenant is None:  # else a view; whoever opened the store closes it
            self.shut(_CLOSE_S)


def _forked(store: HttpStore | None) -> None:
    if store is not None:
        store.client.connections.forked()
        store.writer.fork()


def open_http(
    url: str,
    *,
    token: str | None = None,
    clock: Clock | None = None,
    limits: Limits = DEFAULT_LIMITS,
    redactor: Redactor | None = None,
    queue_size: int = 20_000,
    spool: Path | None = None,
) -> HttpStore:
    """The store of the server at `url`. `token`: else `RUNLINE_TOKEN`. `spool`: where events wait for it.

    What a process that is gone could not send is sent now, if the server can be reached.
    """
    clock, redactor = clock or SystemClock(), redactor or default_redactor()
    client = Client(Connections(url, token=token or os.environ.get("RUNLINE_TOKEN")))
    outbox = Outbox(Spool(spool or spool_folder(), url))
    writer = RemoteWriter(client, outbox, clock, redactor, queue_size=queue_size)
    with suppress(RunlineError):  # it waits on; whoever asks for something is told
        send_left_behind(outbox.spool.folder, url, client)
    return HttpStore(client, writer, clock=clock, limits=limits, redactor=redactor)
