"""A run while it happens: `with runline.run(...) as run`, and everything a program says through it.

Starting may raise, since a program should learn at once that its run is not recorded. After that nothing does:
an event is drafted in the caller's thread and queued, and the store's writer thread commits it soon after.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from time import time_ns
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from runline.model.catalogue import END_TYPES
from runline.record import lifetime
from runline.record.artifact import kept
from runline.record.call import ActiveCall
from runline.record.config import DEFAULT_URL, settings
from runline.record.context import RUN, STEP
from runline.record.environment import variables
from runline.record.given import as_dict, as_text
from runline.record.outcome import error_data, one_line, outcome
from runline.record.parent import Parent, parent_here
from runline.record.recording import Recording
from runline.record.step import ActiveStep
from runline.store.location import is_remote

if TYPE_CHECKING:
    from runline.model.note import Note


class ActiveRun(Recording):
    """One run of this process. Everything but starting is safe from any thread and never raises."""

    def __init__(
        self,
        name: str,
        *,
        kind: str = "run",
        tags: Sequence[str] = (),
        input: Any = None,
        tenant: str | None = None,
        plan: Any = None,
        run_id: str | None = None,
        store: Any = None,
        owned: bool = True,
    ) -> None:
        super().__init__(name, kind=kind, tenant=tenant, owned=owned)
        self.outer: ActiveRun | None = None
        """The run of this process that it was started in."""
        self.in_main_thread = False
        self.default_step: str | None = None
        """Of events outside any step: the one that a joined run's parent was in."""
        self.failed_in: tuple[int, str] | None = None
        """id of the exception that a step was left with last, and the innermost such step."""
        self._given = {"store": store, "plan": plan, "tags": tags, "input": input, "run_id": run_id}
        self._cancelled = False
        self._look_again_s = 0.0

    # -- start and end

    def start(self) -> Self:
        """Creates the run, durably, and makes it the current one. Starting twice changes nothing.

        Raises Invalid, Conflict (the id is taken), NotFound, StoreFull, Unavailable.
        """
        if not self.id:
            parent = parent_here()
            self._create(parent, **self._given)
            self._enter(parent)
        return self

    def end(self, status: str = "completed", *, error: object = None, partial: bool = False) -> bool:
        """Writes the end event and waits for it (≤ `flush_timeout_s`); whether all of the run is durable.

        `status`: completed, failed, cancelled or interrupted; any other word counts as failed. `partial`: part of
        it succeeded. Outside the process that started the run nothing ends; it only waits.
        """
        self._leave()
        self._end(status, None if error is None else one_line(error), partial=partial)
        return self._settle()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._exit(error)
        self._settle()

    async def __aenter__(self) -> Self:
        import asyncio

        if not self.id:
            parent = parent_here()
            await asyncio.to_thread(self._create, parent, **self._given)
            self._enter(parent)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        import asyncio

        self._exit(error)
        await asyncio.to_thread(self._settle)

    def _enter(self, parent: Parent) -> None:
        self._given.clear()
        self.outer = parent.run
        self.in_main_thread = threading.current_thread() is threading.main_thread()
        RUN.set(self)
        lifetime.opened(self)

    def _exit(self, error: BaseException | None) -> None:
        how = outcome(error)
        if how.status == "failed":
            told = self.failed_in
            self.error(error, step=told[1] if told is not None and told[0] == id(error) else None)
        self._leave()
        self._end(how.status, how.error)

    def _leave(self) -> None:
        if RUN.get() is self:
            RUN.set(self.outer)

    def _settle(self) -> bool:
        """Waits until what is queued is durable; whether all of the run is."""
        written = self.flush()
        if self.ended:
            if self._stream is not None:
                self._stream.close()
            lifetime.closed(self)
        return written

    def abandon(self, error: object) -> None:
        """The process ends and nobody has ended the run: `error` is what ended the process, None for nothing."""
        if self.ended or not self._owned:
            return
        if error is None:
            self._end("interrupted", "the process ended without ending the run")
        else:
            self.error(error)
            self._end("failed", one_line(error))

    # -- telling

    def event(
        self,
        type: str = "log",
        message: str = "",
        *,
        data: Mapping[str, Any] | None = None,
        step: str | None = None,
        level: str | None = None,
        source: str | None = None,
        correlation_id: str | None = None,
        durable: bool = False,
    ) -> bool:
        """Queues an event; without `step` it belongs to the step of this context.

        `durable` waits for the commit (≤ `flush_timeout_s`) and answers whether it happened; otherwise the
        answer is False, because nothing is known yet. An end type ends the run.
        """
        try:
            if step is None:
                held = STEP.get()
                step = (
                    self.default_step
                    if held is None
                    else held.name
                    if held.run is self
                    else self._step_name()
                )
            made = self._draft(
                type,
                message,
                data,
                step=step,
                level=level,
                source=source,
                correlation_id=correlation_id,
                ts_ms=time_ns() // 1_000_000,
            )
            if made.type in END_TYPES:
                said = as_dict(data)
                return self.end(said.get("status", "completed"), error=said.get("error"))
            self._put(made)
        except Exception as error:  # noqa: BLE001 - whatever it is, the host program goes on
            self.failed_to("record an event", error, lost=1)
            return False
        return durable and self.flush()

    def error(self, error: object, message: str = "", *, step: str | None = None) -> None:
        """An `error` event of an exception, or of anything else that tells what went wrong."""
        self.event("error", as_text(message) or one_line(error), data=error_data(error), step=step)

    def step(
        self,
        name: str,
        *,
        total: int | None = None,
        after: str | Iterable[str] = (),
        persona: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> ActiveStep:
        """A part of the run, to be entered with `with` or `async with`; `after` names the steps it waits for."""
        return ActiveStep(self, name, total=total, after=after, persona=persona, data=data)

    def call(
        self,
        kind: str,
        name: str | None = None,
        *,
        model: str | None = None,
        message: str = "",
        data: Mapping[str, Any] | None = None,
        step: str | None = None,
        source: str | None = None,
    ) -> ActiveCall:
        """A request and its response, to be entered with `with` or `async with`. Kinds: llm, tool, patch, test."""
        return ActiveCall(self, kind, name, model=model, message=message, data=data, step=step, source=source)

    def artifact(
        self,
        name: str,
        path: Any = None,
        *,
        type: str | None = None,
        step: str | None = None,
        content: str | bytes | None = None,
        data: Mapping[str, Any] | None = None,
        copy: bool = True,
    ) -> None:
        """Registers a file, or `content`, as something the run made; a copy is kept beside the store.

        Named but not copied: with `copy=False`, what is no regular file or larger than 256 MiB, and a symbolic
        link that leads out of its folder. The event's `not_copied` says why.
        """
        step = self._step_name() if step is None else step
        try:
            told = kept(self, name, path, type=type, step=step, content=content, data=data, copy=copy)
        except Exception as error:  # noqa: BLE001 - as in `event`
            self.failed_to("keep an artifact", error)
            told = {"name": name, "type": type, "not_copied": one_line(error)}
        why = told.get("not_copied") if copy else None
        message = f"Artifact {as_text(name, 'unnamed')} was not kept: {why}" if why else ""
        self.event("artifact_created", message, data=told, step=step, level="warn" if why else None)

    def note(
        self,
        note: str,
        *,
        author: str | None = None,
        labels: Sequence[str] = (),
        actions: Sequence[str] = (),
        event_seq: int | None = None,
    ) -> Note | None:
        """Writes a note beside the run; None when it could not be stored."""
        try:
            return self.store.add_note(
                self.id, note, author=author, labels=labels, actions=actions, event_seq=event_seq
            )
        except Exception as error:  # noqa: BLE001 - as in `event`
            self.failed_to("store a note", error)
            return None

    # -- what is known

    @property
    def url(self) -> str:
        """Its page on its store's server, else on the one that `configure(url=)` names or a local `runline serve`."""
        base = self.store_url if is_remote(self.store_url) else settings().url or DEFAULT_URL
        return f"{base.rstrip('/')}/runs/{self.id}"

    @property
    def cancel_requested(self) -> bool:
        """Whether somebody asked it to stop; looked up ten times a second at most, on a server once: ask in every loop."""
        now_s = time.monotonic()
        if not self._cancelled and self.id and now_s >= self._look_again_s:
            self._look_again_s = now_s + self.store.look_every_s
            try:
                self._cancelled = self.store.is_cancelled(self.id)
            except Exception as error:  # noqa: BLE001 - as in `event`
                self.failed_to("look for a cancellation", error)
        return self._cancelled

    def environment(self) -> dict[str, str]:
        """The variables that make a child process join this run: `subprocess.run(env=os.environ | …)`."""
        return variables(self.store_url, self.id, self._step_name())

    def _step_name(self) -> str | None:
        """The innermost step of this run in this context; steps of runs inside it are passed over."""
        held = STEP.get()
        while held is not None and held.run is not self:
            held = held.outer
        return self.default_step if held is None else held.name
