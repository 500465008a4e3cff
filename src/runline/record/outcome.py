"""What an exception makes of a run, a step or a call, and how it is told in an event.

Normal leaving and `SystemExit(0)` complete; `KeyboardInterrupt`, asyncio's `CancelledError` and `GeneratorExit`
cancel; anything else fails. Nothing here raises, whatever the exception's own methods do.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any, NamedTuple, cast

from runline.model.status import EndStatus

_STACK_FRAMES = 30
_STACK_CHARS = 6_000
_MESSAGE_CHARS = 2_000
_CAUSES = 5


class Outcome(NamedTuple):
    """`error` is one line, None when it completed."""

    status: EndStatus
    error: str | None


def outcome(error: object) -> Outcome:
    """How something ended that was left with this exception, or with anything else that tells what went wrong."""
    if error is None or (issubclass(type(error), SystemExit) and _exit_code(error) in (None, 0)):
        return Outcome("completed", None)
    return Outcome("cancelled" if _is_cancellation(error) else "failed", one_line(error))


def one_line(error: object) -> str:
    """`ValueError: no such page`; for what is no exception, its text."""
    name, message = _name(error), _text(error)
    if not issubclass(type(error), BaseException):
        return message
    return f"{name}: {message}" if message else name


def error_data(error: object) -> dict[str, Any]:
    """`name`, `message`, `stack` (a preview of the last frames) and `cause` of an `error` event."""
    data: dict[str, Any] = {"name": _name(error), "message": _text(error)}
    if issubclass(type(error), BaseException):
        raised = cast("BaseException", error)
        data["stack"] = _stack(raised)
        if (cause := _cause(raised, frozenset())) is not None:
            data["cause"] = cause
    return data


def _exit_code(error: object) -> object:
    return cast("SystemExit", error).code


def _is_cancellation(error: object) -> bool:
    # A program that never imported asyncio cannot meet its exception, and need not pay for the import.
    cancelled = getattr(sys.modules.get("asyncio"), "CancelledError", KeyboardInterrupt)
    return issubclass(type(error), (KeyboardInterrupt, GeneratorExit, cancelled))


def _name(error: object) -> str:
    return type(error).__name__


def _text(error: object) -> str:
    try:
        if isinstance(error, SystemExit) and not isinstance(error.code, str):
            return f"exit code {error.code!r}"
        return str(error)[:_MESSAGE_CHARS].strip()
    except Exception:  # noqa: BLE001 - a host's own __str__ may do anything
        return f"<{_name(error)} without a text>"


def _stack(error: BaseException) -> str:
    try:
        lines = traceback.format_exception(type(error), error, error.__traceback__, limit=-_STACK_FRAMES)
        return "".join(lines)[-_STACK_CHARS:].strip()
    except Exception:  # noqa: BLE001 - the same holds for what a traceback prints
        return one_line(error)


def _cause(error: BaseException, seen: frozenset[int]) -> dict[str, Any] | None:
    """What led to it, each cause nested in the one it led to."""
    seen |= {id(error)}
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is None or id(before) in seen or len(seen) > _CAUSES:
        return None
    told = {"name": _name(before), "message": _text(before)}
    further = _cause(before, seen)
    return told if further is None else told | {"cause": further}
