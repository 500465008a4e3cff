"""A step while it happens: started, making progress, and ended by the way it is left.

Progress never falls, and is told sparingly: the first twenty changes at once, then ten a second, and what
was held back before the step fails. So tracking a million items costs a comparison each.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast, overload

from runline.record import lifetime
from runline.record.context import STEP
from runline.record.given import as_count, as_dict, as_names, as_text, without_none
from runline.record.outcome import error_data, outcome

if TYPE_CHECKING:
    from runline.record.run import ActiveRun

T = TypeVar("T")
_BURST = 20
_PER_S = 10


class ActiveStep:
    """A step of a run. Safe from any thread; nothing raises but what the caller's iterable raises."""

    def __init__(
        self,
        run: ActiveRun,
        name: str,
        *,
        total: int | None = None,
        after: str | Iterable[str] = (),
        persona: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        self.run = run
        self.name = as_text(name, "step")
        self.outer: ActiveStep | None = None
        self.total = as_count(total) or None
        self._facts = as_dict(data) | without_none(
            total=self.total, dependencies=as_names(after) or None, persona=persona
        )
        self._result: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._started_s = 0.0
        self._ended = False
        self._done = 0
        self._report_at = 1
        self._percent = -1
        self._action: str | None = None
        self._told: tuple[int, str | None] = (-1, None)
        self._tokens = float(_BURST)
        self._filled_s = 0.0

    # -- start and end

    def start(self) -> Self:
        """Tells that it started, and makes it the step of this context."""
        self._started_s = self._filled_s = monotonic()
        self.outer = STEP.get()
        self.run.event("step_started", step=self.name, data=self._facts)
        STEP.set(self)
        lifetime.step_opened(self)
        return self

    def end(self, error: object = None) -> None:
        """Tells that it completed; with an error (an exception or a text), that it failed or was cancelled."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        if STEP.get() is self:
            STEP.set(self.outer)
        lifetime.step_closed(self)
        how = outcome(error)
        data = {"duration_ms": round((monotonic() - self._started_s) * 1000)} | self._result
        if how.status == "completed":
            self.run.event("step_completed", step=self.name, data=data)
            return
        self._tell_held_back()
        data["error"] = how.error
        if how.status == "cancelled":
            data["status"] = "cancelled"
            self.run.event("step_failed", step=self.name, data=data, level="warn")
            return
        if self.run.failed_in is None or self.run.failed_in[0] != id(error):
            self.run.failed_in = (id(error), self.name)
            data |= {key: value for key, value in error_data(error).items() if key in ("stack", "cause")}
        self.run.event("step_failed", step=self.name, data=data)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    async def __aenter__(self) -> Self:
        return self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def result(
        self,
        *,
        tokens_used: int | None = None,
        tokens_in: int | None = None,
        tokens_out: int | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """What its end event will say besides; later calls add to earlier ones."""
        self._result |= without_none(tokens_used=tokens_used, tokens_in=tokens_in, tokens_out=tokens_out)
        self._result |= as_dict(data)

    def event(self, type: str = "log", message: str = "", **fields: Any) -> bool:
        """`run.event` with this step, from whatever context."""
        return self.run.event(type, message, **({"step": self.name} | fields))

    # -- progress

    def progress(self, percent: float, action: str | None = None) -> None:
        """How far it is, 0 to 100; a lower figure than before changes only the action."""
        whole = min(100, max(0, as_count(percent)))
        with self._lock:
            self._percent = max(self._percent, whole)
            self._action = as_text(action) or self._action
            due = self._is_due()
        if due:
            self._tell()

    def advance(self, count: int = 1, action: str | None = None) -> None:
        """So many more of `total` are done; without a total only the count is kept."""
        with self._lock:
            self._done += count if type(count) is int else as_count(count)
            done, total = self._done, self.total
            if action is not None:
                self._action = as_text(action) or self._action
            if total is None or (done < self._report_at and action is None):
                return
            percent = done * 100 // total
            self._report_at = -(-(percent + 1) * total // 100)
        self.progress(percent)

    @overload
    def track(self, items: Iterable[T], total: int | None = None) -> Iterator[T]: ...
    @overload
    def track(self, items: AsyncIterable[T], total: int | None = None) -> AsyncIterator[T]: ...
    def track(
        self, items: Iterable[T] | AsyncIterable[T], total: int | None = None
    ) -> Iterator[T] | AsyncIterator[T]:
        """The same items; each counts as done when the next is asked for. `total`: else the step's, else `len`."""
        if (expected := as_count(total) or self.total or _length(items)) > 0:
            self.total = expected
        if hasattr(type(items), "__aiter__"):
            return self._track_async(cast("AsyncIterable[T]", items))
        return self._track(cast("Iterable[T]", items))

    def _track(self, items: Iterable[T]) -> Iterator[T]:
        stride, count = self._stride(), 0
        for item in items:
            yield item
            count += 1
            if count == stride:
                self.advance(count)
                count = 0
        self.advance(count)

    async def _track_async(self, items: AsyncIterable[T]) -> AsyncIterator[T]:
        stride, count = self._stride(), 0
        async for item in items:
            yield item
            count += 1
            if count == stride:
                self.advance(count)
                count = 0
        self.advance(count)

    def _stride(self) -> int:
        """Items per report: a thousandth of all, so that the count stays near the truth."""
        return max(1, (self.total or 1000) // 1000)

    def _is_due(self) -> bool:
        """Whether the state may be told now, with the lock held."""
        if (self._percent, self._action) == self._told or self._ended:
            return False
        now_s = monotonic()
        self._tokens = min(_BURST, self._tokens + (now_s - self._filled_s) * _PER_S)
        self._filled_s = now_s
        if self._tokens < 1 and self._percent < 100:
            return False
        self._tokens -= 1
        return True

    def _tell(self) -> None:
        percent, action = self._told = (self._percent, self._action)
        data: dict[str, Any] = {"progress": max(0, percent)}
        if action is not None:
            data["current_action"] = action
        self.run.event("step_progress", step=self.name, data=data)

    def _tell_held_back(self) -> None:
        if self._percent >= 0 and (self._percent, self._action) != self._told:
            self._tell()

    def forked(self) -> None:
        """In a forked child: a lock that another thread held stays held for ever."""
        self._lock = threading.Lock()


def _length(items: Any) -> int:
    try:
        return len(items)
    except Exception:  # noqa: BLE001 - no length, or one that raises: then there is no percentage
        return 0
