from __future__ import annotations

import pytest

from runline.store.sql_store import SqlStore
from tests.store.recorded import plain_run, rich_run


def problems(store: SqlStore) -> list[tuple[int | None, str, str]]:
    report = store.verify()
    assert report.ok == (not report.problems)
    return [(problem.seq, problem.kind, problem.detail) for problem in report.problems]


def corrupt(store: SqlStore, sql: str) -> None:
    with store.engine.transaction() as tx:
        tx.execute(sql)


@pytest.mark.parametrize("status", [None, "completed", "failed"])
def test_projections_are_the_fold_of_the_log(store: SqlStore, status: str | None) -> None:
    rich_run(store, "one", status=status)
    assert problems(store) == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("UPDATE runs SET progress = 3", "progress: 3 is stored, the log says 50"),
        ("UPDATE runs SET last_message = NULL", "last_message: None is stored, the log says 'm'"),
        ("UPDATE runs SET name = 'other'", "name: 'other' is stored, the log says 'nightly'"),
        ("UPDATE runs SET tags = '[]'", "tags: () is stored, the log says ('prod',)"),
        ("UPDATE runs SET started_at = 5", "started_at_ms: 5 is stored"),
        ("UPDATE runs SET fingerprint = NULL", "eta, fingerprint, usual: "),
        ("UPDATE runs SET types = '{}'", "types: {} is stored"),
        ("UPDATE run_details SET input = NULL", "input: None is stored, the log says {'date': '2026-11-20'}"),
        ("UPDATE run_details SET cold = '{}'", "cold: Cold("),
        ("UPDATE steps SET state = 'completed' WHERE name = 'load[0]'", "steps 'load[0]': StepState("),
        ("DELETE FROM steps WHERE name = 'report'", "steps 'report': None is stored"),
        (("INSERT INTO steps SELECT run, 99, 'new', state, declared, position, progress, total, action, persona, "
         "model, message, error, reason, attempt, started_at, started_seq, completed_at, updated_at, duration_ms, "
         "estimate_ms, estimate_at, tokens_before, tokens_seen, tokens_final, level_index, path, event_count, "
         "warn_count, error_count, plan FROM steps WHERE name = 'report'"), "steps 'new': StepState("),
        ("DELETE FROM calls WHERE status = 'open'", "calls 'open': None is stored"),
        ("UPDATE slots SET events = 1", "slots: "),
        ("DELETE FROM artifacts", "number of artifacts: 0 is stored, the log says 1"),
        (("INSERT INTO calls SELECT run, 77, 'k', kind, name, detail, step, last_seq, started_at, 'done', duration_ms, "
         "attempts, parent, tokens_in, tokens_out FROM calls LIMIT 1"), "number of calls: 3 is stored, the log says 2"),
        ("DELETE FROM run_details", "the run's rows cannot be read: "),
        ("UPDATE run_details SET input = '{'", "the run's rows cannot be read: "),
        ("UPDATE run_details SET cold = 'no JSON'", "the run's rows cannot be read: "),
    ],
)  # fmt: skip
def test_a_wrong_row_is_told(store: SqlStore, sql: str, told: str) -> None:
    rich_run(store, "one", status=None)
    corrupt(store, sql)
    found = problems(store)
    assert {kind for _, kind, _ in found} == {"projection"}
    assert any(told in detail for _, _, detail in found), found


@pytest.mark.parametrize(
    ("sql", "seq", "told"),
    [
        ("UPDATE calls SET duration_ms = 77 WHERE status = 'done'", 3, "its row in calls"),
        ("DELETE FROM calls WHERE status = 'done'", 3, "its row in calls"),
        ("UPDATE artifacts SET path = NULL", 5, "its row in artifacts"),
    ],
)
def test_a_wrong_row_of_one_event_is_told_with_its_seq(
    store: SqlStore, sql: str, seq: int, told: str
) -> None:
    rich_run(store, "one")
    corrupt(store, sql)
    assert any(at == seq and told in detail for at, _, detail in problems(store))


def test_checkpoints_are_compared(store: SqlStore) -> None:
    plain_run(store, "one", events=2500)
    seqs = [seq for (seq,) in store.engine.query("SELECT seq FROM checkpoints ORDER BY seq")]
    assert len(seqs) == 2
    assert problems(store) == []
    corrupt(store, f"UPDATE checkpoints SET state = (SELECT state FROM checkpoints WHERE seq = {seqs[1]})")
    assert [(seq, kind) for seq, kind, _ in problems(store)] == [(seqs[0], "checkpoint")]
    corrupt(store, "UPDATE checkpoints SET state = x'00'")
    assert [(seq, kind) for seq, kind, _ in problems(store)] == [(seq, "checkpoint") for seq in seqs]
