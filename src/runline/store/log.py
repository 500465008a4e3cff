"""The log as it lies in the database, for those who check it or fold it anew.

On SQLite the index and the table are both read, each for itself, because a reader that trusts the index never
sees what has become of the table. Text comes as bytes: a damaged one need not be UTF-8.
"""

from __future__ import annotations

from typing import NamedTuple

from runline.model.event import Event
from runline.store.codes import LEVEL_NAMES, Codes
from runline.store.engine import Reading

PAGE = 1_000
_NUMBERS = ("run", "seq", "ts", "level", "type", "crc")
_OPTIONAL = ("step", "source")
_SOUND = " AND ".join(
    [f"typeof(e.{column}) = 'integer'" for column in _NUMBERS]
    + [f"typeof(e.{column}) IN ('integer', 'null')" for column in _OPTIONAL]
    + [
        "typeof(e.message) = 'text' AND typeof(e.data) = 'text'",
        "typeof(e.correlation_id) IN ('text', 'null')",
    ]
    + [f"e.{column} IS i.{column}" for column in ("run", "seq", "level", "step", "type")]
)
_SELECT = (
    f"/* log rows */ SELECT i.seq, i.id, ({_SOUND}), "
    + ", ".join(f"CAST(e.{column} AS INTEGER)" for column in ("ts", "level", "type", "step", "source"))
    + ", CAST(e.message AS BLOB), CAST(e.correlation_id AS BLOB), CAST(e.data AS BLOB), CAST(e.crc AS INTEGER) "
    "FROM events AS i INDEXED BY events_by_run LEFT JOIN events AS e NOT INDEXED ON e.id = i.id "
    "WHERE i.run = :run AND i.seq BETWEEN :low AND :high ORDER BY i.seq, i.id"
)


class LogRow(NamedTuple):
    """One entry of the index with its row. `sound`: the row is there, of the right types, and the two agree."""

    seq: int
    id: int
    sound: bool
    ts: int
    level: int
    type: int
    step: int | None
    source: int | None
    message: bytes
    correlation_id: bytes | None
    data: bytes
    crc: int


def span(source: Reading, run: int, after_seq: int | None) -> tuple[int, int] | None:
    """The lowest and the highest seq that the run has after that one; None when there is none."""
    low, high = source.execute(
        "SELECT (SELECT min(seq) FROM events WHERE run = :run AND (CAST(:after AS BIGINT) IS NULL OR seq > :after)), "
        "(SELECT max(seq) FROM events WHERE run = :run AND (CAST(:after AS BIGINT) IS NULL OR seq > :after))",
        {"run": run, "after": after_seq},
    )[0]
    return None if low is None else (low, high)


def rows(source: Reading, run: int, low: int, high: int) -> list[LogRow]:
    """What stands in the log for those seqs, ascending; a seq may be missing or come twice."""
    return [LogRow(*row) for row in source.execute(_SELECT, {"run": run, "low": low, "high": high})]


class Decoder:
    """Rows of one run as events. `steps` are the names by number."""

    def __init__(self, codes: Codes, run_id: str, steps: dict[int, str]) -> None:
        self._codes = codes
        self._run_id = run_id
        self.steps = steps

    def event(self, row: LogRow) -> Event:
        """Raises KeyError for a code without a name, IndexError for no level, UnicodeDecodeError."""
        return Event(
            row.id,
            self._run_id,
            row.seq,
            row.ts,
            self._codes.name("types", row.type),
            LEVEL_NAMES[row.level],
            None if row.step is None else self.steps[row.step],
            None if row.source is None else self._codes.name("sources", row.source),
            row.message.decode(),
            None if row.correlation_id is None else row.correlation_id.decode(),
            row.data.decode(),
            0,
        )


def step_names(source: Reading, run: int) -> dict[int, str]:
    return dict(source.execute("SELECT step, name FROM steps WHERE run = ?", (run,)))
