"""Following over the network: a stream that begins again where it broke off, until there is nothing more to come.

What has been told says where the next request goes on, so nothing is lost or told twice. A server that was never
reached is an error at once; one that has been there is waited for.
"""

from __future__ import annotations

import random
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import msgspec

from runline.model.catalogue import END_TYPES
from runline.model.clock import to_iso
from runline.model.errors import Invalid, Unavailable
from runline.model.event import Event
from runline.model.run import Run
from runline.model.wire.events import StreamEvent, event_of
from runline.model.wire.runs import RunList, RunSummary, run_of
from runline.store.remote.client import Client, part
from runline.store.remote.sse import CAUGHT_UP, Frame, frames

_MEDIA = "text/event-stream"
_SILENCE_S = 45.0
"""Three heartbeats: nobody is there."""
_PAUSES_S = (0.05, 0.2, 0.5, 1.0, 2.0, 5.0)
_KEPT = 10_000
_NOTHING_FOLLOWS = 204
_read_event = msgspec.json.Decoder(StreamEvent).decode
_read_run = msgspec.json.Decoder(RunSummary).decode


def follow(
    client: Client,
    run_id: str,
    filters: dict[str, Any],
    *,
    after_seq: int,
    after_id: int | None,
    timeout_s: float | None,
) -> Iterator[Event]:
    """See `Store.follow`."""
    path = f"/api/runs/{part(run_id)}"
    place: dict[str, Any] = {"afterSeq": max(0, after_seq), "afterId": after_id}
    for frame in _Stream(client, f"{path}/events", filters, place, timeout_s):
        if frame.data is not None:
            event = event_of(_read_event(frame.data))
            place["afterSeq"], place["afterId"] = event.seq, None
            yield event
            if event.type in END_TYPES:
                return


def follow_all(client: Client, *, cursor: str | None, timeout_s: float | None) -> Iterator[tuple[str, Event]]:
    """See `Store.follow_all`."""
    if cursor == "":
        raise Invalid("The cursor is not one that this store gave out.", code="bad_cursor")
    place: dict[str, Any] = {"cursor": cursor}
    for frame in _Stream(client, "/api/events", {}, place, timeout_s):
        if frame.id:
            place["cursor"] = frame.id
        if frame.data is not None:
            yield frame.id, event_of(_read_event(frame.data))


def follow_runs(client: Client, *, timeout_s: float | None) -> Iterator[Run]:
    """See `Store.follow_runs`."""
    told: OrderedDict[str, Run] = OrderedDict()
    stream = _Stream(client, "/api/stream", {}, {}, timeout_s)
    for frame in stream:
        found = [] if frame.data is None else [run_of(_read_run(frame.data))]
        if frame.comment == CAUGHT_UP and stream.requests > 1:
            found = _meanwhile(client, told)
        for run in found:
            if told.get(run.run_id) != run:
                told[run.run_id] = run
                told.move_to_end(run.run_id)
                yield run
        while len(told) > _KEPT:
            told.popitem(last=False)


def _meanwhile(client: Client, told: OrderedDict[str, Run]) -> list[Run]:
    """The runs that may have started or ended while nobody was listening."""
    since_ms = max((run.started_at_ms for run in told.values()), default=None)
    since = None if since_ms is None else to_iso(since_ms)
    page = client.get("/api/runs", RunList, {"since": since, "limit": 100})
    found = {run.run_id: run_of(run) for run in page.runs}
    for run in told.values():
        if run.completed_at_ms is None and run.run_id not in found:
            found[run.run_id] = run_of(client.get(f"/api/runs/{part(run.run_id)}", _Detail).run)
    return list(found.values())


class _Detail(msgspec.Struct):
    run: RunSummary


class _Stream:
    """The frames of a stream, through as many requests as it takes; `place` is asked for with each.

    Silence counts from where the server has nothing old to tell any more.
    """

    def __init__(
        self,
        client: Client,
        path: str,
        filters: dict[str, Any],
        place: dict[str, Any],
        timeout_s: float | None,
    ) -> None:
        self._client = client
        self._path = path
        self._filters = filters
        self._place = place
        self._timeout_s = timeout_s
        self.requests = 0
        self._reached = self._caught_up = self._ended = False
        self._failures = 0
        self._heard_s = 0.0

    def __iter__(self) -> Iterator[Frame]:
        self._heard_s = time.monotonic()
        while not self._ended:
            self.requests += 1
            wait_s = self._wait_s()
            try:
                with self._client.stream(
                    self._path, params=self._filters | self._place, media=_MEDIA, silence_s=wait_s
                ) as answer:
                    self._reached = True
                    for frame in frames(answer.iter_raw()):
                        self._failures = 0
                        if frame.data is not None:
                            self._heard_s = time.monotonic()
                        yield frame
                        if self._must_ask_anew(frame, wait_s):
                            break
                    else:
                        self._ended = answer.status_code == _NOTHING_FOLLOWS
                        self._pause()
            except Unavailable as error:
                self._broke_off(error)

    def _wait_s(self) -> float:
        """How long the server may say nothing at all."""
        if self._timeout_s is None or not self._caught_up:
            return _SILENCE_S
        return min(_SILENCE_S, max(0.001, self._left_s()))

    def _left_s(self) -> float:
        return (self._timeout_s or 0.0) - (time.monotonic() - self._heard_s)

    def _must_ask_anew(self, frame: Frame, wait_s: float) -> bool:
        """Whether what is left of the timeout is less than the request under way would wait."""
        if self._timeout_s is None or frame.data is not None:
            return False
        if frame.comment == CAUGHT_UP and not self._caught_up:
            self._caught_up = True
            self._heard_s = time.monotonic()
        left_s = self._left_s() if self._caught_up else wait_s
        self._ended = left_s <= 0
        return left_s < wait_s

    def _broke_off(self, error: Unavailable) -> None:
        silent = self._timeout_s is not None and self._caught_up and self._left_s() <= 0
        if silent and error.code == "timeout":
            self._ended = True
        elif silent or not self._reached:
            raise error
        else:
            self._pause()

    def _pause(self) -> None:
        if not self._ended:
            most_s = _PAUSES_S[min(self._failures, len(_PAUSES_S) - 1)]
            self._failures += 1
            time.sleep(max(self._client.busy_s(), random.uniform(most_s / 2, most_s)))  # noqa: S311 - no secret
