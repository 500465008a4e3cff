"""A run in the writer's hands, and where a batch of its events went."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from runline.fold.state import RunFold
from runline.model.catalogue import END_TYPES
from runline.model.event import Draft

Shape = tuple[int, int, int | None, int | None, int]
"""level, type, step and source as codes, and the part of the checksum they share."""


class Entry(Struct):
    """One run in the writer's cache."""

    run: int
    tenant: str
    fold: RunFold
    saved_seq: int
    checkpoint_seq: int
    checkpoint_bytes: int = 0
    shapes: dict[tuple[str, str, str | None, str | None], Shape] = field(default_factory=dict)


class Placed(Struct, frozen=True):
    """Where a batch went: seqs `first_seq` … `last_seq` and their ids; `not_stored` were beyond the limit."""

    first_seq: int
    last_seq: int
    first_id: int
    not_stored: int = 0

    def seqs(self, drafts: Sequence[Draft]) -> list[int | None]:
        """The seq of each event of the batch, None where it was not stored.

        What is left out stands before the end event, whose seq is the last one: `limit_reached` may have come
        between.
        """
        if not drafts:
            return []
        end = [self.last_seq] if drafts[-1].type in END_TYPES else []
        plain = len(drafts) - self.not_stored - len(end)
        return [*range(self.first_seq, self.first_seq + plain), *[None] * self.not_stored, *end]
