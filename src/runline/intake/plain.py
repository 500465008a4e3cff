"""Whether data is plain: nothing but exact JSON types, neither large nor deep, so that the hot path may encode it.

All looking is bounded, whatever refers to whatever.
"""

from __future__ import annotations

from typing import Any

MAX_MEMBERS = 4096
_SCALARS = frozenset({str, int, float, bool, type(None)})
_all_scalars = _SCALARS.issuperset
_kind_of = type


def shallow(data: dict[Any, Any]) -> bool:
    """Whether no container in it holds another one: the encoder judges the rest, and its work is bounded."""
    if len(data) > MAX_MEMBERS:
        return False
    for member in data.values():
        kind = member.__class__
        if kind is dict:
            if not _all_scalars(map(_kind_of, member.values())):
                return False
        elif (kind is list or kind is tuple) and not _all_scalars(map(_kind_of, member)):
            return False
    return True


def plain(data: dict[Any, Any], depth: int) -> bool:
    """Whether nested data holds nothing but exact JSON types, level by level; False also for what is large or deep.

    The work is bounded by `MAX_MEMBERS` containers and as many members of each: a list may hold another
    ten times over, and so on.
    """
    if len(data) > MAX_MEMBERS:
        return False
    level = [member for member in data.values() if member.__class__ not in _SCALARS]
    for _ in range(depth - 1):
        inner: list[Any] = []
        for member in level:
            kind = member.__class__
            if kind is dict:
                members = member.values()
            elif kind is list or kind is tuple:
                members = member
            else:
                return False
            if len(member) > MAX_MEMBERS or len(inner) > MAX_MEMBERS:
                return False
            if not _all_scalars(map(_kind_of, members)):
                inner += [each for each in members if each.__class__ not in _SCALARS]
        if not inner:
            return True
        level = inner
    return False
