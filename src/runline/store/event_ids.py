"""Ids of events: rising with seq within a run, and in one piece for what is appended together.

SQLite's come from a counter, which a transaction has to itself. On PostgreSQL many transactions take them at the same
time, each a block in advance; a block taken before a run's row was locked is no good for that run, which
may have got higher ones meanwhile.
"""

from __future__ import annotations

from runline.store.engine import Writing


class EventIds:
    """The ids of one transaction at a time."""

    def __init__(self) -> None:
        self._next = self._end = self._began = 0
        self._expected = 1
        self._marking = True

    def begin(self, tx: Writing) -> None:
        self._tx = tx
        self._expected, self._marking = 1, True
        self._next = self._end = self._began = 0
        if not tx.shared:
            self._next = self._began = tx.execute("SELECT value FROM counters WHERE name = 'next_event_id'")[
                0
            ][0]

    def expect(self, count: int) -> None:
        """About so many will be taken: one question instead of many."""
        self._expected = count

    def renounce(self) -> None:
        """A run was locked: what is taken from now on is higher than all it has."""
        self._end = self._next

    def take(self, count: int) -> int:
        """So many in a row; the first of them."""
        if self._tx.shared and self._end - self._next < count:
            amount = max(count, self._expected)
            self._next = self._tx.execute("SELECT take_event_ids(?, ? = 1)", (amount, self._marking))[0][0]
            self._end, self._marking = self._next + amount, False
        self._next += count
        return self._next - count

    def flush(self) -> None:
        """At the end of the transaction."""
        if not self._tx.shared and self._next != self._began:
            self._tx.execute("UPDATE counters SET value = ? WHERE name = 'next_event_id'", (self._next,))
