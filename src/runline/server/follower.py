"""One open stream: what its client has been given, and what waits for it.

A follower first reads what there is from the store, in pages. Once it is where its channel is, it attaches
and is handed the same bytes as all others. The step from one to the other happens in the event loop without
waiting in between, and the channel moves only there, so nothing falls between and nothing comes twice.

Whoever stalls is cut loose: what waited for it is dropped, and it reads on from the store at its own pace.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Generic, TypeVar

from runline.model.errors import RunlineError
from runline.server.channels import Channel, EventChannel, Round, RunsChannel, Stretch
from runline.server.sse import CAUGHT_UP, HEARTBEAT

if TYPE_CHECKING:
    from runline.server.hub import Hub

log = logging.getLogger("runline")
C = TypeVar("C", bound=Channel)
_PAGE = 200


class AnyFollower(Generic[C]):
    """What both kinds share: waiting for news or for the time of a heartbeat, and going."""

    __slots__ = ("_hub", "_waiter", "channel", "over")

    def __init__(self, hub: Hub, channel: C) -> None:
        self._hub = hub
        self.channel = channel
        self._waiter: asyncio.Future[bool] | None = None
        self.over = False
        """It has been left: nothing more is sent, not even what waits."""

    def leave(self) -> None:
        """Ends the stream now; may be called again."""
        if not self.over:
            self.over = True
            self.channel.followers.discard(self)
            self._hub.left(self)
            self._ring()

    def _ring(self, *, news: bool = True) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(news)

    async def _news(self) -> bool:
        """Waits; whether there is news. False: it has been silent for as long as a heartbeat takes."""
        loop = asyncio.get_running_loop()
        self._waiter = loop.create_future()
        timer = loop.call_later(self._hub.heartbeat_s, lambda: self._ring(news=False))
        try:
            return await self._waiter
        finally:
            timer.cancel()
            self._waiter = None


class Follower(AnyFollower[EventChannel]):
    """Follows events. `first` is what has been read from the store after `position` already."""

    __slots__ = ("_attached", "_chunks", "_ending", "_first", "_limit", "_size", "behind_since_s", "position")

    def __init__(self, hub: Hub, channel: EventChannel, position: int, first: Stretch) -> None:
        super().__init__(hub, channel)
        self.position = position
        """Everything up to here has been sent."""
        self.behind_since_s = 0.0
        """Since when something waits for it; 0: nothing does."""
        self._first: Stretch | None = first
        self._attached = False
        self._ending = False
        """The end has been read: the stream is over once what waits is sent."""
        self._chunks: list[tuple[bytes, int]] = []
        """What waits, each piece with the position after it."""
        self._size = 0
        self._limit = _PAGE

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The stream until its end."""
        loop = asyncio.get_running_loop()
        sent_at_s = loop.time()
        while not self.over:
            if self._chunks:
                chunk = self._take()
            elif self._ending:
                return
            elif self._attached:
                chunk = b"" if await self._news() else HEARTBEAT
            else:
                stretch = await self._read()
                if stretch is None or self.over:
                    return
                chunk = self._reach(stretch)
                if not chunk and loop.time() - sent_at_s >= self._hub.heartbeat_s:
                    chunk = HEARTBEAT
            if chunk:
                yield chunk
                sent_at_s = loop.time()

    async def _read(self) -> Stretch | None:
        """What comes next in the store; None: nothing more can be read."""
        first, self._first = self._first, None
        if first is not None:
            return first
        try:
            return await self._hub.in_thread(self.channel.read, self.position, self._limit)
        except RunlineError as error:
            log.info("runline: a stream ends: %s", error)
            return None

    def _reach(self, stretch: Stretch) -> bytes:
        """Takes in what was read from the store, and attaches once it is where the channel is."""
        channel, frames = self.channel, stretch.frames
        kept, size = 0, 0
        for _, frame in frames:
            size += len(frame)
            if kept and size > self._hub.buffer_bytes:
                break
            kept += 1
        if kept < len(frames):  # large ones: the rest is read again, fewer at a time
            self.position = frames[kept - 1][0]
            self._limit = kept + 1
        else:
            self.position = stretch.upto
            self._limit = min(_PAGE, 2 * self._limit)
            if stretch.done or (channel.over and self.position >= channel.told):
                self._ending = True
            elif self.position >= channel.told:
                self._attached = True
                self.behind_since_s = 0.0
                channel.followers.add(self)
        self._hub.frames += kept
        told = [frame for _, frame in frames[:kept]]
        return b"".join([*told, channel.caught_up(self.position)] if self._attached else told)

    def hand(self, low: int, stretch: Stretch, chunk: bytes, now_s: float) -> None:
        """The channel goes from `low` on to the end of the stretch; `chunk` is all its frames together."""
        reached = self._chunks[-1][1] if self._chunks else self.position
        if reached > low:  # it had read further than the channel when it attached
            chunk = b"".join([frame for at, frame in stretch.frames if at > reached])
        if self._chunks and self._size + len(chunk) > self._hub.buffer_bytes:
            self._cut_loose()
            return
        if chunk:
            self._chunks.append((chunk, max(reached, stretch.upto)))
            self._size += len(chunk)
            self.behind_since_s = self.behind_since_s or now_s
        self._ending = stretch.done
        self._ring()

    def _take(self) -> bytes:
        chunk = b"".join([chunk for chunk, _ in self._chunks])
        self.position = self._chunks[-1][1]
        self._chunks.clear()
        self._size = 0
        self.behind_since_s = 0.0
        return chunk

    def _cut_loose(self) -> None:
        self._hub.cut_loose += 1
        self.channel.followers.discard(self)
        self._attached = False
        self._chunks.clear()
        self._size = 0


class RunsFollower(AnyFollower[RunsChannel]):
    """Follows runs: the active ones first, then each that changed, as it is when it is sent."""

    __slots__ = ("_caught_up", "_latest", "_primed", "_size")

    def __init__(self, hub: Hub, channel: RunsChannel) -> None:
        super().__init__(hub, channel)
        self._latest = dict(channel.active)
        self._size = 0
        """Bytes of runs that have ended; the frames of the others are kept by the channel anyway."""
        self._primed = bool(self._latest)
        self._caught_up = CAUGHT_UP if self._primed else b""
        channel.followers.add(self)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """The stream until its end."""
        while not self.over:
            if self._latest or self._caught_up:
                self._hub.frames += len(self._latest)
                chunk = b"".join([*self._latest.values(), self._caught_up])
                self._latest = {}
                self._caught_up = b""
                self._size = 0
                yield chunk
            elif not await self._news():
                yield HEARTBEAT

    def hand(self, found: Round) -> None:
        """What has changed. Who lets too much wait is sent away, to come back and be told the active runs."""
        if not self._primed:
            self._primed = True
            self._caught_up = CAUGHT_UP
        for run_id, frame in found.changed:
            self._latest[run_id] = frame
            if run_id not in found.active:
                self._size += len(frame)
        if self._size > self._hub.buffer_bytes:
            self._hub.cut_loose += 1
            self.leave()
        else:
            self._ring()
