"""Which of the media types that a route offers a client would rather have (RFC 9110, section 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_QUALITY = re.compile(r"\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*", re.IGNORECASE)
_ANYTHING = ("*/*", 1.0)


def preferred(accept: str, offered: Sequence[str]) -> str:
    """The one that the Accept header ranks highest; the first when it has no opinion or wants none of them.

    Of equal quality is first what was named more exactly, then what was named earlier.
    """
    ranges = [_range(part) for part in accept.lower().split(",") if part.strip()] or [_ANYTHING]
    best, best_rank = offered[0], (0.0, 0, 0)
    for media in offered:
        wildcard = media.partition("/")[0] + "/*"
        for exactness, name in ((3, media), (2, wildcard), (1, "*/*")):
            found = [(quality, -at) for at, (range_, quality) in enumerate(ranges) if range_ == name]
            if found:
                quality, at = found[0]
                rank = (quality, exactness, at)
                if quality > 0 and rank > best_rank:
                    best, best_rank = media, rank
                break  # the most exact range decides
    return best


def _range(part: str) -> tuple[str, float]:
    """A media range and its quality; a parameter that cannot be read counts for nothing."""
    name, *parameters = part.split(";")
    for parameter in parameters:
        if said := _QUALITY.fullmatch(parameter):
            return name.strip(), float(said[1])
    return name.strip(), 1.0
