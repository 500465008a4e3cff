from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from runline.model.checksum import content_check, place_check, seal
from runline.store import log
from runline.store.codes import Codes
from runline.store.log import LogRow
from runline.store.log_check import Kind, LogCheck
from runline.store.sql_store import SqlStore
from tests.store.recorded import rich_run

Found = list[tuple[int | None, Kind, str]]


@pytest.fixture
def rows(store: SqlStore) -> list[LogRow]:
    rich_run(store, "one")
    return log.rows(store.direct, store.locate("one").run, 1, 12)


@pytest.fixture
def check(store: SqlStore, rows: list[LogRow]) -> Callable[[list[LogRow]], list[tuple[int | None, Kind]]]:
    run = store.locate("one").run

    def perform(changed: list[LogRow]) -> list[tuple[int | None, Kind]]:
        found: Found = []
        decoder = log.Decoder(Codes(store.engine), "one", log.step_names(store.direct, run))
        checking = LogCheck(run, decoder, lambda seq, kind, detail: found.append((seq, kind, detail)))
        for row in changed:
            checking.check(row)
        checking.end(12, 13)
        assert checking.events == len(changed)
        assert all(detail for _, _, detail in found)
        return [(seq, kind) for seq, kind, _ in found]

    return perform


Check = Callable[[list[LogRow]], list[tuple[int | None, Kind]]]


def resealed(store: SqlStore, row: LogRow) -> LogRow:
    """As if it had been written like that."""
    correlation_id = None if row.correlation_id is None else row.correlation_id.decode()
    content = content_check(row.ts, row.message, correlation_id, row.data)
    place = place_check(store.locate("one").run, row.level, row.type, row.step, row.source)
    return row._replace(crc=seal(content, place, row.seq))


def test_what_was_written_is_in_order(rows: list[LogRow], check: Check) -> None:
    assert check(rows) == []


def test_gaps(rows: list[LogRow], check: Check) -> None:
    assert check(rows[:4] + rows[6:]) == [(5, "gap")]
    assert check(rows[:-1]) == [(12, "gap")]
    assert check([]) == [(1, "gap")]


def test_doubles_and_strangers(rows: list[LogRow], check: Check, store: SqlStore) -> None:
    extra = resealed(store, rows[-1]._replace(seq=13, id=12))
    assert check([*rows[:5], rows[4], *rows[5:]]) == [(5, "double"), (5, "order")]
    assert check([resealed(store, rows[0]._replace(seq=0, id=0)), *rows]) == [(0, "order"), (0, "order")]
    assert check([*rows[:-1], rows[-1]._replace(id=99)]) == [(12, "order")]
    assert check([*rows, extra]) == [(13, "order"), (None, "last_seq")]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"sound": False}, "damaged"),
        ({"ts": 5}, "checksum"),
        ({"message": b"go\xff"}, "checksum"),
        ({"correlation_id": b"\xff"}, "checksum"),
        ({"data": b"{}"}, "checksum"),
    ],
)
def test_a_changed_row_is_told_once(
    rows: list[LogRow], check: Check, change: dict[str, Any], kind: Kind
) -> None:
    assert check([*rows[:2], rows[2]._replace(**change), *rows[3:]]) == [(3, kind)]


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"data": b"{"}, "json"),
        ({"data": b"[1]"}, "json"),
        ({"data": b"[" * 100_000}, "json"),
        ({"type": 999}, "code"),
        ({"source": 999}, "code"),
        ({"step": 999}, "code"),
        ({"level": 9}, "code"),
    ],
)
def test_what_was_written_wrongly_is_told_too(
    rows: list[LogRow], check: Check, store: SqlStore, change: dict[str, Any], kind: Kind
) -> None:
    assert check([*rows[:2], resealed(store, rows[2]._replace(**change)), *rows[3:]]) == [(3, kind)]
