"""Sizes in bytes, as people write and read them."""

from __future__ import annotations

import re

from runline.model.errors import Invalid

_UNITS = {"": 1, "b": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_SIZE = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,3})?)\s*([kmgt]?)(i?)b?", re.IGNORECASE)


def format_size(size_bytes: int | None) -> str:
    """`512 B`, `1.4 MB`, `2.0 GB`; blank when it is not known."""
    if size_bytes is None:
        return ""
    amount, unit = float(size_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if abs(amount) < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{size_bytes} B" if unit == "B" else f"{amount:.1f} {unit}"


def parse_size(text: str) -> int:
    """Bytes of `500MB`, `1.5 GB`, `1GiB` or a bare number. Raises Invalid (`bad_size`)."""
    found = _SIZE.fullmatch(text.strip())
    if not found:
        raise Invalid(f"{text[:60]!r} is not a size; write it like 500MB, 1.5GB or 1GiB.", code="bad_size")
    number, unit, binary = found.groups()
    scale = _UNITS[unit.lower()]
    if binary:
        scale = 1024 ** ("kmgt".index(unit.lower()) + 1) if unit else 1
    return round(float(number) * scale)
