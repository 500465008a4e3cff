"""The SQL views that anybody may read: exact columns and values, read with the standard library's SQLite."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from runline.model.catalogue import CATALOGUE, STATES, state_of
from runline.model.clock import MAX_MS, MIN_MS, SystemClock, to_iso
from runline.store import open_local
from runline.store.search import status_sql
from runline.store.sql_store import SqlStore
from runline.testing.place import PostgresPlace
from tests.store.recorded import PLAN, rich_run

COLUMNS = {
    "run_timeline_events": "id run_id event_index ts_utc stage severity message elapsed_s details_json",
    "run_timeline_notes": "id run_id created_at_utc author note labels_json actions_json",
    "pipeline_run": "run_id pipeline_name status input current_step total_tokens started_at completed_at "
    "cancelled_at error_message tags_json",
    "event_log": "id run_id timestamp step_id state persona message tokens_used duration_ms",
    "artifact": "id run_id step_id name path type size_bytes created_at",
    "step_progress": "step_id run_id persona state progress current_action message started_at updated_at "
    "estimated_completion_ms tokens_used",
    "pipeline_progress": "run_id total_steps completed_steps current_step_index overall_progress "
    "estimated_completion_ms updated_at",
    "artifact_metadata": "artifact_id run_id step_id preview_text mime_type encoding metadata_json indexed_at",
    "cancellation": "run_id requested_at force",
    "run_events": "id run_id type created_at correlation_id source level payload_json",
    "obs_sessions": "session_id command started_at ended_at status value",
    "obs_events": "key session_id seq ts type data",
    "obs_session_meta": "session_id next_seq latest_status updated_at",
}
Row = dict[str, Any]


class Views:
    """The database as another program opens it."""

    def __init__(self, connection: Any, mark: str) -> None:
        self.connection = connection
        self._mark = mark

    def rows(self, view: str, where: str = "1 = 1", *values: Any) -> list[Row]:
        cursor = self.connection.cursor()
        cursor.execute(f"SELECT * FROM {view} WHERE {where.replace('?', self._mark)}", values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    """On the real clock, since the views judge liveness by the database's."""
    if request.param == "postgres":
        place: PostgresPlace = request.getfixturevalue("place")
        yield place.open()
        return
    with open_local(str(tmp_path / "x.db")) as opened:
        yield opened


@pytest.fixture
def views(store: SqlStore) -> Iterator[Views]:
    place = store.engine.place
    if place.startswith("postgresql:"):
        opened = Views(psycopg.connect(place, autocommit=True), "%s")
    else:
        opened = Views(sqlite3.connect(f"file:{place}?mode=ro", uri=True), "?")
    yield opened
    opened.connection.close()


@pytest.mark.parametrize("view", COLUMNS)
def test_names_and_columns(views: Views, view: str) -> None:
    found = views.connection.execute(f"SELECT * FROM {view}")
    assert [column[0] for column in found.description] == COLUMNS[view].split()


@pytest.mark.parametrize("view", COLUMNS)
def test_they_are_read_only(store: SqlStore, view: str) -> None:
    column = COLUMNS[view].split()[0]
    for sql in (
        f"UPDATE {view} SET {column} = 1",
        f"DELETE FROM {view}",
        f"INSERT INTO {view} ({column}) VALUES (1)",
    ):
        with pytest.raises(Exception, match="view"), store.engine.transaction() as tx:
            tx.execute(sql)


def test_every_run_is_there_whatever_its_kind(store: SqlStore, views: Views) -> None:
    for kind in ("run", "pipeline", "session", "agent", "made up"):
        run_id = f"a-{kind.replace(' ', '-')}"
        store.create_run("name", kind=kind, run_id=run_id, plan=PLAN)
        store.append(run_id, [{"type": "artifact_created", "data": {"name": "a"}}])
        store.add_note(run_id, "n")
        store.cancel(run_id)
    for view, columns in COLUMNS.items():
        key = "session_id" if "session_id" in columns.split() else "run_id"
        assert len({row[key] for row in views.rows(view)}) == 5, view


