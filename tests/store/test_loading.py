"""Rows as a fold: only what is asked for, and an answer when the run is gone."""

from __future__ import annotations

import pytest

from runline.model.errors import NotFound
from runline.store import loading
from runline.store.sql_store import SqlStore


def test_only_the_steps_and_open_calls_asked_for_are_loaded(store: SqlStore) -> None:
    run_id = store.create_run("parts").run_id
    store.append(
        run_id,
        [{"type": "step_started", "step": f"s{n}"} for n in range(4)]
        + [{"type": "tool_call", "correlation_id": f"c{n}"} for n in range(4)]
        + [{"type": "tool_result", "correlation_id": "c1"}],
    )
    with store.engine.snapshot() as source:
        run = store.locate(run_id).run
        fold, _ = loading.load_run(source, run)
        assert (fold.steps, fold.calls, fold.step_numbers, fold.open_calls) == ({}, {}, 4, 3)
        loading.load_steps(source, run, fold, {"s1", "s3", "unheard"})
        loading.load_calls(source, run, fold, {"c0", "c1", "unheard"})
    assert (sorted(fold.steps), sorted(fold.calls)) == (["s1", "s3"], ["c0"])
    assert list(fold.running) == ["s0", "s1", "s2", "s3"]


def test_a_run_without_a_row_is_being_removed(store: SqlStore) -> None:
    with store.engine.snapshot() as source, pytest.raises(NotFound) as told:
        loading.load_whole(source, 10**6)
    assert told.value.code == "pruned"


def test_a_batch_may_name_more_steps_and_calls_than_a_statement_takes_parameters(store: SqlStore) -> None:
    run_id = store.create_run("many").run_id
    store.append(run_id, [{"type": "step_started", "step": "known"}])
    store.writer.appender.forget_all()
    many = [{"type": "tool_call", "step": f"s{n}", "correlation_id": f"c{n}"} for n in range(33_000)]
    assert len(store.append(run_id, many)) == 33_000
    store.writer.appender.forget_all()
    store.append(run_id, many)
    assert store.get_run(run_id).call_count == 33_000
