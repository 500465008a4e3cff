"""What a run amounts to, as the server tells it: each answer led back to the struct it was made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runline.fold.compare import Comparison
from runline.fold.failure import Failure
from runline.fold.slots import Histogram
from runline.fold.snapshot import RunState
from runline.fold.wire.comparison import ComparisonView, comparison_of
from runline.fold.wire.failure import FailureView, failure_of
from runline.fold.wire.histogram import HistogramView, histogram_of
from runline.fold.wire.state import StateView, state_of_view
from runline.model.call import Call
from runline.model.page import Page
from runline.model.step import Step
from runline.model.summary import Summary
from runline.model.wire.calls import CallList, call_of
from runline.model.wire.steps import StepList, step_of
from runline.model.wire.summary import TimelineSummaryAnswer, summary_of
from runline.store.remote.client import Client, part
from runline.store.statistics import Counts, Statistics


def _path(run_id: str) -> str:
    return f"/api/runs/{part(run_id)}"


def state(client: Client, run_id: str, *, at_seq: int | None) -> RunState:
    return state_of_view(client.get(f"{_path(run_id)}/state", StateView, {"at_seq": at_seq}))


def summary(client: Client, run_id: str) -> Summary:
    return summary_of(client.get(f"{_path(run_id)}/summary", TimelineSummaryAnswer).summary)


def steps(client: Client, run_id: str) -> list[Step]:
    return [step_of(step, run_id) for step in client.get(f"{_path(run_id)}/steps", StepList).steps]


def calls(client: Client, run_id: str, asked: Mapping[str, Any]) -> Page[Call]:
    told = client.get(f"{_path(run_id)}/calls", CallList, asked)
    return Page([call_of(call) for call in told.calls], told.next_cursor or None, bool(told.next_cursor))


def histogram(client: Client, run_id: str, *, slots: int) -> Histogram:
    return histogram_of(client.get(f"{_path(run_id)}/histogram", HistogramView, {"slots": slots}))


def failure(client: Client, run_id: str) -> Failure:
    return failure_of(client.get(f"{_path(run_id)}/failure", FailureView))


def compare(client: Client, left: str, right: str) -> Comparison:
    return comparison_of(client.get("/api/compare", ComparisonView, {"left": left, "right": right}))


def counts(client: Client, asked: Mapping[str, Any]) -> Counts:
    return client.get("/api/runs/counts", Counts, asked)


def statistics(client: Client, range_: str) -> Statistics:
    return client.get("/api/statistics", Statistics, {"range": range_})
