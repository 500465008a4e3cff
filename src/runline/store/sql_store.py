"""The store over an SQL engine: each method calls the file of its noun.

What a recorder never needs is imported where it is used, so that the first event comes soon.
"""

from __future__ import annotations

import copy
import os
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from runline.intake.names import default_redactor
from runline.model.clock import Clock, SystemClock
from runline.model.errors import Forbidden, Invalid
from runline.model.filter import Query, parse
from runline.model.limits import DEFAULT_LIMITS, Limits
from runline.store import (
    appends,
    creation,
    events,
    follow,
    liveness,
    notes,
    runs,
)
from runline.store.append import Appender
from runline.store.codes import Codes
from runline.store.engine import Engine
from runline.store.given import is_whole
from runline.store.interface import Order
from runline.store.locate import Direct, Located, locate
from runline.store.recording_store import RecordingStore
from runline.store.search import EventFilter, RunFilter
from runline.store.stream import Stream
from runline.store.wake import Wake
from runline.store.writer import Writer

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
    from runline.model.token import NewToken, Token
    from runline.model.wire.calls import CallCounts
    from runline.store.health import StoreInfo
    from runline.store.prune_report import PruneReport
    from runline.store.runs import Head
    from runline.store.statistics import Counts, Statistics
    from runline.store.summaries import Summary
    from runline.store.verify import VerifyReport

Words = str | Sequence[str] | None
DEFAULT_TENANT = "default"
_CLOSE_S = 10.0
_STEP_NAMES_KEPT = 64


