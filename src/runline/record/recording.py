"""A run's line into its store: how it is opened, ended, forked and closed.

Only the process that started a run ends it. A forked child, and a process that joined through the environment,
record into it and leave the end to the one that started it. A line that was let go of (`runline.close`, a
fork) opens anew with the next event, so that the hot path asks no questions.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from time import time_ns
from typing import TYPE_CHECKING, Any

from runline.intake.accept import draft
from runline.intake.safe import clean
from runline.model.event import Draft
from runline.model.limits import DEFAULT_LIMITS
from runline.model.status import END_STATUSES
from runline.record.config import settings, store_for
from runline.record.outcome import one_line
from runline.record.parent import Parent
from runline.record.plan import read_plan

if TYPE_CHECKING:
    from runline.store.line import Line
    from runline.store.recording_store import RecordingStore

log = logging.getLogger("runline")
_SHORT_WAIT_S = 0.05


class Recording:
    """Events of one run go through `_put`. After `_create` nothing raises."""

    def __init__(
        self, name: str, *, kind: str = "run", tenant: str | None = None, owned: bool = True
    ) -> None:
        self.name = name
        self.kind = kind
        self.tenant = tenant
        self.id = ""
        """Blank until started."""
        self.store: RecordingStore
        self.store_url = ""
        self.ended = False
        self._owned = owned
        """This process started it and will end it."""
        self._released = False
        self._lost = 0
        self._warned: set[str] = set()
        self._lock = threading.Lock()
        self._stream: Line | None = None
        self._draft: Callable[..., Draft] = draft
        self._put: Callable[[Draft], None] = self._refuse

    @property
    def lost(self) -> int:
        """Events known not to be stored: no room, no store, after the end, or impossible to make."""
        stream = self._stream
        return self._lost + (0 if stream is None else stream.dropped + stream.refused + stream.given_up)

    def flush(self, timeout_s: float | None = None) -> bool:
        """Whether every event of this run so far is durable; waits up to `timeout_s` (5 s unless configured)."""
        try:
            stream = self._stream
            if timeout_s is None:
                timeout_s = settings().flush_timeout_s
            return bool(self.id) and (stream is None or stream.flush(timeout_s)) and not self.lost
        except Exception as error:  # noqa: BLE001 - whatever it is, the host program goes on
            self.failed_to("flush", error)
            return False

    def put_all(self, drafts: Sequence[Draft], *, timeout_s: float) -> None:
        """Queues many events, waiting that long for room; only briefly once some found none."""
        try:
            stream = self._stream or self._open()
            if drafts:
                stream.put_all(drafts, timeout_s=_SHORT_WAIT_S if stream.dropped else timeout_s)
        except Exception as error:  # noqa: BLE001 - as in `flush`
            self.failed_to("record events", error, lost=len(drafts))

    def failed_to(self, what: str, reason: object, *, lost: int = 0) -> None:
        """Counts what was lost, and says once per kind what went wrong."""
        self._lost += lost
        if what not in self._warned:
            self._warned.add(what)
            # Cleaned: no handler can write a lone surrogate, and this is the last place where a host may be hurt.
            who = self.id or self.name
            log.warning("runline: %s", clean(f"run {who} could not {what}: {one_line(reason)}"))

    # -- beginning

    def _create(
        self, parent: Parent, *, store: Any, plan: Any, tags: Sequence[str], input: Any, run_id: str | None
    ) -> None:
        """Makes the run in its store, from any thread; durable when it returns. Raises what `start` raises."""
        read = read_plan(plan)
        around = parent.run
        chosen = store_for(around.store if store is None and around is not None else store)
        tenant = self.tenant or (around.tenant if around is not None else None) or "default"
        made = chosen.create_run(
            self.name,
            kind=self.kind,
            run_id=run_id,
            tenant=tenant,
            tags=tags,
            input=input,
            plan=read,
            parent_run_id=parent.id_in(chosen),
            announced=True,
        )
        self.kind, self.tenant = made.kind, made.tenant_id
        self._attach(chosen, made.run_id)

    def _attach(self, store: RecordingStore, run_id: str) -> None:
        redactor = settings().redactor
        if redactor is not None or store.limits is not DEFAULT_LIMITS:
            self._draft = functools.partial(draft, limits=store.limits, redactor=redactor)
        self.store, self.store_url, self.id = store, store.url, run_id
        self._open()

    # -- ending

    def _end(self, status: str, error: str | None, *, partial: bool = False) -> None:
        """Queues the end event, once, and only in the process that started the run."""
        with self._lock:
            if self.ended or not self._owned or not self.id:
                return
            self.ended = True
        try:
            stream = self._stream or self._open()
            drafts: list[Draft] = []
            if stream.given_up:
                status = "failed"
                error = error or f"{stream.given_up} events could not be stored"
                drafts.append(self._made("ingest_failed", {"count": stream.given_up, "error": error}))
            data: dict[str, Any] = {"status": status if status in END_STATUSES else "failed"}
            if error:
                data["error"] = error
            if partial:
                data["partial"] = True
            drafts.append(self._made("session_ended" if self.kind == "session" else "run_ended", data))
            stream.put_all(drafts, timeout_s=settings().flush_timeout_s)
        except Exception as problem:  # noqa: BLE001 - as in `flush`
            self.failed_to("write its end", problem, lost=1)

    def _made(self, type: str, data: Mapping[str, Any]) -> Draft:
        return self._draft(type, "", data, source="runline", ts_ms=time_ns() // 1_000_000)

    # -- opening

    def let_go(self) -> None:
        """Its store is about to be closed; the next event opens it again."""
        with self._lock:
            self._lost = self.lost
            self._stream = None
            self._released = True
            self._put = self._put_again

    def forked(self) -> None:
        """In a forked child: the run stays the parent's; what the child records opens a line of its own."""
        self._lock = threading.Lock()
        self._owned = False
        self._lost = 0
        self._stream = None
        self._put = self._put_again

    def _put_again(self, event: Draft) -> None:
        self._open().put(event)

    def _refuse(self, _: Draft) -> None:
        self.failed_to("record an event", "it has not been started", lost=1)

    def _open(self) -> Line:
        with self._lock:
            if self._stream is None:
                if self._released:
                    self.store = store_for(self.store_url)
                    self._released = False
                self._stream = self.store.stream(self.id, announced=self._owned and not self.ended)
                self._put = self._stream.put
            return self._stream
