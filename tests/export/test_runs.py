from __future__ import annotations

import csv
import io
import json

import msgspec
import pytest

from runline.export.runs import COLUMNS, LIST_FORMATS, export_runs
from runline.model.run import Run
from runline.model.wire.runs import RunSummary, run_summary
from runline.testing.corpus import CSV_LEADS
from tests.export.shelf import AT, BAD_TEXTS

TEXTS = [*BAD_TEXTS, *(f"{lead}cmd|' /C calc'!A0" for lead in CSV_LEADS)]


def run(n: int, text: str) -> Run:
    return Run(
        run_id=f"nightly-{n}",
        tenant_id="default",
        kind="run",
        name=text,
        status="running",
        started_at_ms=AT,
        updated_at_ms=AT,
        window_start_ms=AT,
        tags=(text, "b"),
        error_message=text,
        pinned=True,
        event_count=n,
    )


RUNS = [run(n, text) for n, text in enumerate(TEXTS)]


def exported(runs: list[Run], format: str) -> bytes:
    return b"".join(export_runs(runs, format=format, now_ms=AT))  # type: ignore[arg-type]


def test_a_table_has_a_record_for_each_run_and_no_formula() -> None:
    header, *records = csv.reader(io.StringIO(exported(RUNS, "csv").decode(), newline=""))
    assert tuple(header) == COLUMNS
    assert len(records) == len(RUNS)
    for at, record in zip(RUNS, records, strict=True):
        told = dict(zip(COLUMNS, record, strict=True))
        assert told["run_id"] == at.run_id
        assert told["event_count"] == str(at.event_count)
        assert (told["pinned"], told["partial"], told["completed_at"]) == ("true", "false", "")
        assert told["started_at"] == "2026-11-20T12:10:00.123Z"
        assert told["pipeline_name"].removeprefix("'") == at.name
        assert not told["pipeline_name"].startswith(CSV_LEADS)
        assert told["tags"].removeprefix("'") == f"{at.name},b"
        assert not told["tags"].startswith(CSV_LEADS)


def test_every_column_is_a_key_of_the_summary() -> None:
    assert set(COLUMNS) < set(RunSummary.__struct_fields__)


def test_a_document_has_the_summaries() -> None:
    told = json.loads(exported(RUNS, "json"))
    assert list(told) == ["exported_at_utc", "runs"]
    assert told["exported_at_utc"] == "2026-11-20T12:10:00.123Z"
    assert told["runs"] == [json.loads(msgspec.json.encode(run_summary(one))) for one in RUNS]


@pytest.mark.parametrize("format", LIST_FORMATS)
def test_no_runs_are_a_list_too(format: str) -> None:
    empty = exported([], format)
    assert json.loads(empty)["runs"] == [] if format == "json" else empty.count(b"\r\n") == 1
