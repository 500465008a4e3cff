"""What a channel reads, and what makes two of them one."""

from __future__ import annotations

import pytest

from runline.model.errors import NotFound
from runline.server.channels import AllChannel, RunChannel, RunsChannel, Stretch
from runline.server.sse import CAUGHT_UP, event_frame, run_frame
from runline.store.follow import encode_cursor
from runline.store.sql_store import SqlStore
from runline.testing.streams import tagged, whole


def test_a_run_through_a_filter(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    store.append(run_id, [*tagged("a", 3), {"type": "rare"}])
    log = whole(store, run_id)
    plain = RunChannel(store, run_id, {}, 5)
    assert plain.read(0, 2) == Stretch([(event.seq, event_frame(event)) for event in log[:2]], 2)
    rare = RunChannel(store, run_id, {"types": ("rare",)}, 5)
    assert rare.read(0, 2) == Stretch([(5, event_frame(log[4]))], 5)
    end = store.end_run(run_id)
    assert rare.read(5, 2) == Stretch([(6, event_frame(end))], 6, done=True)
    with pytest.raises(NotFound):
        RunChannel(store.scoped("other"), run_id, {}, 5).read(0, 2)


def test_all_runs_under_cursors(store: SqlStore) -> None:
    run_id = store.create_run("r").run_id
    event = whole(store, run_id)[0]
    frame = event_frame(event, encode_cursor(event.id))
    assert AllChannel(store, 0).read(0, 9) == Stretch([(event.id, frame)], event.id)
    assert AllChannel(store, 0).caught_up(7) == b"id: %b\n%b" % (encode_cursor(7).encode(), CAUGHT_UP)
    assert AllChannel(store.scoped("other"), 0).read(0, 9) == Stretch([], event.id)


def test_runs_as_they_change(store: SqlStore) -> None:
    channel = RunsChannel(store)
    run = store.create_run("r")
    assert channel.read().changed == [(run.run_id, run_frame(store.list_runs().items[0]))]
    found = channel.read()
    assert (found.changed, list(found.active)) == ([], [run.run_id])
    store.end_run(run.run_id)
    found = channel.read()
    assert ([run_id for run_id, _ in found.changed], list(found.active)) == ([run.run_id], [])


def test_who_asks_for_the_same_shares_a_channel_and_nobody_else(store: SqlStore) -> None:
    mine, others = store.scoped("mine"), store.scoped("others")
    keys = [
        RunChannel(mine, "r", {"q": "a", "types": ("x",)}, 3).key,
        RunChannel(mine, "r", {"types": ("x",), "q": "a"}, 4).key,
        RunChannel(mine, "r", {"q": "b", "types": ("x",)}, 3).key,
        RunChannel(others, "r", {"q": "a", "types": ("x",)}, 3).key,
        RunChannel(mine, "s", {"q": "a", "types": ("x",)}, 3).key,
        AllChannel(mine, 0).key,
        AllChannel(others, 0).key,
        RunsChannel(mine).key,
        RunsChannel(others).key,
        RunsChannel(store).key,
        AllChannel(store, 0).key,
        RunChannel(mine, "runs", {}, 0).key,
    ]
    assert keys[0] == keys[1]
    assert len(set(keys)) == len(keys) - 1
