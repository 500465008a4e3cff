"""The pump: the one thread that reads what is followed, as soon as there is something new."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable, Mapping
from time import monotonic
from typing import Any, TypeVar

from msgspec import Struct

from runline.model.errors import NotFound
from runline.server.channels import Channel, EventChannel, Round, RunChannel, RunsChannel, Stretch
from runline.store.runs import Head
from runline.store.sql_store import SqlStore

log = logging.getLogger("runline")
T = TypeVar("T")
PAGE = 500
_PAUSE_S = 0.005
"""Between rounds: what is committed meanwhile goes out together."""
_LOOK_AGAIN_S = 0.25
"""Should a wake-up have been lost."""
_RUNS_EVERY_S = 0.1
_RUNS_AT_LEAST_S = 1.0
"""Runs fall silent without a commit, so look again now and then."""
_TAKEN_S = 1.0


class News(Struct, frozen=True):
    """One round: of each channel with news, where it stood and what came next; of runs, what has changed."""

    events: list[tuple[EventChannel, int, Stretch]]
    runs: list[tuple[RunsChannel, Round]]


class Pump:
    """Reads the channels, which others add and remove meanwhile, and hands over what it finds.

    `hand_over` gets a round and what to call when it has been dealt with; it raises RuntimeError when nobody is
    there any more.
    """

    def __init__(
        self,
        store: SqlStore,
        channels: Mapping[Hashable, Channel],
        hand_over: Callable[[News, Callable[[], None]], None],
    ) -> None:
        self._store = store
        self._channels = channels
        self._hand_over = hand_over
        self._closed = threading.Event()
        self._followed = threading.Event()
        """Set while there are channels, and at the end."""
        self._taken = threading.Event()
        self.thread = threading.Thread(target=self._run, name="runline-hub", daemon=True)
        self.thread.start()

    def look(self) -> None:
        """There is a new channel."""
        self._followed.set()
        self._store.wake.notify()

    def close(self) -> None:
        """The thread ends within a moment; what it is reading is handed over to nobody."""
        for event in (self._closed, self._taken, self._followed):
            event.set()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._followed.wait()
            with self._store.wake.following():
                while self._channels and not self._closed.is_set():
                    try:
                        self._round()
                    except RuntimeError:  # the event loop is gone, and all followers with it
                        return
            self._followed.clear()
            if self._channels or self._closed.is_set():  # in between
                self._followed.set()

    def _round(self) -> None:
        """One look at everything that is followed; then waits for something new."""
        seen = self._store.wake.count
        channels = list(self._channels.values())  # in one piece, whoever adds one meanwhile
        events, more = self._events([c for c in channels if isinstance(c, EventChannel)])
        runs, wait_s = self._runs([c for c in channels if isinstance(c, RunsChannel)], seen)
        if events or runs:
            self._taken.clear()
            self._hand_over(News(events, runs), self._taken.set)
            while not (self._taken.wait(_TAKEN_S) or self._closed.is_set()):
                pass
        if events:
            self._closed.wait(_PAUSE_S)
        if not more:
            self._store.wake.wait(seen, wait_s)

    def _events(self, channels: list[EventChannel]) -> tuple[list[tuple[EventChannel, int, Stretch]], bool]:
        """What is new in each, and whether there is more of it."""
        run_ids = {channel.run_id for channel in channels if isinstance(channel, RunChannel)}
        heads: dict[str, Head] | None = self._tried(self._store.heads, sorted(run_ids)) if run_ids else {}
        news = []
        more = False
        for channel in channels if heads is not None else []:
            low = channel.position
            head = heads.get(channel.run_id) if heads and isinstance(channel, RunChannel) else None
            if head is not None and head.last_seq == low and not head.ended:
                continue
            stretch = self._tried(self._next, channel, head)
            if stretch is None:
                continue
            channel.position = stretch.upto
            more = more or len(stretch.frames) == PAGE or (head is not None and stretch.upto < head.last_seq)
            if stretch.frames or stretch.done:
                news.append((channel, low, stretch))
        return news, more

    @staticmethod
    def _next(channel: EventChannel, head: Head | None) -> Stretch:
        """What comes next in the channel; its end when its run is gone, or another has taken its place."""
        low = channel.position
        if isinstance(channel, RunChannel) and (head is None or head.last_seq < low):
            return Stretch([], low, done=True)
        try:
            return channel.read(low, PAGE)
        except NotFound:
            return Stretch([], low, done=True)

    def _runs(self, channels: list[RunsChannel], seen: int) -> tuple[list[tuple[RunsChannel, Round]], float]:
        """What has changed in each that is due, and when to come back."""
        rounds, wait_s = [], _LOOK_AGAIN_S
        for channel in channels:
            every_s = _RUNS_AT_LEAST_S if channel.seen == seen else _RUNS_EVERY_S
            due_s = channel.looked_s + every_s - monotonic()
            if due_s <= 0:
                channel.seen, channel.looked_s = seen, monotonic()
                found = self._tried(channel.read)
                if found is not None:
                    rounds.append((channel, found))
            else:
                wait_s = min(wait_s, due_s)
        return rounds, wait_s

    def _tried(self, read: Callable[..., T], *args: Any) -> T | None:
        """None when it fails: busy, or away, and the next look goes on from where this one began."""
        try:
            return read(*args)
        except Exception as error:  # noqa: BLE001 - nothing may end the pump
            if not self._closed.is_set():
                log.warning("runline: followers wait, the store cannot be read: %s", error)
            return None
