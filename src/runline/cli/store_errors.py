"""What the store refuses, in the words of the command line."""

from __future__ import annotations

from runline.model.errors import RunlineError

_CANNOT_WRITE = frozenset({"cannot_create", "read_only"})


def cannot_write(error: RunlineError) -> bool:
    """Whether there is no place for a store where one was to be."""
    return error.code in _CANNOT_WRITE


def said(error: RunlineError) -> str:
    """The sentence for a person: the reason once, without the operating system's number and its own path."""
    cause = error.__cause__
    if error.code != "cannot_create" or not isinstance(cause, OSError) or str(cause) not in error.message:
        return error.message
    reason = error.message.replace(str(cause), cause.strerror or "it is refused")
    return f"{reason} Name another place with --store."
