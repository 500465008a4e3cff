"""A list of runs as CSV or JSON, a run at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from runline.export.csv import Cell, neutral, records
from runline.export.json import listing
from runline.export.run import gathered
from runline.model.clock import to_iso
from runline.model.run import Run
from runline.model.wire.runs import run_summary

ListFormat = Literal["csv", "json"]
LIST_FORMATS: tuple[ListFormat, ...] = ("csv", "json")
COLUMNS = (
    "run_id",
    "pipeline_name",
    "kind",
    "tenant_id",
    "status",
    "partial",
    "started_at",
    "completed_at",
    "cancelled_at",
    "updated_at",
    "duration_ms",
    "progress",
    "current_step",
    "total_steps",
    "completed_steps",
    "failed_steps",
    "event_count",
    "warn_count",
    "error_count",
    "total_tokens",
    "tokens_in",
    "tokens_out",
    "artifact_count",
    "call_count",
    "note_count",
    "pinned",
    "tags",
    "parent_run_id",
    "original_run_id",
    "error_message",
    "last_message",
)
"""Of RunSummary, by its names; `tags` are separated by commas."""


def export_runs(runs: Iterable[Run], *, format: ListFormat, now_ms: int) -> Iterator[bytes]:
    """The runs in their order, in pieces of about 64 KiB: a table, or `{exported_at_utc, runs: [RunSummary]}`."""
    if format == "csv":
        return gathered(records(COLUMNS, map(_row, runs)))
    return gathered(listing({"exported_at_utc": to_iso(now_ms)}, "runs", map(run_summary, runs)))


def _row(run: Run) -> tuple[Cell, ...]:
    summary = run_summary(run)
    return tuple(_cell(getattr(summary, name)) for name in COLUMNS)


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value
    if isinstance(value, tuple):
        return neutral(",".join(value))
    return neutral(str(value)) if value is not None else ""
