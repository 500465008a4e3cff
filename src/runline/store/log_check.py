"""Checking one run's log, row by row: gapless, unchanged, readable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from runline.model.checksum import content_check, place_check, seal
from runline.model.event import Event
from runline.store.log import Decoder, LogRow

Kind = Literal["database", "unreadable", "damaged", "checksum", "json", "code", "gap", "double", "order",
               "last_seq", "orphan", "projection", "checkpoint"]  # fmt: skip
Report = Callable[[int | None, Kind, str], None]
"""Takes seq (None: the run as a whole), kind and a sentence."""

_decode = msgspec.json.Decoder(dict).decode


class LogCheck:
    """Takes the rows in order and reports what is wrong with them."""

    def __init__(self, run: int, decoder: Decoder, report: Report) -> None:
        self.decoder = decoder
        self.events = 0
        self._run = run
        self._report = report
        self._expected = 1
        self._last_id = 0

    def check(self, row: LogRow) -> Event | None:
        """The event when nothing is wrong with it itself; at most one thing is reported of a row."""
        self.events += 1
        seq = row.seq
        if seq < self._expected:
            self._report(seq, "double" if seq > 0 else "order", "this seq must not be here")
        else:
            self._miss(seq)
            self._expected = seq + 1
        if row.id <= self._last_id:
            self._report(seq, "order", f"its id {row.id} is not above that of the event before")
        self._last_id = row.id
        if not row.sound:
            self._report(seq, "damaged", "the row is missing, of the wrong types or not as its index says")
            return None
        if not self._unchanged(row):
            self._report(seq, "checksum", "the event is not what was written")
            return None
        try:
            event = self.decoder.event(row)
        except (KeyError, IndexError) as error:
            self._report(seq, "code", f"{error} stands for nothing")
            return None
        try:
            _decode(row.data)
        except (msgspec.MsgspecError, RecursionError) as error:
            self._report(seq, "json", f"data is no JSON object: {error}")
            return None
        return event

    def pass_over(self, seq: int) -> None:
        """That seq could not be read, which has been reported."""
        self._miss(seq)
        self._expected = seq + 1

    def end(self, last_seq: int, next_id: int) -> None:
        """There are no more rows."""
        self._miss(last_seq + 1)
        if self._expected - 1 > last_seq:
            self._report(
                None,
                "last_seq",
                f"the run says that {last_seq} is its last event; it is {self._expected - 1}",
            )
        if self._last_id >= next_id:
            self._report(self._expected - 1, "order", f"the id {self._last_id} was never given out")

    def _miss(self, seq: int) -> None:
        if seq > self._expected:
            self._report(self._expected, "gap", f"events {self._expected} to {seq - 1} are missing")

    def _unchanged(self, row: LogRow) -> bool:
        try:
            correlation_id = None if row.correlation_id is None else row.correlation_id.decode()
            row.message.decode()
        except UnicodeDecodeError:
            return False
        content = content_check(row.ts, row.message, correlation_id, row.data)
        return row.crc == seal(
            content, place_check(self._run, row.level, row.type, row.step, row.source), row.seq
        )
