"""A recorder's way to a server that comes and goes: nothing lost, nothing twice, and nobody held up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from runline.intake.names import default_redactor
from runline.model.clock import SystemClock
from runline.model.errors import Unavailable
from runline.store.remote import sender as sending
from runline.store.remote import writer as module
from runline.store.remote.client import Client
from runline.store.remote.line import RemoteLine
from runline.store.remote.outbox import Outbox
from runline.store.remote.parcel import read_parcel
from runline.store.remote.spool import Spool, left_behind
from runline.store.remote.writer import RemoteWriter
from tests.store.remote.parcels import line, parcel
from tests.store.remote.scripted import PATIENCE_S, Answer, Asked, Scripted, refusal


@pytest.fixture
def writer(server: Scripted, client: Client, tmp_path: Path) -> Iterator[RemoteWriter]:
    outbox = Outbox(Spool(tmp_path / "spool", server.url))
    made = RemoteWriter(client, outbox, SystemClock(), default_redactor(), queue_size=10_000)
    yield made
    made.shut(PATIENCE_S)


def messages(server: Scripted) -> list[str]:
    """Of all events that were accepted, in order: the script answers 200 for those."""
    bodies = [asked.body for asked in server.asked if asked.path.endswith("/events")]
    return [part.decode() for body in bodies for part in body.split(b'"message":"')[1:]]


def told(server: Scripted) -> list[str]:
    return [text.split('"', 1)[0] for text in messages(server)]


def until(true: Any) -> None:
    ends_s = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < ends_s
        time.sleep(0.001)


def waiting(folder: Path, url: str) -> list[str]:
    return [
        read_parcel(record).run_id for claimed in left_behind(folder, url) for record in claimed.records()
    ]


def test_events_arrive_in_order_and_flush_knows(server: Scripted, writer: RemoteWriter) -> None:
    assert writer.flush(1)
    way = writer.line("r", announced=False)
    for n in range(1200):
        way.put(line(f"{n}"))
    assert way.flush(PATIENCE_S)
    assert told(server) == [f"{n}" for n in range(1200)]
    assert (way.dropped, way.refused, way.given_up) == (0, 0, 0)
    assert writer.outbox.left == 0


def test_secrets_are_gone_before_anything_is_sent_or_written(
    server: Scripted, writer: RemoteWriter, tmp_path: Path
) -> None:
    server.answer = lambda _: refusal(503, "busy")
    way = writer.line("r", announced=False)
    way.put(line("password=hunter2222", token="abc-secret-value"))
    assert not way.flush(PATIENCE_S)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "spool").iterdir())
    assert b"REDACTED" in stored
    for where in (stored, *(asked.body for asked in server.asked)):
        assert b"hunter2222" not in where
        assert b"abc-secret-value" not in where


def test_while_the_server_is_away_everything_waits_on_disk(
    server: Scripted, writer: RemoteWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "runline")
    away = True
    server.answer = lambda _: refusal(503, "busy") if away else Answer(200, b'{"not_stored": 0}')
    way = writer.line("r", announced=False)
    way.put(line("one"))
    assert not way.flush(PATIENCE_S)
    way.put(line("two"))
    assert not way.flush(PATIENCE_S)
    (file,) = (tmp_path / "spool").glob("*.spool")
    assert b"one" in file.read_bytes()
    assert b"two" in file.read_bytes()
    accepted = len(server.asked)
    away = False
    assert way.flush(PATIENCE_S)
    way.put(line("three"))
    assert way.flush(PATIENCE_S)
    assert told(server)[accepted:] == ["one", "two", "three"]
    keys = [asked.headers["idempotency-key"] for asked in server.asked]
    assert len(set(keys)) == 3
    assert not file.exists()
    assert caplog.text.count("events wait in") == 1
    assert caplog.text.count("takes events again") == 1
    assert not writer.outbox.away


def test_what_waits_at_the_end_is_sent_by_the_next(
    server: Scripted, client: Client, writer: RemoteWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = lambda _: refusal(503, "busy")
    way = writer.line("r", announced=False)
    way.put(line("one"))
    assert not writer.shut(PATIENCE_S)
    assert "1 events wait in" in caplog.text
    way.put(line("too late"))
    assert (way.dropped, way.given_up) == (1, 0)
    assert not writer.flush(0)
    assert waiting(tmp_path / "spool", server.url) == ["r"]
    server.answer = lambda _: Answer(200, b"{}")
    outbox = Outbox(Spool(tmp_path / "spool", server.url))
    other = RemoteWriter(client, outbox, SystemClock(), default_redactor(), queue_size=9)
    other.line("s", announced=False).put(line("two"))
    assert other.flush(PATIENCE_S)
    assert told(server)[-2:] == ["one", "two"]
    assert other.shut(PATIENCE_S)
    assert list((tmp_path / "spool").iterdir()) == []


def test_a_creation_that_could_not_be_told_goes_first(server: Scripted, writer: RemoteWriter) -> None:
    created = parcel(9, run_id="r", vital=True)
    assert writer.hold(created)
    writer.line("r", announced=False).put(line("one"))
    assert writer.flush(PATIENCE_S)
    assert server.asked[0].headers["idempotency-key"] == "k9"
    assert told(server) == ["9", "one"]
    assert not writer.outbox.away


@pytest.mark.parametrize(
    ("answer", "lost"),
    [
        (refusal(409, "run_ended"), "refused"),
        (refusal(404, "run_not_found"), "refused"),
        (refusal(500, "internal"), "given_up"),
    ],
)
def test_what_is_refused_is_counted_and_does_not_hold_up_the_rest(
    server: Scripted, writer: RemoteWriter, answer: Answer, lost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_PAUSES_S", (0.0,))
    server.answer = lambda asked: answer if "/bad/" in asked.path else Answer(200, b'{"not_stored": 1}')
    bad, good = writer.line("bad", announced=False), writer.line("good", announced=False)
    bad.put(line("a"))
    good.put(line("b"))
    until(lambda: writer.flush(1))
    assert getattr(bad, lost) == 1
    assert good.refused == 1  # beyond the limit of its run
    server.answer = lambda _: answer
    assert writer.hold(parcel(1))
    until(lambda: not writer.outbox.left)


def test_an_event_that_cannot_be_packed_does_not_end_the_thread(
    server: Scripted, writer: RemoteWriter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    way = writer.line("r", announced=False)
    with monkeypatch.context() as patched:
        patched.setattr(RemoteLine, "pack", lambda *_: 1 / 0)
        way.put(line("a"))
        assert not way.flush(PATIENCE_S)
        until(lambda: way.given_up)
    assert "could not be packed" in caplog.text
    way.put(line("b"))
    writer.flush(PATIENCE_S)
    assert told(server) == ["b"]
    assert not writer.shut(PATIENCE_S)
    assert "1 events were lost" in caplog.text


def test_signs_of_life_are_given_while_a_line_is_open(
    server: Scripted, writer: RemoteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "HEARTBEAT_S", 0.01)
    way, other = writer.line("r", announced=True), writer.line("s", announced=True)

    def beats(run_id: str) -> list[Asked]:
        return [asked for asked in server.asked if asked.path == f"/api/runs/{run_id}/heartbeat"]

    until(lambda: len(beats("r")) > 2 and len(beats("s")) > 2)
    assert set(beats("r")[0].json) == {"host", "pid"}
    server.answer = lambda _: refusal(404, "run_not_found")
    count = len(beats("r"))
    until(lambda: len(beats("r")) > count)
    way.close()
    other.close()
    assert writer.sender._lines == frozenset()


def test_nobody_is_told_to_be_alive_while_the_server_is_away(
    server: Scripted, writer: RemoteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "HEARTBEAT_S", 0.0)
    server.answer = lambda _: refusal(503, "busy")
    way = writer.line("r", announced=True)
    way.put(line("a"))
    assert not way.flush(PATIENCE_S)
    asked = len(server.asked)
    assert not way.flush(PATIENCE_S)
    assert {found.path for found in server.asked[asked:]} == {"/api/runs/r/events"}


def test_there_is_no_room_when_neither_the_server_nor_the_disk_takes_anything(
    server: Scripted, writer: RemoteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert writer.failing is None
    writer.outbox.trouble = OSError("full")
    assert writer.failing is None
    writer.outbox.away = True
    assert isinstance(writer.failing, Unavailable)
    writer.outbox.trouble = None
    writer.outbox.away = False


def test_flush_gives_up_in_time_when_the_thread_is_busy(
    server: Scripted, writer: RemoteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, go_on = threading.Event(), threading.Event()

    def pack(*_: Any) -> None:
        busy.set()
        go_on.wait(PATIENCE_S)

    monkeypatch.setattr(RemoteLine, "pack", pack)
    way = writer.line("r", announced=False)
    way.put(line("a"))
    assert busy.wait(PATIENCE_S)
    assert not way.flush(0.01)
    go_on.set()


def test_a_sleeping_thread_is_woken(server: Scripted, writer: RemoteWriter) -> None:
    way = writer.line("r", announced=False)
    until(lambda: writer.idle)
    way.put(line("a"))
    until(lambda: told(server) == ["a"])
    assert writer.folder == writer.outbox.spool.folder


def test_a_forked_child_leaves_the_parents_events_to_it(
    server: Scripted, writer: RemoteWriter, tmp_path: Path
) -> None:
    server.answer = lambda _: refusal(503, "busy")
    writer.line("r", announced=True).put(line("the parent's"))
    writer.flush(PATIENCE_S)
    writer.sender.stop(PATIENCE_S)
    writer._closing = True
    writer.ring()
    assert writer._thread is not None
    writer._thread.join(PATIENCE_S)
    writer.fork()
    server.answer = lambda _: Answer()
    assert writer.flush(1)
    writer.line("r", announced=False).put(line("the child's"))
    assert writer.flush(PATIENCE_S)
    assert told(server)[-1] == "the child's"


def test_a_line_that_is_opened_too_late_starts_no_thread(writer: RemoteWriter) -> None:
    assert writer.shut(0)
    way = writer.line("r", announced=False)
    way.put(line("a"))
    assert way.dropped == 1
    assert writer._thread is None


def test_many_that_wait_are_taken_in_turns(
    server: Scripted, writer: RemoteWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BATCH", 2)
    way = writer.line("r", announced=False)
    way.put_all([line(f"{n}") for n in range(7)], timeout_s=1)
    assert way.flush(PATIENCE_S)
    assert told(server) == [f"{n}" for n in range(7)]


def test_what_comes_while_it_lies_down_is_seen(writer: RemoteWriter) -> None:
    way = RemoteLine(writer, "r")
    writer.queue.append((way, line("a")))
    assert writer._rest(module._ACTIVE_POLLS) == 0
    packed: Future[int] = Future()
    packed.set_result(7)
    writer._give_up([packed])
    assert packed.result() == 7
    writer.queue.clear()


def test_what_others_left_waits_on_when_the_server_is_away(
    server: Scripted, writer: RemoteWriter, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "runline")
    left = Spool(tmp_path / "spool", server.url)
    left.append([parcel(1, run_id="dead").to_json()])
    left.close()
    server.answer = lambda _: refusal(503, "busy")
    writer.start()
    until(lambda: "waits on" in caplog.text)
    server.answer = lambda _: Answer()
    assert writer.hold(parcel(2))
    assert writer.flush(PATIENCE_S)
    until(lambda: not left.path.exists())
    assert sorted(told(server)[1:]) == ["1", "2"]
