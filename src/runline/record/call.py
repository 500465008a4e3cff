"""A call while it happens: a request event, and a response event with the same correlation id.

Kinds and their pairs: `llm` (llm_request, llm_response), `tool` (tool_call, tool_result), `patch` (patch_proposed,
patch_applied), `test` (test_started, test_result). A call inside a call names it as `data.parent`.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from runline.record.context import CALL
from runline.record.given import as_dict, as_text, without_none
from runline.record.outcome import error_data, one_line, outcome

if TYPE_CHECKING:
    from runline.record.run import ActiveRun

PAIRS = {
    "llm": ("llm_request", "llm_response"),
    "tool": ("tool_call", "tool_result"),
    "patch": ("patch_proposed", "patch_applied"),
    "test": ("test_started", "test_result"),
}


class ActiveCall:
    """One call. What `result` said goes into the response; an exception makes it an error with `ok: false`."""

    def __init__(
        self,
        run: ActiveRun,
        kind: str,
        name: str | None = None,
        *,
        model: str | None = None,
        message: str = "",
        data: Mapping[str, Any] | None = None,
        step: str | None = None,
        source: str | None = None,
    ) -> None:
        self.run = run
        # Rising, so that the index over correlation ids grows at its edge (docs/decisions/0001).
        self.correlation_id = f"{time.time_ns() // 1000:013x}{os.urandom(3).hex()}"
        self.outer: ActiveCall | None = None
        if as_text(kind) not in PAIRS:
            run.failed_to("name a call's kind", f"{as_text(kind, '?')[:60]}; it is told as a tool's")
            kind, name = "tool", as_text(name) or one_line(kind)
        self._request, self._response = PAIRS[kind]
        self._facts = without_none(name=name, model=model) | as_dict(data)
        self._place: dict[str, Any] = {"step": step, "source": source, "correlation_id": self.correlation_id}
        self._message = message
        self._started_s = 0.0
        self._ended = False
        self._told = ""
        self._result: dict[str, Any] = {}

    def result(
        self,
        message: str = "",
        *,
        tokens_used: int | None = None,
        tokens_in: int | None = None,
        tokens_out: int | None = None,
        ok: bool | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        """What the response will say; later calls add to earlier ones."""
        self._result |= without_none(
            tokens_used=tokens_used, tokens_in=tokens_in, tokens_out=tokens_out, ok=ok
        )
        self._result |= as_dict(data)
        self._told = as_text(message) or self._told

    def start(self) -> Self:
        """Tells the request."""
        self.outer = CALL.get()
        if self.outer is not None and self.outer.run is self.run:
            self._facts.setdefault("parent", self.outer.correlation_id)
        self.run.event(self._request, self._message, data=self._facts, **self._place)
        self._started_s = time.monotonic()
        CALL.set(self)
        return self

    def end(self, error: object = None) -> None:
        """Tells the response, once; with an error (an exception or a text), that the call failed."""
        if self._ended:
            return
        self._ended = True
        if CALL.get() is self:
            CALL.set(self.outer)
        data: dict[str, Any] = {"duration_ms": round((time.monotonic() - self._started_s) * 1000)}
        how = outcome(error)
        if how.status == "completed":
            data |= {"ok": True} | self._result
            level = "error" if data["ok"] is False else None
            self.run.event(self._response, self._told, data=data, level=level, **self._place)
            return
        data |= self._result | {"ok": False, "error": how.error}
        if how.status == "cancelled":
            data["status"], level = "cancelled", "warn"
        else:
            level = "error"
            data |= {key: value for key, value in error_data(error).items() if key in ("stack", "cause")}
        self.run.event(self._response, self._told or data["error"], data=data, level=level, **self._place)

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
