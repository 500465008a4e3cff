"""What a piece of output means, and how each meaning looks with and without colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

Role = Literal[
    "plain",
    "bold",
    "dim",
    "running",
    "completed",
    "failed",
    "warn",
    "interrupted",
    "cancelled",
    "pending",
]
STYLES: dict[Role, tuple[str, str]] = {
    "plain": ("", ""),
    "bold": ("bold", "bold"),
    "dim": ("bright_black", "dim"),
    "running": ("bright_blue", "bold"),
    "completed": ("green", ""),
    "failed": ("bold bright_red", "bold"),
    "warn": ("yellow", "underline"),
    "interrupted": ("magenta", "bold"),
    "cancelled": ("white", ""),
    "pending": ("bright_black", "dim"),
}
"""By role: the style with colour, and without."""
_ROLE_OF: dict[str, Role] = {
    "running": "running",
    "retrying": "warn",
    "completed": "completed",
    "failed": "failed",
    "error": "failed",
    "warn": "warn",
    "interrupted": "interrupted",
    "cancelled": "cancelled",
}


class Span(NamedTuple):
    """A piece of a line and what it means."""

    text: str
    role: Role = "plain"


Cell = str | Span | Sequence[Span]


def role_of(state: str) -> Role:
    """The role of a run status, step state or level."""
    return _ROLE_OF.get(state, "pending")
