from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runline.fold.snapshot import RunState
from runline.model.errors import Invalid, NotFound, Unavailable
from runline.model.event import Event
from runline.store import open_store, rebuild
from runline.store.sql_store import SqlStore
from tests.store.recorded import body, plain_run, rich_run

CORRUPTIONS = (
    (
        "UPDATE runs SET progress = 3, current_step = 'x', types = '{}', eta = NULL, fingerprint = 'f', usual = NULL, "
        "last_seq = 4, started_at = 5, status = 'pending', completed_at = NULL, name = 'n', tags = '[]'"
    ),
    "UPDATE steps SET state = 'pending', declared = 0, position = -1, plan = NULL, event_count = 0",
    "DELETE FROM calls",
    "UPDATE calls SET key = 'k', status = 'open'",
    "DELETE FROM slots",
    "DELETE FROM artifacts",
    "UPDATE artifacts SET path = 'elsewhere'",
    (
        "INSERT INTO artifacts SELECT NULL, run, 999, step, name, path, type, size_bytes, created_at, mime_type, "
        "encoding, preview_text, metadata FROM artifacts LIMIT 1"
    ),
    "DELETE FROM checkpoints",
    "UPDATE checkpoints SET state = x'00'",
    "DELETE FROM run_details",
    "UPDATE run_details SET input = NULL, cold = '{}'",
)


def known(store: SqlStore, run_id: str) -> tuple[RunState, list[Event], list[int], Any, Any]:
    events = store.read(run_id, limit=1000)
    run = store.get_run(run_id)
    return store.state(run_id), events, [event.id for event in events], run, store.calls(run_id).items


def corrupt(store: SqlStore, sql: str) -> None:
    with store.engine.transaction() as tx:
        tx.execute(sql)


@pytest.mark.parametrize("status", [None, "failed"])
@pytest.mark.parametrize("sql", CORRUPTIONS)
def test_whatever_was_wrong_is_right_again(store: SqlStore, sql: str, status: str | None) -> None:
    rich_run(store, "one", status=status)
    store.add_note("one", "stays")
    store.pin("one")
    before = known(store, "one")
    corrupt(store, sql)
    assert store.rebuild("one") == 1
    assert known(store, "one") == before
    assert [note.note for note in store.list_notes("one")] == ["stays"]
    assert store.verify().ok
    if status is None:
        # The writer goes on from the rows, not from what it remembered.
        store.append("one", body())
        store.end_run("one")
        assert store.verify().ok


def test_artifacts_keep_their_ids(store: SqlStore) -> None:
    rich_run(store, "one")
    before = store.list_artifacts("one")
    corrupt(store, "UPDATE artifacts SET name = 'wrong'")
    store.rebuild()
    assert store.list_artifacts("one") == before


def test_all_runs_of_the_store_or_of_the_tenant(store: SqlStore) -> None:
    plain_run(store, "big", events=3500)
    for tenant in ("a", "b"):
        rich_run(store, f"of-{tenant}", tenant=tenant)
    corrupt(store, "UPDATE runs SET progress = 1")
    assert store.scoped("a").rebuild() == 1
    assert store.verify().found == 2
    assert store.rebuild() == 3
    assert store.verify().ok
    seqs = [seq for (seq,) in store.engine.query("SELECT seq FROM checkpoints ORDER BY seq")]
    assert seqs == [1000, 2000, 3000]
    assert store.engine.query("SELECT checkpoint_seq FROM runs WHERE run_id = 'big'") == [(3000,)]
    assert store.state("big", at_seq=2500).event_count == 2500


def test_names_of_steps_survive_the_loss_of_their_rows(store: SqlStore) -> None:
    rich_run(store, "planned", status=None)
    before = store.state("planned")
    corrupt(store, "DELETE FROM steps")
    store.rebuild("planned")
    after = store.state("planned")
    assert after.steps == before.steps
    assert [step.step_id for step in after.stages] == ["step-5"]
    store.append("planned", [{"step": "step-5", "message": "goes on"}])
    assert store.verify().ok


def test_checkpoints_know_names_too(store: SqlStore) -> None:
    store.create_run("job", run_id="one")
    store.append("one", [{"step": "unplanned", "message": f"{n}"} for n in range(1100)])
    before = store.state("one")
    corrupt(store, "INSERT INTO checkpoints SELECT run, 7, x'00' FROM checkpoints")
    corrupt(store, "DELETE FROM steps")
    store.rebuild("one")
    assert store.state("one") == before


def test_what_comes_in_meanwhile_is_folded_too(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    rich_run(store, "one", status=None)
    corrupt(store, "UPDATE runs SET progress = 1")
    fold_page, pages = rebuild._Building.fold_page, list[bool]()

    def append_between(self: rebuild._Building, source: Any) -> bool:
        more = fold_page(self, source)
        if pages == [True]:
            store.append("one", body())
        pages.append(more)
        return more

    monkeypatch.setattr(rebuild._Building, "fold_page", append_between)
    store.rebuild("one")
    assert pages == [True, False, True, False]
    assert store.get_run("one").last_seq == 21
    assert store.verify().ok


def test_a_run_that_is_not_there(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound):
        store.rebuild("none")
    plain_run(store, "one")
    plain_run(store, "two")
    locate = store.locate

    def gone(run_id: str) -> Any:
        if run_id == "one":
            raise NotFound("pruned meanwhile")
        return locate(run_id)

    monkeypatch.setattr(store, "locate", gone)
    assert store.rebuild() == 1


def test_a_damaged_log_is_no_ground_to_build_on(store: SqlStore) -> None:
    rich_run(store, "one")
    corrupt(store, "DROP TRIGGER events_never_change")
    corrupt(store, "UPDATE events SET data = 'no JSON' WHERE seq = 5")
    before = store.engine.query("SELECT * FROM steps")
    with pytest.raises(Unavailable) as caught:
        store.rebuild("one")
    assert caught.value.code == "corrupt"
    assert "Event 5 of run one" in caught.value.message
    assert store.engine.query("SELECT * FROM steps") == before


def test_a_store_opened_for_reading_is_left_alone(store: SqlStore, tmp_path: Path) -> None:
    rich_run(store, "one")
    with open_store(str(tmp_path / "x.db"), read_only=True) as reading, pytest.raises(Invalid):
        reading.rebuild()


def test_progress_is_told_in_events_of_the_whole_store(store: SqlStore) -> None:
    runs = [plain_run(store, run_id, events=20) for run_id in ("a", "b")]
    told: list[int] = []
    rebuild.rebuild(store, on_progress=told.append)
    assert told == sorted(told)
    assert told[-1] == sum(store.get_run(run).event_count for run in runs)
