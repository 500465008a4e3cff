"""The sending thread by itself: when it starts, when it ends, and that only one of two sends what was left."""

from __future__ import annotations

from pathlib import Path

from runline.store.line import Line
from runline.store.remote.client import Client
from runline.store.remote.delivery import send_left_behind
from runline.store.remote.outbox import Outbox
from runline.store.remote.sender import Sender
from runline.store.remote.spool import Spool, left_behind
from tests.store.remote.parcels import parcel
from tests.store.remote.scripted import PATIENCE_S, Answer, Scripted, refusal


def test_it_sends_all_that_is_left_before_it_ends(server: Scripted, client: Client, tmp_path: Path) -> None:
    outbox = Outbox(Spool(tmp_path, server.url))
    for number in range(5):
        outbox.add(parcel(number), None)
    sender = Sender(client, outbox)
    sender.stop(0)  # nothing has begun yet
    sender.start()
    assert sender._thread is not None
    sender._thread.join(PATIENCE_S)
    assert [asked.json["message"] for asked in server.asked] == ["0", "1", "2", "3", "4"]
    assert outbox.left == 0


def test_it_ends_at_the_first_failure_once_it_is_to_stop(
    server: Scripted, client: Client, tmp_path: Path
) -> None:
    server.answer = lambda _: refusal(503, "busy")
    outbox = Outbox(Spool(tmp_path, server.url))
    outbox.add(parcel(1), None)
    sender = Sender(client, outbox)
    sender.stop(0)
    sender.start()
    assert sender._thread is not None
    sender._thread.join(PATIENCE_S)
    assert (len(server.asked), outbox.left) == (1, 1)
    outbox.close()


def test_a_child_knows_none_of_the_parents_lines(client: Client, tmp_path: Path) -> None:
    sender = Sender(client, Outbox(Spool(tmp_path, client.url)))
    sender.live(Line(None, "r"))  # type: ignore[arg-type]  # nothing is queued
    sender.forked()
    assert sender._lines == frozenset()


def test_while_one_sends_what_was_left_nobody_else_does(
    server: Scripted, client: Client, tmp_path: Path
) -> None:
    left = Spool(tmp_path, server.url)
    left.append([parcel(1).to_json()])
    left.close()
    server.answer = lambda _: Answer(200, b"{}")
    for claimed in left_behind(tmp_path, server.url):
        assert send_left_behind(tmp_path, server.url, client) == 0
        assert claimed.path.exists()
    assert send_left_behind(tmp_path, server.url, client) == 1