def test_web_timeline(store: SqlStore, views: Views) -> None:
    started_ms = SystemClock().now_ms() - 10_000
    store.create_run("job", run_id="one", started_at_ms=started_ms)
    event = store.append(
        "one",
        [
            {
                "ts": to_iso(started_ms + 1234),
                "level": "warn",
                "step": "load",
                "message": "slow",
                "data": {"n": 1},
            },
            {"ts": to_iso(started_ms - 5), "level": "error", "message": "early"},
        ],
    )
    note = store.add_note("one", "look", author="me", labels=["a", "b"], actions=["ticket"], event_seq=2)
    rows = views.rows("run_timeline_events")
    assert rows[1] == {
        "id": event[0].id,
        "run_id": "one",
        "event_index": 2,
        "ts_utc": to_iso(started_ms + 1234),
        "stage": "load",
        "severity": "warn",
        "message": "slow",
        "elapsed_s": 1.234,
        "details_json": '{"n":1}',
    }
    assert [(row["stage"], row["severity"], row["elapsed_s"]) for row in rows] == [
        ("run", "info", 0.0), ("load", "warn", 1.234), ("run", "error", 0.0),
    ]  # fmt: skip
    assert views.rows("run_timeline_notes") == [
        {
            "id": note.id,
            "run_id": "one",
            "created_at_utc": to_iso(note.created_at_ms),
            "author": "me",
            "note": "look",
            "labels_json": '["a","b"]',
            "actions_json": '["ticket"]',
        }
    ]


def test_dashboard_runs_and_their_progress(store: SqlStore, views: Views) -> None:
    store.create_run("nightly", run_id="one", tags=["prod"], input={"n": 1}, plan=PLAN)
    store.append("one", [{"type": "step_started", "step": "extract", "data": {"estimated_time_ms": 900}}])
    run = store.get_run("one")
    assert views.rows("pipeline_run") == [
        {
            "run_id": "one",
            "pipeline_name": "nightly",
            "status": "running",
            "input": '{"n":1}',
            "current_step": "extract",
            "total_tokens": 0,
            "started_at": to_iso(run.started_at_ms),
            "completed_at": None,
            "cancelled_at": None,
            "error_message": None,
            "tags_json": '["prod"]',
        }
    ]
    assert views.rows("pipeline_progress") == [
        {
            "run_id": "one",
            "total_steps": 4,
            "completed_steps": 0,
            "current_step_index": 0,
            "overall_progress": 0,
            "estimated_completion_ms": 900,
            "updated_at": to_iso(run.updated_at_ms),
        }
    ]
    store.end_run("one", "cancelled", error="enough")
    ended = views.rows("pipeline_run")[0]
    assert (ended["status"], ended["error_message"]) == ("cancelled", "enough")
    assert ended["completed_at"] == ended["cancelled_at"] == to_iso(store.get_run("one").completed_at_ms or 0)
    assert views.rows("pipeline_progress")[0]["estimated_completion_ms"] is None


def step_row(store: SqlStore, step_id: str) -> Row:
    """What the store's own answer says, in the view's columns."""
    step = next(step for step in store.list_steps("one") if step.step_id == step_id)
    return {
        "step_id": step.step_id,
        "run_id": "one",
        "persona": step.persona,
        "state": step.state,
        "progress": step.progress,
        "current_action": step.current_action,
        "message": step.message,
        "started_at": None if step.started_at_ms is None else to_iso(step.started_at_ms),
        "updated_at": None if step.updated_at_ms is None else to_iso(step.updated_at_ms),
        "estimated_completion_ms": step.estimated_completion_ms,
        "tokens_used": step.tokens_used,
    }


