"""Runs through a server: made, listed, imported; and announced by a recorder, whether or not anybody answers."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from runline.export.run import export_run
from runline.intake.names import default_redactor
from runline.model.clock import ManualClock, SystemClock
from runline.model.errors import Conflict, Invalid, NotFound, Unauthorized, Unavailable
from runline.model.limits import DEFAULT_LIMITS
from runline.store.remote import runs
from runline.store.remote.client import Client
from runline.store.remote.outbox import Outbox
from runline.store.remote.spool import Spool
from runline.store.remote.writer import RemoteWriter
from tests.store.recorded import PLAN, plain_run, rich_run
from tests.store.remote.conftest import Both
from tests.store.remote.scripted import PATIENCE_S, Answer, Scripted, refusal


def test_a_run_is_made_of_the_same_things(both: Both, clock: ManualClock) -> None:
    given: dict[str, Any] = {
        "kind": "pipeline",
        "tags": ["prod", "nightly"],
        "input": {"date": "2026-11-20", "n": [1, None]},
        "parent_run_id": "mother",
        "original_run_id": "first",
        "plan": PLAN,
        "started_at_ms": clock.now_ms() - 5_000,
    }
    there = both.remote.create_run("nightly, daily", run_id="there", **given)
    here = both.local.create_run("nightly, daily", run_id="here", **given)
    assert msgspec.structs.replace(there, run_id="here", input_json=here.input_json) == here
    assert both.remote.get_run("there") == both.local.get_run("there")
    assert both.local.get_run("there").input == given["input"]
    assert both.local.read("there")[0].data["plan"] == PLAN
    assert [run.run_id for run in both.remote.list_runs(name="nightly, daily").items] == ["there", "here"]
    first = both.remote.create_run("keyed", idempotency_key="k")
    assert both.remote.create_run("keyed", idempotency_key="k").run_id == first.run_id


def test_secrets_in_the_input_are_gone_and_it_says_so(both: Both) -> None:
    run = both.remote.create_run("r", input={"password": "hunter2"}, tags=["password=hunter2222"])
    assert run.input_redacted
    stored = both.local.get_run(run.run_id)
    assert (stored.input, stored.tags) == (
        {"password": "[REDACTED:password]"},
        ("password=[REDACTED:password]",),
    )
    assert not both.remote.create_run("plain", input={"a": 1}).input_redacted


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("", {}),
        ("r", {"tags": "no list"}),
        ("r", {"run_id": "../x"}),
        ("r", {"tenant": ""}),
        ("r", {"input": "x" * (1024 * 1024)}),
        ("r", {"input": "x", "idempotency_key": ""}),
    ],
)
def test_what_is_no_run_is_refused(both: Both, name: str, given: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        both.remote.create_run(name, **given)


def test_lists_are_the_stores_own(both: Both, clock: ManualClock) -> None:
    for number in range(5):
        plain_run(both.local, f"r{number}", status="failed" if number % 2 else None)
        clock.advance(s=60)
    rich_run(both.local, "child", parent_run_id="r0")
    now_ms = clock.now_ms()
    asked: list[dict[str, Any]] = [
        {},
        {"status": ["failed", "running"], "limit": 2},
        {"name": "nightly", "kind": "run", "tag": "prod"},
        {"since_ms": now_ms - 150_000, "until_ms": now_ms - 50_000},
        {"parent_run_id": "r0"},
        {"q": "status:failed"},
    ]
    for filters in asked:
        assert both.remote.list_runs(**filters) == both.local.list_runs(**filters), filters
    first = both.remote.list_runs(limit=2)
    rest: dict[str, Any] = {"limit": 100, "cursor": first.next_cursor}
    assert both.remote.list_runs(**rest) == both.local.list_runs(**rest)
    with pytest.raises(Invalid):
        both.remote.list_runs(cursor="made up")


def test_an_exported_run_comes_back(both: Both, tmp_path: Path) -> None:
    rich_run(both.local, "r")
    both.local.add_note("r", "a note")
    lines = b"".join(export_run(both.local, "r", format="jsonl", now_ms=0)).splitlines()
    head, *events = map(msgspec.json.decode, lines)
    taken = both.remote.import_run(head["run"], iter(events), head["notes"], as_id="copy")
    assert taken.run_id == "copy"
    assert both.local.state("copy").steps[0].state == both.local.state("r").steps[0].state
    assert both.local.list_notes("copy")[0].note == "a note"
    with pytest.raises(Conflict):
        both.remote.import_run(head["run"], iter(events))
    with pytest.raises(Invalid):
        both.remote.import_run({"run_id": "empty"}, [])


@pytest.fixture
def writer(server: Scripted, client: Client, tmp_path: Path) -> Iterator[RemoteWriter]:
    outbox = Outbox(Spool(tmp_path / "waiting", server.url))
    made = RemoteWriter(client, outbox, SystemClock(), default_redactor(), queue_size=9)
    yield made
    made.shut(PATIENCE_S)


def asked_for(**given: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "kind": "run",
        "run_id": None,
        "tenant": "default",
        "tags": (),
        "input": None,
        "parent_run_id": None,
        "original_run_id": None,
        "plan": None,
        "started_at_ms": None,
    }
    return runs.creation(
        given.pop("name", "r"), **usual | given, redactor=default_redactor(), limits=DEFAULT_LIMITS
    )


NOW_MS = ManualClock().now_ms()


def test_a_run_starts_although_nobody_answers(server: Scripted, client: Client, writer: RemoteWriter) -> None:
    server.answer = lambda _: refusal(503, "busy")
    body = asked_for(name="My Job", tags=["a"], parent_run_id="mother", kind="session")
    run = runs.announce(client, writer, body, NOW_MS)
    assert run.run_id.startswith("my-job-20261120-184000-")
    assert (run.status, run.kind, run.tags, run.parent_run_id) == ("running", "session", ("a",), "mother")
    assert (run.host, run.started_at_ms) == (socket.gethostname(), NOW_MS)
    asked = len(server.asked)
    other = runs.announce(client, writer, asked_for(started_at_ms=NOW_MS - 7), NOW_MS)
    assert other.started_at_ms == NOW_MS - 7
    assert all(found.json["name"] == "My Job" for found in server.asked[asked:])  # nobody is asked in vain
    server.answer = lambda _: Answer(201)
    assert writer.flush(PATIENCE_S)
    names = [found.json["name"] for found in server.asked if found.method == "POST"]
    assert names[-2:] == ["My Job", "r"]
    keys = {found.headers["idempotency-key"] for found in server.asked}
    assert len(keys) == 2


def test_what_the_server_refuses_is_refused_at_the_start(
    server: Scripted, client: Client, writer: RemoteWriter
) -> None:
    server.answer = lambda _: refusal(401, "unauthorized")
    with pytest.raises(Unauthorized):
        runs.announce(client, writer, asked_for(), NOW_MS)
    for wrong in ({"name": " "}, {"run_id": "../x"}):
        with pytest.raises(Invalid):
            runs.announce(client, writer, asked_for(**wrong), NOW_MS)
    assert writer.outbox.left == 0


def test_a_run_that_can_neither_be_told_nor_kept_does_not_start(
    server: Scripted, client: Client, writer: RemoteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "hold", lambda _: False)
    server.answer = lambda _: refusal(503, "busy")
    with pytest.raises(Unavailable):
        runs.announce(client, writer, asked_for(), NOW_MS)


def test_an_unknown_run_is_not_found(both: Both) -> None:
    with pytest.raises(NotFound):
        both.remote.get_run("nobody")
