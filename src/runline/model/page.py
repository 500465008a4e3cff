"""A page of a list: the items, and where the next page begins."""

from __future__ import annotations

from typing import Generic, TypeVar

from msgspec import Struct

T = TypeVar("T")


class Page(Struct, Generic[T], frozen=True):
    """`next_cursor` is opaque, and None on the last page."""

    items: list[T]
    next_cursor: str | None = None
    has_more: bool = False