@pytest.mark.parametrize("status", [None, "completed", "failed", "cancelled", "interrupted"])
def test_steps_are_what_every_face_shows(store: SqlStore, views: Views, status: str | None) -> None:
    now_ms = SystemClock().now_ms()
    plan: dict[str, list[dict[str, Any]]] = {
        "steps": [
            {"id": "build[0]"}, {"id": "build[12]"}, {"id": "odd[x]"}, {"id": "pack", "dependencies": ["build"]},
            {"id": "ship", "dependencies": ["pack", "build"], "persona": "shipper"}, {"id": "free"},
            {"id": "lint", "optional": True}, {"id": "after-lint", "dependencies": ["lint"]},
            {"id": "after-odd", "dependencies": ["odd"]}, {"id": "guessed"}, {"id": "half"}, {"id": "fresh"},
        ]
    }  # fmt: skip
    store.create_run("nightly", run_id="one", plan=plan, started_at_ms=now_ms - 60_000)
    with store.engine.transaction() as tx:
        ((plan_text,),) = tx.execute("SELECT coalesce(plan, '{}') FROM steps WHERE name = 'guessed'")
        usual = json.loads(plan_text) | {"usual": {"p50_ms": 70_000, "p90_ms": 9, "n": 1}}
        tx.execute("UPDATE steps SET plan = ? WHERE name = 'guessed'", (json.dumps(usual),))
    store.writer.between(store.writer.appender.forget_all)

    def said(type_: str, step: str, ago_s: int = 30, **data: Any) -> Row:
        return {"type": type_, "step": step, "ts": to_iso(now_ms - ago_s * 1000), "data": data}

    store.append(
        "one",
        [
            said("step_started", "build[0]"), said("step_completed", "build[0]", tokens_used=12),
            said("step_started", "build[12]", persona="builder"), said("step_failed", "build[12]", error="no"),
            said("step_failed", "odd[x]"), said("step_failed", "lint"),
            said("step_started", "guessed"), said("stream_activity", "guessed", 10, current_action="reading"),
            said("step_started", "half"), said("step_progress", "half", 10, progress=40, tokens_used=3),
            said("step_started", "fresh", 10, estimated_time_ms=5000), said("log", "fresh", 8),
            said("log", "only named"),
        ],
    )  # fmt: skip
    if status is not None:
        store.end_run("one", status)
    names = [step["id"] for step in plan["steps"]]
    rows = {row["step_id"]: row for row in views.rows("step_progress", "run_id = ?", "one")}
    assert rows.keys() == set(names)
    assert rows == {name: step_row(store, name) for name in names}
    blocked = sorted(name for name, row in rows.items() if row["state"] == "blocked")
    assert blocked == ["pack", "ship"]
    if status is None:
        assert [rows[name]["estimated_completion_ms"] for name in ("guessed", "half", "fresh", "free")] == [
            50_000, 30_000, 3_000, None,
        ]  # fmt: skip


STEP_NAMES = ("a", "b", "u", "u[0]", "u[12]", "u[٣]", "u[x]", "[1]", "u[0][1]", "c%", "U[0]")
PLANNED = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(STEP_NAMES)},
        optional={
            "dependencies": st.lists(st.sampled_from((*STEP_NAMES, "nobody")), max_size=3, unique=True),
            "optional": st.booleans(),
        },
    ),
    max_size=8,
    unique_by=lambda step: step["id"],
)
LIFE = ("step_started", "step_completed", "step_failed", "step_skipped", "step_retrying", "log")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    plan=PLANNED,
    life=st.lists(st.tuples(st.sampled_from(LIFE), st.sampled_from(STEP_NAMES)), max_size=12),
    end=st.sampled_from([None, "completed", "failed", "cancelled", "interrupted"]),
)
@example(
    plan=[{"id": "a"}, {"id": "b", "dependencies": ["a"]}, {"id": "u", "dependencies": ["b"]}],
    life=[("step_failed", "a"), ("step_completed", "b")],
    end=None,
)
@example(
    plan=[{"id": "u[٣]"}, {"id": "u[0]"}, {"id": "b", "dependencies": ["u"]}],
    life=[("step_failed", "u[٣]")],
    end=None,
)
def test_states_of_any_plan_are_those_of_the_store(
    store: SqlStore, views: Views, plan: list[Row], life: list[tuple[str, str]], end: str | None
) -> None:
    run_id = store.create_run("any", plan={"steps": plan}).run_id
    store.append(run_id, [{"type": type_, "step": step} for type_, step in life] or [{"message": "none"}])
    if end is not None:
        store.end_run(run_id, end)
    found = views.rows("step_progress", "run_id = ?", run_id)
    assert {row["step_id"]: row["state"] for row in found} == {
        step.step_id: step.state for step in store.list_steps(run_id)
    }


