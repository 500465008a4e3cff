from __future__ import annotations

import csv
import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.export.csv import COLUMNS, csv_chunks, neutral
from tests.export.shelf import Shelf, event

STARTS = "=+-@\t\r\n＝＋－＠"


def records(text: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.decode(), newline="")))


def test_a_record_for_each_event_reads_back(shelf: Shelf) -> None:
    header, *rows = records(b"".join(csv_chunks(iter(shelf.events))))
    assert tuple(header) == COLUMNS
    assert len(rows) == len(shelf.events)
    for row, happened in zip(rows, shelf.events, strict=True):
        cells = dict(zip(COLUMNS, row, strict=True))
        assert int(cells["seq"]) == happened.seq
        assert float(cells["elapsed_s"]) == happened.elapsed_s
        assert cells["message"].removeprefix("'") == happened.message.removeprefix("'")
        assert msgspec.json.decode(cells["data"]) == happened.data


def test_numbers_are_bare_and_texts_quoted() -> None:
    lines = b"".join(csv_chunks([event(1, "a;=b")])).split(b"\r\n")
    assert lines[1].startswith(
        b'"nightly-1",1,"2026-11-20T12:10:00.124Z",0.001,"info","log","","agent","a;=b","",'
    )


def test_no_events_give_a_header() -> None:
    assert b"".join(csv_chunks([])).startswith(b'"run_id","seq"')


@pytest.mark.parametrize("start", STARTS)
def test_what_starts_a_formula_is_neutralised(start: str) -> None:
    happened = msgspec.structs.replace(
        event(1, f"{start}cmd|' /C calc'!A0", step=f"{start}s"),
        run_id=f"{start}r",
        type=f"{start}t",
        source=f"{start}o",
        correlation_id=f"{start}c",
    )
    cells = dict(zip(COLUMNS, records(b"".join(csv_chunks([happened])))[1], strict=True))
    for column in ("run_id", "type", "step", "source", "message", "correlation_id"):
        assert cells[column].startswith("'"), column


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_no_cell_starts_a_formula_even_when_blanks_are_stripped(text: str) -> None:
    cell = neutral(text)
    assert cell.strip()[:1] not in tuple(STARTS)
    assert cell in (text, f"'{text}")


@pytest.mark.parametrize("text", ["", "plain", "a=b", "1-2", "'quoted'", "{}", "é"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert neutral(text) == text
