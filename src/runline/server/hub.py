"""The hub: one thread reads each followed run once, and hands the same bytes to all who follow it.

The pump waits for the store's wake-up, asks in one query how far all followed runs have come, reads what is new
of each channel and hands it to the event loop, all of it in one call. It waits until the loop has taken it
before it reads on: when the loop is busy, rounds grow larger instead of more.

Catching up, which each follower does for itself, happens in a few threads of the hub's own, so that it neither
costs a thread a follower nor takes those of other requests.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Any, TypeVar, cast

from runline.model.errors import Unavailable
from runline.server.channels import AllChannel, Channel, RunChannel, RunsChannel, Stretch
from runline.server.follower import AnyFollower, Follower, RunsFollower
from runline.server.pump import PAGE, News, Pump
from runline.server.settings import Settings
from runline.store.follow import decode_cursor, newest_id
from runline.store.sql_store import SqlStore

T = TypeVar("T")
C = TypeVar("C", bound=Channel)
F = TypeVar("F", bound=AnyFollower[Any])
_READERS = 4


class Hub:
    """The streams of one server. Everything but the pump and the readers runs in the event loop."""

    def __init__(self, store: SqlStore, settings: Settings) -> None:
        self.heartbeat_s = settings.heartbeat_s
        self.buffer_bytes = settings.follower_bytes
        self.cut_loose = 0
        """Times a stalled follower was sent back to the store."""
        self.frames = 0
        """Events and runs handed to followers."""
        self._store = store
        self._open: set[AnyFollower[Any]] = set()
        self._channels: dict[Hashable, Channel] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False
        self._at_end = ExitStack()
        self._pump: Pump | None = None
        self._readers: ThreadPoolExecutor | None = None

    def start(self) -> None:
        """From inside the event loop that the streams will run in."""
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="runline-catching-up")
        self._at_end.callback(self._readers.shutdown, wait=False)
        self._pump = Pump(self._store, self._channels, self._hand_over)
        self._at_end.callback(self._pump.close)

    def close(self) -> None:
        """Ends every stream at once. Safe from any thread and from a signal handler: it takes no lock."""
        self._closing = True
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has been closed, and its streams with it
                self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        for follower in list(self._open):
            follower.leave()
        self._at_end.close()

    # -- figures, for any thread

    @property
    def followers(self) -> int:
        """Open streams."""
        return len(self._open)

    @property
    def channels(self) -> int:
        """What is read for them."""
        return len(self._channels)

    @property
    def lag_events(self) -> int:
        """How far the slowest follower is behind its channel: in seqs, or in ids for one of all runs."""
        return max((0, *(f.channel.told - f.position for f in self._following_events())))

    @property
    def lag_s(self) -> float:
        """For how long the oldest of what waits has waited."""
        since = [f.behind_since_s for f in self._following_events() if f.behind_since_s]
        return monotonic() - min(since) if since else 0.0

    def _following_events(self) -> list[Follower]:
        return [follower for follower in list(self._open) if isinstance(follower, Follower)]

    # -- coming and going

    async def follow_run(
        self,
        store: SqlStore,
        run_id: str,
        filters: Mapping[str, Any],
        *,
        after_seq: int = 0,
        after_id: int | None = None,
    ) -> Follower | None:
        """One run's events after that seq and that id, as the tenant of `store` sees them.

        None when the run has ended and the caller has seen its end. Raises NotFound, Invalid, Unavailable.
        """

        def look() -> tuple[RunChannel, int, Stretch]:
            found = store.locate(run_id)
            position = store.seq_after(run_id, after_seq=after_seq, after_id=after_id)
            channel = RunChannel(store, run_id, filters, found.last_seq)
            return channel, position, channel.read(position, PAGE)

        channel, position, first = await self.in_thread(look)
        if first.done and not first.frames:
            return None
        return self._joined(Follower(self, self._channel(channel), position, first))

    async def follow_all(self, store: SqlStore, *, cursor: str | None) -> Follower:
        """The events of all runs of the tenant from that cursor on; without one from now on. Raises Invalid."""

        def look() -> tuple[AllChannel, int, Stretch]:
            newest = newest_id(store)
            # A cursor of a longer store, which this one was before it was made anew, must not mean silence.
            position = newest if cursor is None else min(newest, decode_cursor(cursor))
            channel = AllChannel(store, newest)
            return channel, position, channel.read(position, PAGE)

        channel, position, first = await self.in_thread(look)
        return self._joined(Follower(self, self._channel(channel), position, first))

    async def follow_runs(self, store: SqlStore) -> RunsFollower:
        """The runs of the tenant: first the active ones, then each that changes."""
        return self._joined(RunsFollower(self, self._channel(RunsChannel(store))))

    async def in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Reads from the store for a follower. Raises Unavailable when the server stops."""
        self._check_open()
        return await asyncio.get_running_loop().run_in_executor(self._readers, work, *args)

    def left(self, follower: AnyFollower[Any]) -> None:
        """The stream is over: nothing of it stays, and its channel goes with its last follower."""
        self._open.discard(follower)
        channel = follower.channel
        channel.users -= 1
        if not channel.users:
            self._drop(channel)

    def _check_open(self) -> None:
        if self._loop is None:
            self.start()  # a host did not enter the application's lifespan
        if self._closing:
            raise Unavailable("This server is stopping; come back in a moment.", code="stopping")

    def _channel(self, channel: C) -> C:
        """The channel of that key that is there already, else this one."""
        self._check_open()
        found = self._channels.setdefault(channel.key, channel)
        found.users += 1
        self._pump.look()  # type: ignore[union-attr]  # there is one while the hub is open
        return cast("C", found)

    def _joined(self, follower: F) -> F:
        self._open.add(follower)
        return follower

    def _drop(self, channel: Channel) -> None:
        if self._channels.get(channel.key) is channel:
            del self._channels[channel.key]

    # -- from the pump

    def _hand_over(self, news: News, taken: Callable[[], None]) -> None:
        """In the pump's thread. Raises RuntimeError when the loop has been closed."""
        self._loop.call_soon_threadsafe(self._deliver, news, taken)  # type: ignore[union-attr]

    def _deliver(self, news: News, taken: Callable[[], None]) -> None:
        """In the event loop: all that is new, to all who follow it."""
        try:
            now_s = monotonic()
            for channel, low, stretch in news.events:
                chunk = b"".join([frame for _, frame in stretch.frames])
                self.frames += len(stretch.frames) * len(channel.followers)
                channel.told = stretch.upto
                for follower in list(channel.followers):
                    follower.hand(low, stretch, chunk, now_s)
                if stretch.done:
                    channel.over = True
                    self._drop(channel)
            for runs, found in news.runs:
                runs.active = {
                    run_id: frame
                    for run_id, frame in (runs.active | dict(found.changed)).items()
                    if run_id in found.active
                }
                for watcher in list(runs.followers):
                    watcher.hand(found)
        finally:
            taken()
