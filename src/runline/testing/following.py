"""Invariant 4: a follower sees every event once, in order, through restarts of either side."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import pytest

from runline.model.errors import Invalid, NotFound
from runline.model.event import Event
from runline.model.run import Run
from runline.testing.place import Place
from runline.testing.streams import tagged, whole

PATIENCE_S = 20.0
"""How long a test waits for what must come; reached only when it fails."""


def followed(follow: Callable[[], Iterator[Event]]) -> tuple[list[Event], threading.Thread]:
    """The list that a thread fills with what is followed, and that thread, already running."""
    seen: list[Event] = []
    thread = threading.Thread(target=lambda: seen.extend(follow()))
    thread.start()
    return seen, thread


class FollowContract:
    def test_followers_of_every_kind_see_what_is_written_meanwhile(self, place: Place) -> None:
        writer, reader = place.open(), place.open()
        run_id = writer.create_run("live").run_id
        writer.append(run_id, tagged("early", 700))
        from_the_start = followed(lambda: reader.follow(run_id))
        same_process = followed(lambda: writer.follow(run_id))
        from_the_middle = followed(lambda: reader.follow(run_id, after_seq=350))
        for n in range(60):
            writer.append(run_id, tagged("late", n % 5 + 1, first=n))
        writer.end_run(run_id)
        log = whole(reader, run_id)
        for (seen, thread), expected in (
            (from_the_start, log),
            (same_process, log),
            (from_the_middle, log[350:]),
        ):
            thread.join(PATIENCE_S)
            assert seen == expected

    @pytest.mark.parametrize("by_id", [False, True])
    def test_a_follower_that_is_restarted_goes_on_where_it_was(self, place: Place, by_id: bool) -> None:
        writer = place.open()
        run_id = writer.create_run("restarts").run_id
        seen: list[Event] = []
        chance = random.Random(4)

        def follow_in_pieces() -> None:
            while not seen or seen[-1].type != "run_ended":
                reader = place.open()
                after_seq = seen[-1].seq if seen and not by_id else 0
                after_id = seen[-1].id if seen and by_id else None
                piece = reader.follow(run_id, after_seq=after_seq, after_id=after_id)
                seen.extend(islice(piece, chance.randint(1, 60)))
                reader.close()

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(follow_in_pieces)
            for n in range(120):
                writer.append(run_id, tagged("w", n % 7 + 1))
            writer.end_run(run_id)
            done.result(PATIENCE_S)
        assert seen == whole(writer, run_id)

    def test_a_filter_lets_through_what_matches_and_always_the_end(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("filter").run_id
        # Neither the type nor the step nor the source exists yet when following begins.
        followers = {
            "type": followed(lambda: store.follow(run_id, types=["brand_new"])),
            "step": followed(lambda: store.follow(run_id, steps=["unheard"])),
            "source": followed(lambda: store.follow(run_id, sources=["nowhere"])),
            "level": followed(lambda: store.follow(run_id, levels=["error"])),
            "corr": followed(lambda: store.follow(run_id, correlation_id="c9")),
            "text": followed(lambda: store.follow(run_id, q='"needle" -type:log')),
        }
        events: list[dict[str, Any]] = [
            {"type": "brand_new", "message": "type"},
            {"type": "log", "message": "step", "step": "unheard"},
            {"type": "log", "message": "source", "source": "nowhere"},
            {"type": "log", "message": "level", "level": "error"},
            {"type": "log", "message": "corr", "correlation_id": "c9"},
            {"type": "log", "message": "needle"},
            {"type": "note", "message": "text", "data": {"deep": ["a needle"]}},
        ]
        for event in events:
            store.append(run_id, [event])
            store.append(run_id, tagged("noise", 3))
        end = store.end_run(run_id)
        for name, (seen, thread) in followers.items():
            thread.join(PATIENCE_S)
            assert [event.message for event in seen] == [name, end.message]

    def test_the_end_is_seen_also_when_a_filter_finds_it(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("end").run_id
        store.append(run_id, tagged("a", 2))
        end = store.end_run(run_id)
        assert list(store.follow(run_id, types=["run_ended"])) == [end]
        assert list(store.follow(run_id, types=["made_up"])) == [end]
        assert list(store.follow(run_id, after_seq=end.seq)) == []
        assert list(store.follow(run_id, after_seq=-5)) == whole(store, run_id)

    def test_silence_ends_a_follower_that_has_a_timeout(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("silent").run_id
        store.append(run_id, tagged("a", 2))
        assert len(list(store.follow(run_id, timeout_s=0.05))) == 3
        assert list(store.follow(run_id, after_seq=10**30, timeout_s=0)) == []

    def test_following_an_unknown_run_or_by_a_bad_filter_is_refused(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("known").run_id
        with pytest.raises(NotFound):
            next(store.follow("nobody"))
        with pytest.raises(Invalid):
            next(store.follow(run_id, after_seq=1, levels=["loud"]))


class FollowAllContract:
    def test_every_event_of_all_runs_once_through_reopening(self, place: Place) -> None:
        left, right = place.open(), place.open()
        first = [event for _, event in place.open().follow_all(timeout_s=0)]
        assert first == []
        runs = [store.create_run(f"r{n}").run_id for n, store in enumerate((left, right, left))]
        start = next(iter(place.open().follow_all(cursor="ZTA", timeout_s=0)))[0]
        seen: list[Event] = []

        def follow_in_pieces() -> None:
            cursor = start
            while len(seen) < 2 + 3 * 60:
                reader = place.open()
                most = min(25, 2 + 3 * 60 - len(seen))
                piece = list(islice(reader.follow_all(cursor=cursor), most))
                seen.extend(event for _, event in piece)
                cursor = piece[-1][0]
                reader.close()

        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(follow_in_pieces)
            for n in range(30):
                for store, run_id in zip((left, right, left), runs, strict=True):
                    store.append(run_id, tagged("w", 2, first=2 * n))
            done.result(PATIENCE_S)
        for run_id in runs:
            mine = [event for event in seen if event.run_id == run_id]
            assert mine == whole(left, run_id)[-len(mine) :]
        assert [event.id for event in seen] == sorted({event.id for event in seen})

    @pytest.mark.parametrize("cursor", ["x", "", "ZQ", "ZS0x", "é", "ZTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
    def test_a_cursor_that_was_never_given_out_is_refused(self, place: Place, cursor: str) -> None:
        with pytest.raises(Invalid) as told:
            next(place.open().follow_all(cursor=cursor, timeout_s=0))
        assert told.value.code == "bad_cursor"

    def test_each_change_of_a_run_is_told(self, place: Place) -> None:
        store, other = place.open(), place.open()
        active = store.create_run("active").run_id
        follower = store.follow_runs(timeout_s=PATIENCE_S)
        assert next(follower).run_id == active
        run_id = other.create_run("goes on").run_id
        short = other.create_run("over at once").run_id
        other.end_run(short)
        other.append(active, tagged("a", 1))
        last: dict[str, Run] = {}

        def hear_until(**statuses: str) -> None:
            while {key: last[key].status for key in statuses if key in last} != statuses:
                run = next(follower)
                last[run.run_id] = run

        hear_until(**{active: "running", run_id: "running", short: "completed"})
        assert last[active].last_seq == 2
        other.end_run(run_id)
        hear_until(**{active: "running", run_id: "completed", short: "completed"})

    def test_active_runs_are_told_first_and_silence_ends_it(self, place: Place) -> None:
        store = place.open()
        active = store.create_run("active").run_id
        store.end_run(store.create_run("over").run_id)
        assert [run.run_id for run in store.follow_runs(timeout_s=0)] == [active]
