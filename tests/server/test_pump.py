"""The pump: what is followed is read once, soon, and whatever goes wrong it goes on."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Hashable, Iterator

import pytest

from runline.model.errors import NotFound, Unavailable
from runline.server import pump
from runline.server.channels import AllChannel, Channel, RunChannel, RunsChannel, Stretch
from runline.server.pump import News, Pump
from runline.store.sql_store import SqlStore
from runline.testing.streams import tagged
from tests.server.streaming import PATIENCE_S, eventually


class Loop:
    """Stands for the event loop: takes what is handed over."""

    def __init__(self, store: SqlStore) -> None:
        self.store = store
        self.channels: dict[Hashable, Channel] = {}
        self.news: queue.Queue[News] = queue.Queue()
        self.busy = False
        self.gone = False
        self.taken: list[Callable[[], None]] = []
        self.pump = Pump(store, self.channels, self.hand_over)

    def hand_over(self, news: News, taken: Callable[[], None]) -> None:
        if self.gone:
            raise RuntimeError("Event loop is closed")
        self.taken.append(taken)
        self.news.put(news)
        if not self.busy:
            taken()

    def follow(self, channel: Channel) -> None:
        self.channels[channel.key] = channel
        self.pump.look()

    def leave(self) -> None:
        self.channels.clear()

    def seqs(self) -> list[int]:
        """The positions of the next round's frames."""
        events = self.news.get(timeout=PATIENCE_S).events
        return [at for _, _, stretch in events for at, _ in stretch.frames]


@pytest.fixture
def loop(store: SqlStore) -> Iterator[Loop]:
    loop = Loop(store)
    yield loop
    loop.pump.close()
    loop.pump.thread.join(PATIENCE_S)
    assert not loop.pump.thread.is_alive()


def test_what_is_new_in_each_channel_is_read_once(
    loop: Loop, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.create_run("r").run_id
    read: list[str] = []
    plain = RunChannel(store, run_id, {}, 1)
    rare = RunChannel(store, run_id, {"types": ("rare",)}, 1)

    def counted(name: str, channel: RunChannel) -> None:
        original = channel.read

        def reading(after: int, limit: int) -> Stretch:
            read.append(name)
            return original(after, limit)

        monkeypatch.setattr(channel, "read", reading)

    for name, channel in (("plain", plain), ("rare", rare)):
        counted(name, channel)
        loop.follow(channel)
    store.append(run_id, tagged("a", 3))
    assert loop.seqs() == [2, 3, 4]
    eventually(lambda: (plain.position, rare.position) == (4, 4), "both have been looked at")
    assert sorted(read) == ["plain", "rare"]
    store.append(run_id, [{"type": "rare"}])
    assert loop.seqs() == [5, 5]


def test_more_than_a_page_comes_in_pieces(
    loop: Loop, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "PAGE", 4)
    run_id = store.create_run("r").run_id
    store.append(run_id, tagged("a", 9))
    loop.follow(RunChannel(store, run_id, {}, 0))
    assert [loop.seqs() for _ in range(3)] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    loop.leave()
    loop.follow(AllChannel(store, 0))
    assert [loop.seqs() for _ in range(3)] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]