class SqlStore(RecordingStore):
    """A store in an SQL database. `tenant` None sees all tenants."""

    def __init__(
        self,
        engine: Engine,
        *,
        url: str,
        clock: Clock,
        limits: Limits,
        redactor: Redactor,
        queue_size: int,
        artifact_roots: Sequence[str | os.PathLike[str]] = (),
    ) -> None:
        self.url = url
        self.engine = engine
        self.clock = clock
        self.limits = limits
        self.redactor = redactor
        self.tenant: str | None = None
        self.actor: str | None = None
        """Who acts, when somebody was named; see `who`."""
        self.artifact_roots = tuple(Path(root).absolute() for root in artifact_roots)
        """Folders besides the store's own that artifacts may be read from."""
        self.token_uses: dict[str, int] = {}
        """When a token's use was last written down, by the token's id."""
        self._is_view = False
        self.codes = Codes(engine)
        self.direct = Direct(engine)
        self.wake = Wake(engine)
        self.writer = Writer(
            engine, Appender(self.codes, limits), self.wake, clock, redactor, queue_size=queue_size
        )
        self._step_names: dict[int, dict[int | None, str | None]] = {}
        store = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forked(store()))

    # -- for the nouns

    def locate(self, run_id: str) -> Located:
        return locate(self.direct, run_id, self.tenant)

    def step_names(self, run: int, numbers: set[int | None]) -> dict[int | None, str | None]:
        """Names of those step numbers of the run, None for none."""
        known = self._step_names.get(run)
        if known is None:
            # Over a copy: other threads come here too.
            for oldest in list(self._step_names)[: 1 - _STEP_NAMES_KEPT]:
                self._step_names.pop(oldest, None)
            known = self._step_names[run] = {None: None}
        if missing := numbers - known.keys():
            marks = ", ".join("?" * len(missing))
            known.update(
                self.engine.query(
                    f"SELECT step, name FROM steps WHERE run = ? AND step IN ({marks})", (run, *missing)
                )
            )
        return known

    @property
    def who(self) -> str:
        """Who acts, for the audit."""
        from runline.store import audit

        return self.actor or audit.process_user()

    # -- for the hub and the routes of the server

    def piece(self, run_id: str, *, after_seq: int, limit: int | None = None, **filters: Any) -> follow.Piece:
        """What comes next in a run's log: at most `limit` events, from not too long a stretch of it."""
        return follow.piece(self, run_id, self._event_filter(**filters), after_seq=after_seq, limit=limit)

    def piece_of_all(self, *, after_id: int, limit: int | None = None) -> follow.Piece:
        """What comes next in all runs' logs together, in commit order."""
        return follow.piece_of_all(self, after_id=after_id, limit=limit)

    def changes(self) -> follow.Changes:
        """Tells each time it is asked which runs have changed."""
        return follow.Changes(self)

    def ingest(
        self, run_id: str, events: Iterable[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> Future[appends.Appended]:
        """As `append`, without waiting: the answer comes when the events are durable."""
        return appends.begin(self, run_id, events, idempotency_key=idempotency_key)

    def seq_after(self, run_id: str, *, after_seq: int = 0, after_id: int | None = None) -> int:
        """The seq that a reader goes on from who has seen up to that seq, and up to the event of that id."""
        if after_id is None:
            return after_seq
        found = self.locate(run_id)
        return max(after_seq, events.seq_of_id(self, found.run, found.last_seq, after_id))

    def heads(self, run_ids: Sequence[str]) -> dict[str, Head]:
        """How far each of those runs has come, in one query; the unknown are left out."""
        return runs.heads(self, run_ids)

    def find_token(self, secret: str | bytes) -> Token | None:
        """The good token of that secret; None for one that is unknown, expired or revoked. As quick as a look-up."""
        from runline.store import tokens

        return tokens.find(self, secret)

    def stream(self, run_id: str, *, announced: bool = True) -> Stream:
        """A recorder's way to append to a run without waiting."""
        return self.writer.stream(run_id, announced=announced)

    def flush(self, timeout_s: float) -> bool:
        """Whether everything queued before became durable within the time."""
        return self.writer.flush(timeout_s)

    def shut(self, timeout_s: float) -> bool:
        """Commits what is queued within that time and closes; whether all became durable."""
        written = self.writer.close(timeout_s)
        self.close()
        return written

    def artifacts_folder(self) -> Path:
        return self.engine.artifacts

    def mask(self, secret: str) -> None:
        """From now on this value is never stored."""
        self.redactor = self.writer.redactor = self.redactor.knowing(secret)

    # -- writing

    def create_run(
        self,
        name: str,
        *,
        kind: str = "run",
        run_id: str | None = None,
        tenant: str = DEFAULT_TENANT,
        tags: Sequence[str] = (),
        input: Any = None,
        parent_run_id: str | None = None,
        original_run_id: str | None = None,
        plan: Any = None,
        started_at_ms: int | None = None,
        idempotency_key: str | None = None,
        announced: bool | liveness.RunWriter = False,
        input_redacted: bool = False,
    ) -> Run:
        """`announced`: a recorder will renew the run's liveness, in this process or in the one given.

        `input_redacted`: whoever hands the input over has already taken secrets out of it.
        """
        new = creation.prepare(
            self,
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
            announced=liveness.this_process() if announced is True else announced or None,
            input_redacted=input_redacted,
            idempotency_key=idempotency_key,
        )
        return runs.get(self, creation.create(self, new))

    def append(
        self, run_id: str, events: Iterable[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[Event]:
        return appends.told_events(
            self, run_id, appends.append(self, run_id, events, idempotency_key=idempotency_key)
        )

    def end_run(
        self,
        run_id: str,
        status: str = "completed",
        *,
        error: str | None = None,
        idempotency_key: str | None = None,
    ) -> Event:
        end = appends.end_event(self.get_run(run_id).kind, status, error)
        return self.append(run_id, [end], idempotency_key=idempotency_key)[0]

    def heartbeat(self, run_id: str, *, writer: liveness.RunWriter | None = None) -> None:
        """`writer`: where the run is being written, when it said so."""
        liveness.heartbeat(self, run_id, writer or liveness.RunWriter())

    def cancel(self, run_id: str, *, force: bool = False) -> str:
        from runline.store import cancellations

        return cancellations.cancel(self, run_id, force=force)

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
        return notes.add(
            self, run_id, note, author=author, labels=labels, actions=actions, event_seq=event_seq
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
        idempotency_key: str | None = None,
    ) -> Artifact:
        """`idempotency_key`: the same upload again is answered with the artifact of the first."""
        from runline.store import artifact_content

        return artifact_content.put(
            self, run_id, name, content, step=step, type=type, data=data, idempotency_key=idempotency_key
        )

    def pin(self, run_id: str, on: bool = True) -> None:  # noqa: FBT002 - the contract's signature
        runs.pin(self, run_id, on)

    def delete_run(self, run_id: str) -> None:
        from runline.store import retention

        retention.delete(self, run_id)

    def import_run(
        self,
        run: Mapping[str, Any],
        events: Iterable[Mapping[str, Any]],
        notes: Iterable[Mapping[str, Any]] = (),
        *,
        as_id: str | None = None,
    ) -> Run:
        from runline.store import imports

        return imports.import_run(self, run, events, notes, as_id=as_id)

    # -- reading one run

    def get_run(self, run_id: str) -> Run:
        return runs.get(self, run_id)

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
        return events.read(
            self,
            run_id,
            self._event_filter(**filters),
            after_seq=self.seq_after(run_id, after_seq=after_seq, after_id=after_id),
            before_seq=before_seq,
            order=order,
            limit=_clamped(limit, events.MAX_PAGE),
        )

    def index(self, run_id: str, *, after_seq: int = 0, **filters: Any) -> Iterator[events.Hits]:
        return events.index(self, run_id, self._event_filter(**filters), after_seq=after_seq)

    def count_events(self, run_id: str, **filters: Any) -> int:
        return events.count(self, run_id, self._event_filter(**filters))

    def follow(
        self,
        run_id: str,
        *,
        after_seq: int = 0,
        after_id: int | None = None,
        timeout_s: float | None = None,
        **filters: Any,
    ) -> Iterator[Event]:
        wanted = self._event_filter(**filters)
        return follow.follow(
            self,
            run_id,
            wanted,
            after_seq=self.seq_after(run_id, after_seq=after_seq, after_id=after_id),
            timeout_s=timeout_s,
        )

    def state(self, run_id: str, *, at_seq: int | None = None) -> RunState:
        from runline.store import checkpoints

        return checkpoints.state(self, run_id, at_seq=at_seq)

    def replay(self, run_id: str, *, to_seq: int | None = None) -> Iterator[RunState]:
        from runline.store import checkpoints

        return checkpoints.replay(self, run_id, to_seq=to_seq)

    def summary(self, run_id: str) -> Summary:
        from runline.store import summaries

        return summaries.summary(self, run_id)

    def list_steps(self, run_id: str) -> list[Step]:
        from runline.store import steps

        return steps.listed(self, run_id)

    def list_artifacts(self, run_id: str) -> list[Artifact]:
        from runline.store import artifacts

        return artifacts.listed(self, run_id)

    def read_artifact(self, run_id: str, step: str | None, name: str) -> ArtifactContent:
        from runline.store import artifact_content

        return artifact_content.read(self, run_id, step, name)

    def open_artifact(self, run_id: str, step: str | None, name: str) -> tuple[BinaryIO, Artifact]:
        from runline.store import artifact_content

        return artifact_content.opened(self, run_id, step, name)

    def list_notes(self, run_id: str, *, limit: int = 100, before_id: int | None = None) -> list[Note]:
        """`before_id`: only notes older than that one."""
        return notes.listed(self, run_id, limit=_clamped(limit, 2**31), before_id=before_id)

    def calls(
        self,
        run_id: str,
        *,
        status: Words = None,
        kind: Words = None,
        step: Words = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Call]:
        limit = _clamped(limit, events.MAX_PAGE)
        from runline.store import calls

        wanted = calls.CallFilter(status=_words(status), kind=_words(kind), step=_words(step))
        return calls.page(self, run_id, wanted, limit=limit, cursor=cursor)

    def call_counts(self, run_id: str, *, kind: Words = None, step: Words = None) -> CallCounts:
        """How many calls of those kinds and steps the run has, by status."""
        from runline.store import calls

        return calls.counts(self, run_id, calls.CallFilter(kind=_words(kind), step=_words(step)))

    def histogram(self, run_id: str, *, slots: int = 160) -> Histogram:
        from runline.fold.slots import merge
        from runline.store import steps

        fold = steps.whole(self, run_id)
        return merge(fold.started_at_ms, fold.slot_ms, fold.slots, _clamped(slots, 512))

    def failure(self, run_id: str) -> Failure:
        from runline.store import failures

        return failures.failure(self, run_id)

    def compare(self, left: str, right: str) -> Comparison:
        from runline.store import failures

        return failures.compare(self, left, right)

    # -- reading many

    def list_runs(self, *, limit: int = 25, cursor: str | None = None, **filters: Any) -> Page[Run]:
        return runs.page(
            self, self._run_filter(**filters), limit=_clamped(limit, runs.MAX_PAGE), cursor=cursor
        )

    def counts(self, **filters: Any) -> Counts:
        from runline.store import statistics

        return statistics.counts(self, self._run_filter(**filters))

    def statistics(self, *, range: str = "7d") -> Statistics:
        from runline.store import statistics

        return statistics.statistics(self, range)

    def follow_all(
        self, *, cursor: str | None = None, timeout_s: float | None = None
    ) -> Iterator[tuple[str, Event]]:
        return follow.follow_all(self, cursor=cursor, timeout_s=timeout_s)

    def follow_runs(self, *, timeout_s: float | None = None) -> Iterator[Run]:
        return follow.follow_runs(self, timeout_s=timeout_s)

    # -- the store itself

    def scoped(self, tenant: str) -> SqlStore:
        from runline.store.creation import check_tenant

        if self.tenant not in (None, tenant):
            raise Forbidden(f"This is already the store as tenant {self.tenant!r} sees it.")
        view = copy.copy(self)
        view.tenant = check_tenant(tenant)
        view._is_view = True  # noqa: SLF001 - it is this class's own
        return view

    def acting_as(self, who: str) -> SqlStore:
        from runline.store import audit

        view = copy.copy(self)
        view.actor = audit.check_actor(self, who)
        view._is_view = True  # noqa: SLF001 - as above
        return view

    def tenants(self) -> list[str]:
        from runline.store import tenants

        return tenants.listed(self)

    def create_token(
        self,
        name: str,
        *,
        scopes: Sequence[str],
        tenant: str | None = None,
        expires_in_days: float | None = None,
    ) -> NewToken:
        from runline.store import tokens

        return tokens.create(self, name, scopes=scopes, tenant=tenant, expires_in_days=expires_in_days)

    def list_tokens(self) -> list[Token]:
        from runline.store import tokens

        return tokens.listed(self)

    def revoke_token(self, token_id: str) -> Token:
        from runline.store import tokens

        return tokens.revoke(self, token_id)

    def list_audit(self, *, limit: int = 100, cursor: str | None = None) -> Page[AuditEntry]:
        from runline.store import audit

        return audit.listed(self, limit=_clamped(limit, audit.MAX_PAGE), cursor=cursor)

    def info(self) -> StoreInfo:
        from runline.store import health

        return health.info(self)

    def prune(
        self,
        *,
        older_than_days: float | None = 14,
        keep: int | None = 500,
        max_size_bytes: int | None = None,
        dry_run: bool = False,
    ) -> PruneReport:
        from runline.store import retention

        return retention.prune(
            self, older_than_days=older_than_days, keep=keep, max_size_bytes=max_size_bytes, dry_run=dry_run
        )

    def verify(
        self, run_id: str | None = None, *, on_progress: Callable[[int], None] | None = None
    ) -> VerifyReport:
        from runline.store import verify

        return verify.verify(self, run_id, on_progress=on_progress)

    def rebuild(self, run_id: str | None = None, *, on_progress: Callable[[int], None] | None = None) -> int:
        from runline.store import rebuild

        return rebuild.rebuild(self, run_id, on_progress=on_progress)

    def backup(self, destination: str) -> None:
        from runline.store import backup

        if self.tenant is not None:
            raise Forbidden("A backup holds every tenant's runs; make it from the whole store.")
        backup.backup(self, destination)

    def close(self) -> None:
        if self._is_view:
            return  # whoever opened the store closes it
        self.writer.close(_CLOSE_S)
        self.wake.close()
        self.engine.close()

    def _event_filter(
        self,
        *,
        types: Sequence[str] = (),
        levels: Sequence[str] = (),
        steps: Sequence[str] = (),
        sources: Sequence[str] = (),
        correlation_id: str | None = None,
        q: str | None = None,
    ) -> EventFilter:
        query = parse(q, scope="events", now_ms=self.clock.now_ms()) if q else Query()
        return EventFilter(
            types=_words(types),
            levels=_words(levels),
            steps=_words(steps),
            sources=_words(sources),
            correlation_id=correlation_id,
            query=query,
        )

    def _run_filter(
        self,
        *,
        status: Words = None,
        name: Words = None,
        kind: Words = None,
        tag: Words = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        parent_run_id: str | None = None,
        q: str | None = None,
    ) -> RunFilter:
        query = parse(q, scope="runs", now_ms=self.clock.now_ms()) if q else Query()
        return RunFilter(
            status=_words(status),
            name=_words(name),
            kind=_words(kind),
            tag=_words(tag),
            since_ms=since_ms,
            until_ms=until_ms,
            parent_run_id=parent_run_id,
            query=query,
        )


def _words(given: Words) -> tuple[str, ...]:
    if given is None:
        return ()
    return (given,) if isinstance(given, str) else tuple(given)


def _clamped(limit: int, most: int) -> int:
    if not is_whole(limit) or limit < 1:
        raise Invalid(f"limit is at least 1, not {limit}.", fields={"limit": "below 1"})
    return min(limit, most)


def _forked(store: SqlStore | None) -> None:
    if store is not None:
        store.engine.fork()
        store.wake.fork()
        store.writer.fork()


def open_sqlite(
    path: str,
    *,
    url: str,
    read_only: bool = False,
    clock: Clock | None = None,
    limits: Limits = DEFAULT_LIMITS,
    redactor: Redactor | None = None,
    queue_size: int = 20_000,
    artifact_roots: Sequence[str | os.PathLike[str]] = (),
    vfs: str | None = None,
) -> SqlStore:
    from runline.store.sqlite import SqliteEngine

    clock = clock or SystemClock()
    redactor = redactor or default_redactor()
    engine = SqliteEngine(path, read_only=read_only, now_ms=clock.now_ms(), vfs=vfs)
    return SqlStore(
        engine,
        url=url,
        clock=clock,
        limits=limits,
        redactor=redactor,
        queue_size=queue_size,
        artifact_roots=artifact_roots,
    )
