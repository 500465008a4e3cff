"""Pages of a log as they were answered, for those who ask the same again.

A log only grows, so a page stays what it is for as long as its run is no longer than it was. People who look at
one run ask for the same pages, and a poller asks for the same one until something happens.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

from runline.store.locate import Located

_MOST_BYTES = 8 * 1024 * 1024
_LARGEST_BYTES = _MOST_BYTES // 8


class Pages:
    """The least recently asked for go first. Used in the event loop alone."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._kept: OrderedDict[Hashable, tuple[tuple[int, int], bytes]] = OrderedDict()

    def get(self, asked: Hashable, run: Located) -> bytes | None:
        """The page, unless the run has grown since or is another one. Whoever asks must see the run."""
        kept = self._kept.get(asked)
        if kept is None or kept[0] != (run.run, run.last_seq):
            return None
        self._kept.move_to_end(asked)
        return kept[1]

    def keep(self, asked: Hashable, run: Located, page: bytes) -> None:
        """`run` as it was before the page was read."""
        _, before = self._kept.pop(asked, (None, b""))
        self.size_bytes -= len(before)
        if len(page) > _LARGEST_BYTES:
            return
        self._kept[asked] = (run.run, run.last_seq), page
        self.size_bytes += len(page)
        while self.size_bytes > _MOST_BYTES:
            _, (_, oldest) = self._kept.popitem(last=False)
            self.size_bytes -= len(oldest)
