"""Reading server-sent events: bytes as they come, into frames as they are complete."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

CAUGHT_UP = "caught up"
"""The comment by which the server says that what follows is news."""


class Frame(Struct, frozen=True):
    """One event of a stream, or one comment; `id` is the last that was told, blank before the first."""

    id: str
    data: bytes | None = None
    comment: str = ""


def frames(chunks: Iterable[bytes]) -> Iterator[Frame]:
    """The events and comments of a stream; one that is cut off at the end is left out."""
    told, data, rest = "", list[bytes](), b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" "))
            elif line.startswith(b"id:"):
                told = line[3:].removeprefix(b" ").decode()
            elif line.startswith(b":"):
                yield Frame(told, None, line[1:].strip().decode("utf-8", "replace"))
            elif not line and data:
                yield Frame(told, b"\n".join(data))
                data = []