def test_artifacts_and_cancellations(store: SqlStore, views: Views) -> None:
    store.create_run("job", run_id="one")
    data = {"name": "a.txt", "path": "out/a.txt", "type": "text", "size_bytes": 3, "mime_type": "text/plain",
            "encoding": "utf-8", "preview_text": "abc", "lines": 1}  # fmt: skip
    event = store.append("one", [{"type": "artifact_created", "step": "s", "data": data}])[0]
    store.cancel("one", force=False)
    artifact = store.list_artifacts("one")[0]
    assert views.rows("artifact") == [
        {"id": artifact.id, "run_id": "one", "step_id": "s", "name": "a.txt", "path": "out/a.txt", "type": "text",
         "size_bytes": 3, "created_at": to_iso(event.ts_ms)}
    ]  # fmt: skip
    assert views.rows("artifact_metadata") == [
        {"artifact_id": artifact.id, "run_id": "one", "step_id": "s", "preview_text": "abc",
         "mime_type": "text/plain", "encoding": "utf-8", "metadata_json": '{"lines":1}',
         "indexed_at": to_iso(event.ts_ms)}
    ]  # fmt: skip
    cancelled = views.rows("cancellation")
    assert [(row["run_id"], row["force"]) for row in cancelled] == [("one", 0)]
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}\.\d{3}Z", cancelled[0]["requested_at"])


def test_run_trace(store: SqlStore, views: Views) -> None:
    store.create_run("job", run_id="one")
    event = store.append(
        "one",
        [
            {
                "type": "tool_call",
                "source": "agent",
                "correlation_id": "c1",
                "level": "error",
                "data": {"name": "read"},
            }
        ],
    )[0]
    assert views.rows("run_events", "type = 'tool_call'") == [
        {
            "id": event.id,
            "run_id": "one",
            "type": "tool_call",
            "created_at": to_iso(event.ts_ms),
            "correlation_id": "c1",
            "source": "agent",
            "level": "error",
            "payload_json": '{"name":"read"}',
        }
    ]


def test_sessions(store: SqlStore, views: Views) -> None:
    store.create_run("generate src", kind="session", run_id="s1", tags=["x"])
    run = store.get_run("s1")
    started = to_iso(run.started_at_ms)
    value = {"command": "generate src", "kind": "session", "tags": ["x"], "started_at": started, "ended_at": None,
             "status": "active"}  # fmt: skip
    found = views.rows("obs_sessions")[0]
    assert json.loads(found.pop("value")) == value
    assert found == {
        "session_id": "s1", "command": "generate src", "started_at": started, "ended_at": None, "status": "active",
    }  # fmt: skip
    end = store.end_run("s1", "failed")
    found = views.rows("obs_sessions")[0]
    assert (found["status"], found["ended_at"]) == ("failed", to_iso(end.ts_ms))
    assert views.rows("obs_session_meta") == [
        {"session_id": "s1", "next_seq": 3, "latest_status": "failed", "updated_at": to_iso(end.ts_ms)}
    ]
    events = views.rows("obs_events")
    assert [(row["key"], row["seq"], row["type"]) for row in events] == [
        ("s1:00000000000000000001", 1, "session_started"), ("s1:00000000000000000002", 2, "session_ended"),
    ]  # fmt: skip
    assert json.loads(events[0]["data"])["command"] == "generate src"


def test_keys_of_events_sort_as_their_seqs(store: SqlStore, views: Views) -> None:
    store.create_run("job", run_id="s1")
    store.append("s1", [{"message": "m"}] * 120)
    found = [row["seq"] for row in views.rows("obs_events", "1 = 1 ORDER BY key")]
    assert found == list(range(1, 122))


@pytest.mark.parametrize(
    ("seen_ago_s", "appended_ago_s", "status"),
    [
        (None, 0, "running"),
        (None, 14 * 60, "running"),
        (None, 16 * 60, "interrupted"),
        (20, 3600, "running"),
        (40, 0, "interrupted"),
    ],
)
def test_liveness_is_judged_by_the_databases_clock(
    store: SqlStore, views: Views, seen_ago_s: int | None, appended_ago_s: int, status: str
) -> None:
    store.create_run("job", run_id="one")
    now_ms = SystemClock().now_ms()
    with store.engine.transaction() as tx:
        tx.execute("UPDATE runs SET appended_at = ?", (now_ms - appended_ago_s * 1000,))
        if seen_ago_s is not None:
            tx.execute(
                "INSERT INTO liveness SELECT run, ?, NULL, NULL FROM runs", (now_ms - seen_ago_s * 1000,)
            )
    assert store.get_run("one").status == status
    assert views.rows("pipeline_run")[0]["status"] == status
    active = "active" if status == "running" else status
    assert views.rows("obs_sessions")[0]["status"] == active
    assert views.rows("obs_session_meta")[0]["latest_status"] == active


