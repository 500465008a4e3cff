"""What makes two messages the same one: numbers, ids, times, addresses and paths replaced by a mark.

"timeout after 31 s on job 7f3a9c21" and "timeout after 2 s on job 0b44d1ee" are one error. The mask is
one linear pass over a bounded piece of the text.
"""

from __future__ import annotations

import re
from hashlib import blake2b

_CHARS = 500
_PATHS = r"(?P<path>(?:\b[A-Za-z]:|~|\.{1,2})?(?:[\\/][\w.@+%~=-]+)+[\\/]?)"
_VALUES = (
    r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"
    r"|\b0[xX][0-9a-fA-F]+\b"
    r"|\b(?=[a-fA-F]{0,39}[0-9])[0-9a-fA-F]{7,}\b"
    r"|[0-9](?:[0-9.,:_]|T(?=[0-9])|[-+](?=[0-9]))*Z?"
)
_values = re.compile(_VALUES)
_values_and_paths = re.compile(f"{_PATHS}|{_VALUES}")
_MATRIX = re.compile(r"\[\d+\]$")


def mask(message: str) -> str:
    """The message with numbers, ids and times as `#`; of at most its first 500 characters."""
    return _values.sub("#", message[:_CHARS])


def fingerprint(name: str | None, message: str, step: str | None) -> str:
    """Sixteen hex digits that stay the same for the same error, also in another run or matrix step."""
    masked = _values_and_paths.sub(lambda found: "/…" if found.lastgroup == "path" else "#", message[:_CHARS])
    place = "" if step is None else _MATRIX.sub("", step)
    key = "\0".join((name or "", masked, place))
    return blake2b(key.encode("utf-8", "replace"), digest_size=8).hexdigest()
