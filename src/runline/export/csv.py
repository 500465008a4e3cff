"""Tables as CSV (RFC 4180, UTF-8), first of all a run's events, with nothing in it that a spreadsheet takes for a formula.

A text that would start one is led by an apostrophe, as OWASP's "CSV Injection" advises; every text is
quoted, so that another separator opens no cell in the middle of it. It is for people and their tables;
to keep or move a run use JSONL.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

from runline.model.clock import to_iso
from runline.model.event import Event

Cell = str | int | float

COLUMNS = (
    "run_id",
    "seq",
    "ts",
    "elapsed_s",
    "level",
    "type",
    "step",
    "source",
    "message",
    "correlation_id",
    "data",
)

# Also behind blanks and invisible characters, which some programs strip, and as full-width forms.
_FORMULA = re.compile(r"[\s\ufeff\u200b-\u200f\u2060]*[=+\-@＝＋－＠]|[\t\r\n]")


def csv_chunks(events: Iterable[Event]) -> Iterator[bytes]:
    """The header line, then a record for each event."""
    return records(COLUMNS, map(_row, events))


def records(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """The header line, then each row as a record; texts as they are, `neutral` is the caller's."""
    buffer = io.StringIO()
    # Numbers alone stay bare: they are ours, and a table should add them up.
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(columns)
    for row in rows:
        yield _taken(buffer)
        writer.writerow(row)
    yield _taken(buffer)


def _row(event: Event) -> tuple[Cell, ...]:
    return (
        neutral(event.run_id),
        event.seq,
        to_iso(event.ts_ms),
        event.elapsed_s,
        event.level,
        neutral(event.type),
        neutral(event.step or ""),
        neutral(event.source or ""),
        neutral(event.message),
        neutral(event.correlation_id or ""),
        event.payload,
    )


def neutral(text: str) -> str:
    """The text, led by an apostrophe when a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def _taken(buffer: io.StringIO) -> bytes:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text.encode()