def test_status_is_the_one_expression() -> None:
    sql = (files("runline.store.migrations") / "0002_views.sql").read_text("utf-8")
    now = "(julianday('now') - 2440587.5) * 86400000"
    assert status_sql(now).replace(" ", "") in re.sub(r"\s", "", sql)


def test_states_are_those_of_the_catalogue(store: SqlStore, views: Views) -> None:
    types = [
        *CATALOGUE,
        *(f"made_up{end}" for end in ("_started", "_completed", "_failed", "_retrying", "_done", "started")),
        *(f"{start}made_up" for start in ("llm_", "tool_", "patch_", "test_", "llmx_", "step_")),
        "tool_failed", "_failed", "failed", "error_", "retrying", "run_started_again",
    ]  # fmt: skip
    data: list[Row] = [
        {},
        {"status": "failed"},
        {"status": "completed"},
        {"status": 7},
        {"state": "new"},
        {"state": 1},
    ]
    data += [{"state": state, "status": "failed"} for state in STATES]
    store.create_run("job", run_id="one")
    wanted = [(kind, said) for kind in types if kind not in ("run_ended", "session_ended") for said in data]
    store.append("one", [{"type": kind, "data": said} for kind, said in wanted])
    for number, said in enumerate(data):
        for kind in ("run_ended", "session_ended"):
            store.create_run("job", run_id=f"{kind}-{number}")
            store.append(f"{kind}-{number}", [{"type": kind, "data": said}])
    states = {row["id"]: row["state"] for row in views.rows("event_log")}
    checked = 0
    for run in store.list_runs(limit=100).items:
        for event in (event for page in pages(store, run.run_id) for event in page):
            assert states[event.id] == state_of(event.type, event.data), (event.type, event.data)
            checked += 1
    assert checked == len(states) > 1000


def pages(store: SqlStore, run_id: str) -> Iterator[list[Any]]:
    after_seq = 0
    while page := store.read(run_id, after_seq=after_seq, limit=1000):
        yield page
        after_seq = page[-1].seq


def test_figures_of_an_event(store: SqlStore, views: Views) -> None:
    store.create_run("job", run_id="one")
    store.append(
        "one",
        [
            {
                "type": "note",
                "step": "s",
                "data": {"persona": "reader", "tokens_used": 7, "duration_ms": 12.9},
            },
            {"type": "note", "data": {"persona": 5, "tokens_used": "7", "duration_ms": None}},
        ],
    )
    full, odd = views.rows("event_log", "id > 1")
    assert (full["step_id"], full["persona"], full["tokens_used"], full["duration_ms"]) == (
        "s",
        "reader",
        7,
        12,
    )
    assert (odd["step_id"], odd["persona"], odd["tokens_used"], odd["duration_ms"]) == (
        None,
        None,
        None,
        None,
    )


@given(st.lists(st.integers(MIN_MS, MAX_MS), min_size=50, max_size=50))
def test_times_are_the_one_text(instants: list[int]) -> None:
    sql = "SELECT strftime('%Y-%m-%dT%H:%M:%fZ', ? / 1000.0, 'unixepoch')"
    connection = sqlite3.connect(":memory:")
    edges = [MIN_MS, MAX_MS, 0, -1, 999, random.Random(1).randrange(MAX_MS)]
    for ms in instants + edges:
        assert connection.execute(sql, (ms,)).fetchone()[0] == to_iso(ms)
    connection.close()


def test_a_run_with_everything_reads_without_an_error(store: SqlStore, views: Views) -> None:
    rich_run(store, "one", status="failed")
    store.add_note("one", "n")
    for view in COLUMNS:
        assert isinstance(views.rows(view), list)
    assert sorted(row["state"] for row in views.rows("step_progress")) == [
        "blocked",
        "completed",
        "failed",
        "pending",
    ]
