"""Turning words of the command line into values, without a schema library, which takes a while to load.

Typer validates through pydantic, whose import and schemas cost more than all the rest of `runline ls`. The
commands here take text, whole numbers, decimals and paths, alone or in lists; those are read by this file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, get_args, get_origin

import typer


class Plain:
    """Reads the values of one parameter; it stands where Typer would put its own reader."""

    def __init__(self, annotation: Any) -> None:
        self._is_list = get_origin(annotation) is list
        self._kind = get_args(annotation)[0] if self._is_list else annotation

    @property
    def can_read(self) -> bool:
        return self._kind in (bool, str, *_READERS)

    def coerce(self, value: Any, param: Any, ctx: Any) -> Any:
        if self._is_list:
            return tuple(self._one(item, param, ctx) for item in value or ())
        return None if value is None else self._one(value, param, ctx)

    def _one(self, value: Any, param: Any, ctx: Any) -> Any:
        if isinstance(value, self._kind):
            return value
        read, what = _READERS[self._kind]
        try:
            return read(value)
        except ValueError:
            raise typer.BadParameter(f"{str(value)[:60]!r} is not {what}.", ctx=ctx, param=param) from None


_READERS: dict[type, tuple[Callable[[str], Any], str]] = {
    int: (int, "a whole number"),
    float: (float, "a number"),
    Path: (Path, "a path"),
}


def read_plainly(params: Iterable[Any]) -> None:
    """Makes these parameters of a command use `Plain`."""
    for param in params:
        descriptor = getattr(param, "type_descriptor", None)
        if descriptor is not None and (plain := Plain(descriptor.annotation)).can_read:
            # Typer keeps its reader here once it has made it, and makes none when one is there.
            param._runtime_param = plain  # noqa: SLF001
