"""A step while it happens: started, making progress, and ended by the way it is left.

Progress never falls, and is told sparingly: the first twenty changes at once, then ten a second, and what
was held back before the step fails. So tracking a million items costs a comparison each.
"""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

from runline.record import lifetime
from runline.record.context import STEP
from runline.record.outcome import error_data, one_line, outcome

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
        self.name = name if isinstance(name, str) and name.strip() else "step"
        self.outer: ActiveStep | None = None
        self.total = total if type(total) is int and total > 0 else None
        self._facts: dict[str, Any] = dict(data) if isinstance(data, Mapping) else {}
        waits_for = [after] if isinstance(after, str) else _names(after)
        for key, value in (("total", self.total), ("dependencies", waits_for or None), ("persona", persona)):
            if value is not None:
                self._facts[key] = value
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
        self._started_s = self._filled_s = time.monotonic()
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
        how = outcome(error) if isinstance(error, BaseException) or error is None else None
        data = {"duration_ms": round((time.monotonic() - self._started_s) * 1000)} | self._result
        if how is not None and how.status == "completed":
            self.run.event("step_completed", step=self.name, data=data)
            return
        self._tell_held_back()
        data["error"] = one_line(error)
        if how is not None and how.status == "cancelled":
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
        figures = {"tokens_used": tokens_used, "tokens_in": tokens_in, "tokens_out": tokens_out}
        self._result |= {key: value for key, value in figures.items() if value is not None}
        if isinstance(data, Mapping):
            self._result |= data

    def event(self, type: str = "log", message: str = "", **fields: Any) -> bool:
        """`run.event` with this step, from whatever context."""
        return self.run.event(type, message, **({"step": self.name} | fields))

    # -- progress

    def progress(self, percent: float, action: str | None = None) -> None:
        """How far it is, 0 to 100; a lower figure than before changes only the action."""
        try:
            percent = min(100, max(0, int(percent)))
        except (TypeError, ValueError, OverflowError):
            percent = 0
        with self._lock:
            self._percent = max(self._percent, percent)
            if action is not None:
                self._action = action
            due = self._is_due()
        if due:
            self._tell()

    def advance(self, count: int = 1, action: str | None = None) -> None:
        """So many more of `total` are done; without a total only the count is kept."""
        with self._lock:
            self._done += count
            done, total = self._done, self.total
            if action is not None:
                self._action = action
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
        self._expect(items, total)
        if isinstance(items, AsyncIterable):
            return self._track_async(items)
        return self._track(items)

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

    def _expect(self, items: Any, total: int | None) -> None:
        if total is None and self.total is None:
            try:
                total = len(items)
            except Exception:  # noqa: BLE001 - no length, or a length that raises: then there is no percentage
                total = None
        if type(total) is int and total > 0:
            self.total = total

    def _stride(self) -> int:
        """Items per report: a thousandth of all, so that the count stays near the truth."""
        return max(1, (self.total or 1000) // 1000)

    def _is_due(self) -> bool:
        """Whether the state may be told now, with the lock held."""
        if (self._percent, self._action) == self._told or self._ended:
            return False
        now_s = time.monotonic()
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


def _names(after: Any) -> list[str]:
    try:
        return [name for name in after if isinstance(name, str)]
    except Exception:  # noqa: BLE001 - no iterable, or one that raises
        return []
