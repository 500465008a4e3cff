"""A recorder and a server: opened by its URL, forked, killed, restarted; nothing is lost and nothing comes twice."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

import runline
from runline.model.errors import Forbidden, Invalid, RunlineError, Unavailable
from runline.record import config
from runline.store import open_local, open_store
from runline.store.remote import http_store
from runline.store.remote.http_store import HttpStore, open_http
from runline.store.remote.spool import Spool, files_of
from runline.testing.streams import whole
from tests.store.remote.conftest import Both
from tests.store.remote.parcels import parcel
from tests.store.remote.scripted import PATIENCE_S, Scripted, refusal


@pytest.fixture(autouse=True)
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("RUNLINE_STORE", "RUNLINE_RUN_ID", "RUNLINE_STEP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(config._process, "settings", config.Settings())
    yield
    runline.close(10)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def process(database: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`runline serve` as it runs anywhere, listening."""
    command = [sys.executable, "-m", "runline.cli", "--store", str(database), "serve", "--no-open"]
    served = subprocess.Popen(
        [*command, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        ends_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < ends_s:
            try:
                httpx.get(f"http://127.0.0.1:{port}/healthz")
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield served
    finally:
        served.kill()
        served.wait()


def test_a_url_opens_the_store_of_a_server(both: Both) -> None:
    with open_store(f"{both.remote.url}/") as store:
        assert isinstance(store, HttpStore)
        assert store.url == both.remote.url
        run = store.create_run("r")
        assert both.local.get_run(run.run_id).name == "r"
        assert store.acting_as("me") is store
        with pytest.raises(Forbidden):
            store.scoped("ours").scoped("theirs")
        store.scoped("default").close()
        assert store.waiting is None
        assert store.get_run(run.run_id) == run
    with pytest.raises(Invalid):
        open_local(both.remote.url)
    with pytest.raises(Invalid):
        open_store("http://token@127.0.0.1")


def test_a_program_records_into_a_server_as_into_a_file(both: Both, tmp_path: Path) -> None:
    report = tmp_path / "report.txt"
    report.write_text("all is well\n")
    with runline.run("job", store=both.remote.url, tags=["prod"], input={"a": 1}) as run:
        with run.step("extract", total=3) as step:
            for _ in step.track(range(3)):
                run.event("tool_call", "read", data={"token": "abc"})
            run.artifact("report.txt", report, data={"pages": 1})
        assert run.event("log", "durable", durable=True)
        assert not run.cancel_requested
        run.note("a note", author="me")
        with runline.run("inner") as inner:
            assert inner.url == f"{both.remote.url}/runs/{inner.id}"
    stored = both.local.get_run(run.id)
    assert (stored.status, stored.input, stored.note_count, stored.pid) == (
        "completed",
        {"a": 1},
        1,
        os.getpid(),
    )
    assert both.local.get_run(inner.id).parent_run_id == run.id
    types = [event.type for event in whole(both.local, run.id)]
    assert types[:2] == ["run_started", "step_started"]
    assert types[-4:] == ["artifact_created", "step_completed", "log", "run_ended"]
    (artifact,) = both.local.list_artifacts(run.id)
    assert both.local.read_artifact(run.id, "extract", "report.txt").content == "all is well\n"
    assert (artifact.step_id, artifact.preview_text) == ("extract", "all is well\n")
    assert whole(both.local, run.id)[artifact.seq - 1].data["source_path"] == str(report)
    assert runline.close(PATIENCE_S)
    assert list((tmp_path / "spool").glob("*")) == []


def test_in_a_child_nothing_is_shared_with_the_parent(both: Both) -> None:
    before = both.remote.client.connections.http
    http_store._forked(both.remote)
    http_store._forked(None)
    assert both.remote.client.connections.http is not before
    assert both.remote.list_runs().items == []
    before.close()


def test_a_forked_child_records_on_its_own(both: Both) -> None:
    with runline.run("parent", store=both.remote.url) as run:
        run.event("log", "before")
        assert run.flush(PATIENCE_S)
        child = os.fork()
        if not child:
            run.event("log", "from the child")
            os._exit(0 if run.flush(PATIENCE_S) else 1)
        _, status = os.waitpid(child, 0)
        run.event("log", "after")
    assert status == 0
    told = [event.message for event in whole(both.local, run.id)]
    assert told[1:4] == ["before", "from the child", "after"]


def test_a_run_goes_on_without_its_server_and_is_whole_in_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """5,000 events; the server is killed twice in between, once for good until all is said."""
    database, port = tmp_path / "x.db", free_port()
    url = f"http://127.0.0.1:{port}"
    with process(database, port) as served:
        run = runline.run("long", store=url, run_id="long").start()
        for n in range(1000):
            run.event("log", f"{n}", data={"n": n})
        assert run.flush(PATIENCE_S)
        for n in range(1000, 2000):
            run.event("log", f"{n}", data={"n": n})
        served.send_signal(signal.SIGKILL)
        for n in range(2000, 3000):
            run.event("log", f"{n}", data={"n": n})
        assert not run.flush(PATIENCE_S)
    with process(database, port) as served:
        for n in range(3000, 4000):
            run.event("log", f"{n}", data={"n": n})
        while not run.flush(PATIENCE_S):
            time.sleep(0.01)
        served.send_signal(signal.SIGKILL)
        served.wait()
        for n in range(4000, 5000):
            run.event("log", f"{n}", data={"n": n})
        started = time.monotonic()
        assert not run.end()
        inner = runline.run("begun without", store=url).start()
        assert not inner.end("failed", error="nobody there")
        assert time.monotonic() - started < PATIENCE_S
        assert run.lost == inner.lost == 0
        assert run.store.waiting is not None
        assert not runline.close(1)
    with process(database, port), open_http(url) as store:  # which sends what was left
        assert store.get_run(inner.id).error_message == "nobody there"
        assert store.spooled == []
    with open_local(str(database)) as local:
        told = [event.data["n"] for event in whole(local, "long")[1:-1]]
        assert told == list(range(5000))
        assert [event.type for event in whole(local, inner.id)] == ["run_started", "run_ended"]
        assert local.verify().ok
    assert "events wait in" in caplog.text


def test_a_program_in_a_command_joins_its_run_also_while_the_server_is_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, port = tmp_path / "x.db", free_port()
    url = f"http://127.0.0.1:{port}"
    code = "import runline; runline.event('log', 'from within'); runline.close(1)"
    with runline.run("outer", store=url) as run:
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | run.environment(), check=True, capture_output=True
        )
        with process(database, port), open_http(url) as store:
            while not run.flush(PATIENCE_S):
                time.sleep(0.01)
            run.end()
            messages = [event.message for event in whole(store, run.id)]
            assert messages == ["outer started", "from within", "Run completed"]
            assert store.spooled == []


PROGRAM = """
import os, signal, sys, runline
url, count = sys.argv[1], int(sys.argv[2])
run = runline.run("killed", store=url, run_id="killed").start()
run.artifact("a.txt", content="kept while away")
for n in range(count):
    run.event("log", str(n), data={"n": n})
run.flush(20)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_recorder_left_is_sent_by_the_next_command(tmp_path: Path) -> None:
    database, port = tmp_path / "x.db", free_port()
    url = f"http://127.0.0.1:{port}"
    killed = subprocess.run(
        [sys.executable, "-c", PROGRAM, url, "3000"], capture_output=True, cwd=tmp_path, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    (left,) = files_of(tmp_path / "spool", url)
    with left.open("ab") as file:
        file.write(b'00000000 {"kind": "torn')
    with process(database, port):
        listed = subprocess.run(
            [sys.executable, "-m", "runline.cli", "--store", url, "ls"],
            capture_output=True,
            text=True,
            check=True,
        )
        assert "killed" in listed.stdout
    with open_local(str(database)) as local:
        events = whole(local, "killed")
        assert [event.data["n"] for event in events if event.type == "log"] == list(range(3000))
        assert [event.type for event in events[:2]] == ["run_started", "artifact_created"]
        assert local.read_artifact("killed", None, "a.txt").content == "kept while away"
    assert list((tmp_path / "spool").glob("*")) == []


def test_nobody_is_asked_about_a_cancellation_while_the_server_is_away(server: Scripted) -> None:
    with open_http(server.url) as store:
        store.writer.outbox.away = True
        assert not store.is_cancelled("r")
        assert server.asked == []
        store.writer.outbox.away = False
        server.answer = lambda _: refusal(404, "run_not_found")
        with pytest.raises(RunlineError):
            store.is_cancelled("r")


def test_opening_does_not_fail_when_the_server_is_away(server: Scripted, tmp_path: Path) -> None:
    left = Spool(tmp_path / "spool", server.url)
    left.append([parcel(1).to_json()])
    left.close()
    server.answer = lambda _: refusal(503, "busy")
    with open_http(server.url) as store:
        assert store.spooled == [left.path]
        with pytest.raises(Unavailable):
            store.append("r", [{"message": "a"}])


def test_many_threads_may_ask_at_once(both: Both) -> None:
    run_id = both.remote.create_run("r").run_id
    found: list[Any] = []

    def work(n: int) -> None:
        found.extend(both.remote.append(run_id, [{"message": f"{n}"}]))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(event.seq for event in found) == list(range(2, 22))
