"""Run ids: made readable, sortable by eye and unguessable; brought ones are checked.

An id ends up in URLs, file paths and terminals, so its alphabet is narrow.
"""

from __future__ import annotations

import os
import re
import unicodedata

from runline.model.clock import from_ms
from runline.model.errors import Invalid

_BROUGHT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_RESERVED = frozenset({"export", "import", "bulk", "counts"})
"""Words that are routes beside `/api/runs/{id}`."""


def slug(name: str) -> str:
    """The name in ≤ 60 lower-case ASCII letters, digits and dashes; `run` when nothing is left."""
    ascii_name = unicodedata.normalize("NFKD", name[:400]).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", ascii_name.lower()).strip("-")[:60].strip("-") or "run"


def new_run_id(name: str, now_ms: int) -> str:
    """`<slug>-YYYYMMDD-HHMMSS-<40 random bits>`."""
    return f"{slug(name)}-{from_ms(now_ms):%Y%m%d-%H%M%S}-{os.urandom(5).hex()}"


def check_run_id(run_id: str, *, field: str = "run_id") -> str:
    """The id a caller brought, unchanged; raises Invalid, about that field, when it may not be one."""
    if not isinstance(run_id, str) or not _BROUGHT.fullmatch(run_id):
        raise Invalid(
            "A run id has 1 to 128 letters, digits, '.', '_', ':' or '-' and starts with a letter or digit.",
            code="bad_run_id",
            fields={field: "not a valid run id"},
        )
    if run_id in _RESERVED:
        raise Invalid(
            f"{run_id!r} is a reserved word; choose another run id.",
            code="bad_run_id",
            fields={field: "reserved"},
        )
    return run_id
