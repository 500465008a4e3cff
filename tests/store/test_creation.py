"""Making a run: what is refused, what is cleaned, and that the start event carries all of it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runline.intake.redact import Redactor
from runline.model.clock import MAX_MS, MIN_MS, ManualClock, to_iso
from runline.model.errors import Conflict, Invalid, NotFound, RunlineError
from runline.model.limits import Limits
from runline.store import open_store
from runline.store.sql_store import SqlStore
from runline.testing import corpus, objects
from runline.testing.place import SqlitePlace
from runline.testing.streams import whole


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


def test_the_start_event_carries_what_the_run_was_made_from(store: SqlStore, clock: ManualClock) -> None:
    parent = store.create_run("parent").run_id
    plan = {"steps": [{"id": "a"}, {"id": "b", "dependencies": ["a"]}], "sha256": "0" * 64}
    run = store.create_run(
        " nightly report ",
        kind="pipeline",
        tenant="acme",
        tags=["prod", "eu"],
        input={"date": "2026-11-20"},
        parent_run_id=parent,
        original_run_id="earlier",
        plan=plan,
        announced=True,
    )
    assert (run.name, run.kind, run.tenant_id, run.tags) == (
        "nightly report",
        "pipeline",
        "acme",
        ("prod", "eu"),
    )
    assert (run.input, run.parent_run_id, run.original_run_id) == ({"date": "2026-11-20"}, parent, "earlier")
    assert (run.status, run.last_seq, run.total_steps, run.pid is None) == ("running", 1, 2, False)
    start = whole(store, run.run_id)[0]
    assert (start.type, start.seq, start.ts_ms, start.source) == ("run_started", 1, clock.now_ms(), "runline")
    assert start.data == {
        "name": "nightly report",
        "kind": "pipeline",
        "tags": ["prod", "eu"],
        "started_at": to_iso(clock.now_ms()),
        "tenant_id": "acme",
        "input": {"date": "2026-11-20"},
        "parent_run_id": parent,
        "original_run_id": "earlier",
        "plan": plan,
    }


@pytest.mark.parametrize("started_at_ms", [MIN_MS, -1, 0, MAX_MS])
def test_a_run_may_say_when_it_was_made(store: SqlStore, started_at_ms: int) -> None:
    run = store.create_run("then", started_at_ms=started_at_ms)
    assert (run.started_at_ms, run.window_start_ms) == (started_at_ms, started_at_ms)
    assert store.verify().problems == ()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": " \n"}, "name"),
        ({"tags": "prod"}, "tags"),
        ({"tags": ["t"] * 101}, "tags"),
        ({"run_id": "me", "parent_run_id": "me"}, "parent_run_id"),
        ({"input": "x" * 2**20}, "input"),
        ({"started_at_ms": MIN_MS - 1}, "started_at"),
        ({"started_at_ms": 2**70}, "started_at"),
    ],
)
def test_what_makes_no_run_is_refused_by_field(store: SqlStore, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as told:
        store.create_run(**{"name": "run", **given})
    assert list(told.value.fields) == [field]
    assert store.list_runs().items == []


@pytest.mark.parametrize("run_id", corpus.PATHS)
def test_a_path_is_no_run_id(store: SqlStore, run_id: str) -> None:
    if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", run_id):
        assert store.get_run(store.create_run("harmless", run_id=run_id).run_id).run_id == run_id
        return
    with pytest.raises(Invalid):
        store.create_run("path", run_id=run_id)
    with pytest.raises(Invalid):
        store.create_run("path", parent_run_id=run_id)


@pytest.mark.parametrize("name", sorted(set(objects.BAD_VALUES) - {"a billion laughs"}))
def test_any_input_plan_and_tag_makes_a_run(store: SqlStore, name: str) -> None:
    value = objects.BAD_VALUES[name]
    run = store.create_run("odd", input=value, plan={"steps": [value, {"id": value}]}, tags=[value])  # type: ignore[list-item]
    assert store.get_run(run.run_id).input == run.input
    assert whole(store, run.run_id)[0].data["tags"] == list(run.tags)
    again = store.create_run("odd", input=value, plan=value, idempotency_key="k").run_id
    assert store.create_run("odd", input=value, plan=value, idempotency_key="k").run_id == again
    assert store.verify(run.run_id).problems == ()


def test_secrets_reach_neither_the_run_nor_its_start_event(place: SqlitePlace) -> None:
    store = place.open()
    secret = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5"
    run = store.create_run(
        f"deploy {secret}", tags=[secret], input={"token": secret, "deep": [f"x {secret}"]}
    )
    assert secret not in run.name + str(run.tags) + str(run.input)
    store.create_run("session", kind="session", input=None)
    store.end_run(run.run_id, "failed", error=f"no access with {secret}")
    assert secret.encode() not in place.at_rest()


def test_a_session_has_a_command(store: SqlStore) -> None:
    run = store.create_run("context generate", kind="session")
    start = whole(store, run.run_id)[0]
    assert (start.type, start.data["command"]) == ("session_started", "context generate")


def test_the_input_may_be_as_large_as_the_limit(place: SqlitePlace) -> None:
    store = place.open(limits=Limits(input_bytes=20))
    assert store.create_run("fits", input="x" * 18).input == "x" * 18
    with pytest.raises(Invalid) as told:
        store.create_run("too large", input="x" * 19)
    assert told.value.code == "input_too_large"


def test_an_id_is_made_from_name_and_time(store: SqlStore, clock: ManualClock) -> None:
    made = store.create_run("Nächtlicher Bericht!").run_id
    day = dt.datetime.fromtimestamp(clock.now_ms() / 1000, dt.UTC).strftime("%Y%m%d-%H%M%S")
    assert f"-{day}-" in made
    assert store.create_run("Nächtlicher Bericht!").run_id != made


def test_a_repeated_creation_of_a_removed_run_says_so(store: SqlStore) -> None:
    run_id = store.create_run("gone", idempotency_key="k").run_id
    store.end_run(run_id)
    store.delete_run(run_id)
    with pytest.raises(NotFound) as told:
        store.create_run("gone", idempotency_key="k")
    assert told.value.code == "pruned"


def test_a_failed_creation_leaves_nothing(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runline.store.append.INSERT_EVENTS", "INSERT INTO nowhere VALUES (?)")
    with pytest.raises(RunlineError):
        store.create_run("half", run_id="half")
    with pytest.raises(NotFound):
        store.get_run("half")


def test_a_pruned_id_comes_back_only_to_its_own_tenant(store: SqlStore) -> None:
    store.scoped("a").create_run("one", run_id="same")
    store.end_run("same")
    store.delete_run("same")
    with pytest.raises(Conflict):
        store.scoped("b").create_run("other", run_id="same")
    assert store.scoped("a").create_run("again", run_id="same").tenant_id == "a"


def test_creating_tells_that_the_input_was_redacted(store: SqlStore) -> None:
    assert store.create_run("secret", input={"password": "hunter2secret"}).input_redacted
    assert not store.create_run("plain", input={"date": "2026-11-20"}).input_redacted


def test_configured_secrets_are_nowhere(tmp_path: Path) -> None:
    known = "correct-horse-battery"
    with open_store(str(tmp_path / "known.db"), redactor=Redactor(known=[known])) as store:
        run_id = store.create_run(f"n {known}", kind=known, tags=[known], input=known).run_id
        store.append(run_id, [{"message": known, "step": known, "event_id": known, "type": known}])
        store.add_note(run_id, known, author=known, labels=[known], actions=[known])
        store.end_run(run_id, "failed", error=known)
    assert known.encode() not in (tmp_path / "known.db").read_bytes()


def test_an_input_that_was_cleaned_before_it_came_cannot_be_run_again(store: SqlStore) -> None:
    assert store.create_run("cleaned", input={"a": 1}, input_redacted=True).input_redacted
    assert not store.create_run("as given", input={"a": 1}).input_redacted


def test_the_run_that_is_repeated_has_an_id(store: SqlStore) -> None:
    with pytest.raises(Invalid) as told:
        store.create_run("again", original_run_id="../x")
    assert list(told.value.fields) == ["original_run_id"]
