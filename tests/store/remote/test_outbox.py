"""First in, first out, in memory or on disk, and nothing lost on the way from one to the other."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runline.store.remote import outbox as module
from runline.store.remote.line import RemoteLine, files_below
from runline.store.remote.outbox import Outbox
from runline.store.remote.spool import Spool, left_behind
from runline.testing.streams import ON_ONE_STORE
from tests.store.remote.parcels import parcel

URL = "http://127.0.0.1:1"


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    made = Outbox(Spool(tmp_path / "spool", URL))
    yield made
    made.close()


def drained(outbox: Outbox) -> list[str]:
    keys = []
    while (first := outbox.head(0)) is not None:
        keys.append(first[0].key)
        outbox.done()
    return keys


def refusing(monkeypatch: pytest.MonkeyPatch, outbox: Outbox) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(outbox.spool, "append", full)


@settings(suppress_health_check=ON_ONE_STORE, max_examples=60)
@given(acts=st.lists(st.sampled_from(["add", "file", "big", "fail", "back", "send", "fork?"]), max_size=40))
def test_whatever_happens_the_order_stays(outbox: Outbox, acts: list[str]) -> None:
    number, expected, sent = 0, [], []
    for act in acts:
        if act in ("add", "file", "big"):
            number += 1
            size = module.KEEP_BYTES if act == "big" else 1
            assert outbox.add(parcel(number, size=size), None, on_disk=act == "file")
            expected.append(f"k{number}")
        elif act == "fail":
            outbox.failed()
        elif act == "back":
            outbox.came_back()
        elif (first := outbox.head(0)) is not None:
            sent.append(first[0].key)
            outbox.done()
    sent += drained(outbox)
    assert sent == expected
    assert outbox.left == 0
    assert not outbox.spool.is_open
    outbox.came_back()


def test_who_waits_learns_that_it_was_delivered(outbox: Outbox) -> None:
    outbox.add(parcel(1), None)
    outbox.add(parcel(2), None)
    assert not outbox.wait(1, 0, time.monotonic())
    told: list[bool] = []
    waiting = threading.Thread(
        target=lambda: told.append(outbox.wait(outbox.added, 0, time.monotonic() + 20))
    )
    waiting.start()
    drained(outbox)
    waiting.join(20)
    assert told == [True]


def test_who_waits_learns_that_the_server_is_away(outbox: Outbox) -> None:
    outbox.add(parcel(1), None)
    told: list[bool] = []
    waiting = threading.Thread(target=lambda: told.append(outbox.wait(1, 0, time.monotonic() + 20)))
    with outbox.changed:
        waiting.start()
    outbox.failed()  # an attempt that had begun before
    outbox.tries += 1
    while waiting.is_alive():
        outbox.failed()
        waiting.join(0.01)
    assert told == [False]


def test_when_the_disk_takes_nothing_memory_does_up_to_a_limit(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 3)
    outbox.add(parcel(1), None)
    outbox.failed()
    with monkeypatch.context() as patched:
        refusing(patched, outbox)
        assert [outbox.add(parcel(n), None) for n in (2, 3, 4, 9)] == [True, True, True, False]
        assert outbox.add(parcel(5, vital=True), None)
        assert outbox.trouble is not None
    assert caplog.text.count("cannot wait on disk") == 1
    assert outbox.add(parcel(6), None)
    assert outbox.trouble is None
    assert drained(outbox) == ["k1", "k2", "k3", "k4", "k5", "k6"]


def test_what_is_left_at_the_end_is_found_by_others(outbox: Outbox, tmp_path: Path) -> None:
    for number in range(3):
        outbox.add(parcel(number), None)
    assert outbox.close() == 0
    outbox.done()  # a delivery that was still under way
    found = [record for claimed in left_behind(tmp_path / "spool", URL) for record in claimed.records()]
    assert len(found) == 3


def test_what_cannot_even_wait_is_given_up(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    line = RemoteLine(None, "r")  # type: ignore[arg-type]  # nothing is queued
    outbox.add(parcel(1), line)
    outbox.add(parcel(2), None)
    refusing(monkeypatch, outbox)
    assert outbox.close() == 2
    assert line.given_up == 1


@pytest.mark.parametrize("line", [None, RemoteLine(None, "r")])  # type: ignore[arg-type]
def test_what_cannot_be_read_back_is_given_up(
    outbox: Outbox, line: RemoteLine | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    outbox.failed()
    outbox.add(parcel(1), line)
    outbox.add(parcel(2), None)
    read = outbox.spool.read
    with monkeypatch.context() as patched:
        patched.setattr(outbox.spool, "read", lambda *place: read(*place)[:9])
        assert outbox.head(0) is None
    assert drained(outbox) == ["k2"]
    assert "cannot be read" in caplog.text
    assert line is None or line.given_up == 1


def test_a_forked_child_begins_with_nothing(outbox: Outbox) -> None:
    outbox.add(parcel(1), None)
    outbox.failed()
    before = outbox.spool.path
    outbox.forked()
    assert (outbox.left, outbox.added, outbox.away) == (0, 0, False)
    assert before.exists()
    files_below(outbox)
    assert outbox.spool.path != before