def test_the_end_is_told_once_it_is_there(loop: Loop, store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    channel = RunChannel(store, run_id, {"types": ("rare",)}, 1)
    loop.follow(channel)
    store.end_run(run_id)
    ((told, low, stretch),) = loop.news.get(timeout=PATIENCE_S).events
    assert (told, low, stretch.upto, stretch.done) == (channel, 1, 2, True)
    loop.leave()
    loop.follow(RunChannel(store, run_id, {}, 2))  # somebody who came when it was over
    assert loop.news.get(timeout=PATIENCE_S).events[0][2].done


@pytest.mark.parametrize("how", ["deleted", "deleted while it is read", "another one has its id"])
def test_a_run_that_has_gone_ends_its_channel(
    loop: Loop, store: SqlStore, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    run_id = store.create_run("r").run_id
    store.append(run_id, tagged("a", 3))
    channel = RunChannel(store, run_id, {}, 1)

    def gone(*_: int) -> None:
        raise NotFound("gone")

    if how == "deleted":
        store.end_run(run_id)
        store.delete_run(run_id)
    elif how == "another one has its id":
        channel.position = 40
    else:
        monkeypatch.setattr(channel, "read", gone)
    loop.follow(channel)
    stretch = loop.news.get(timeout=PATIENCE_S).events[0][2]
    assert (stretch.frames, stretch.done) == ([], True)


def test_a_round_waits_until_the_one_before_was_taken(
    loop: Loop, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pump, "_TAKEN_S", 0.001)
    run_id = store.create_run("r").run_id
    loop.busy = True
    loop.follow(RunChannel(store, run_id, {}, 1))
    store.append(run_id, tagged("a", 1))
    assert loop.seqs() == [2]
    for n in range(3):
        store.append(run_id, tagged("b", 1, first=n))
    assert loop.news.empty()
    loop.busy = False
    loop.taken[0]()
    assert loop.seqs() == [3, 4, 5]
    loop.busy = True  # and the end does not wait for it
    store.append(run_id, tagged("c", 1))
    assert loop.seqs() == [6]


@pytest.mark.parametrize("where", ["heads", "piece"])
def test_a_store_that_is_away_is_asked_again(
    loop: Loop,
    store: SqlStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    where: str,
) -> None:
    run_id = store.create_run("r").run_id
    asked = threading.Semaphore(0)

    def away(*_: object, **__: object) -> None:
        asked.release()
        raise Unavailable("The store is away.")

    store.append(run_id, tagged("a", 1))
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "runline"):
        patch.setattr(store, where, away)
        loop.follow(RunChannel(store, run_id, {}, 1))
        assert asked.acquire(timeout=PATIENCE_S)
    assert loop.seqs() == [2]
    assert "followers wait" in caplog.text


def test_a_store_that_closes_with_the_server_is_not_complained_about(
    loop: Loop, store: SqlStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    closing = threading.Event()

    def away(*_: object) -> None:
        loop.pump.close()
        closing.set()
        raise Unavailable("This store is closed.")

    monkeypatch.setattr(store, "heads", away)
    loop.follow(RunChannel(store, "r", {}, 1))
    assert closing.wait(PATIENCE_S)
    loop.pump.thread.join(PATIENCE_S)
    assert "followers wait" not in caplog.text


def test_when_the_loop_is_gone_so_is_the_pump(loop: Loop, store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    loop.gone = True
    loop.follow(RunChannel(store, run_id, {}, 0))
    loop.pump.thread.join(PATIENCE_S)
    assert not loop.pump.thread.is_alive()


def test_nobody_watches_the_store_while_nobody_follows(loop: Loop, store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    assert store.wake.followers == 0
    loop.follow(RunChannel(store, run_id, {}, 0))
    assert loop.seqs() == [1]
    assert store.wake.followers == 1
    loop.leave()
    eventually(lambda: store.wake.followers == 0, "the pump rests")
    loop.follow(RunChannel(store, run_id, {}, 0))
    assert loop.seqs() == [1]


def test_who_comes_as_the_pump_goes_to_rest_is_seen(
    loop: Loop, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = store.create_run("r").run_id
    loop.follow(AllChannel(store, 99))
    clear = loop.pump._followed.clear

    def late() -> None:
        monkeypatch.setattr(loop.pump._followed, "clear", clear)
        loop.follow(RunChannel(store, run_id, {}, 0))
        clear()

    monkeypatch.setattr(loop.pump._followed, "clear", late)
    loop.leave()
    assert loop.seqs() == [1]


def test_runs_are_looked_at_soon_after_a_change_but_not_after_each(
    loop: Loop, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create_run("active")
    channel = RunsChannel(store)
    loop.follow(channel)
    ((told, first),) = loop.news.get(timeout=PATIENCE_S).runs
    assert (told, len(first.changed)) == (channel, 1)
    monkeypatch.setattr(pump, "_RUNS_EVERY_S", 3600.0)
    for _ in range(20):
        store.end_run(store.create_run("short").run_id)
    loop.follow(AllChannel(store, 0))
    assert loop.news.get(timeout=PATIENCE_S).runs == []  # a round, and not of runs
    monkeypatch.setattr(pump, "_RUNS_EVERY_S", 0.0)
    store.create_run("one more")
    rounds = iter(lambda: loop.news.get(timeout=PATIENCE_S).runs, None)
    assert len(next(filter(None, rounds))[0][1].changed) >= 20
    loop.leave()
    loop.follow(channel)
    monkeypatch.setattr(pump, "_RUNS_AT_LEAST_S", 0.0)
    assert loop.news.get(timeout=PATIENCE_S).runs[0][1].changed == []  # one might have fallen silent


def test_runs_that_cannot_be_read_are_read_later(
    loop: Loop, store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.create_run("active")
    channel = RunsChannel(store)
    asked = threading.Semaphore(0)

    def away() -> None:
        asked.release()
        raise Unavailable("The store is away.")

    with monkeypatch.context() as patch:
        patch.setattr(channel, "read", away)
        loop.follow(channel)
        assert asked.acquire(timeout=PATIENCE_S)
    assert len(loop.news.get(timeout=PATIENCE_S).runs[0][1].changed) == 1
