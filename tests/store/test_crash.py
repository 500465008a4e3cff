"""Invariants 1 to 4 under kill -9, power cuts, full disks and paused processes; and the harness that shows them."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from runline.intake.accept import draft
from runline.model.clock import ManualClock
from runline.model.errors import RunlineError, StoreFull
from runline.model.event import Event
from runline.store import sqlite_connection
from runline.store.sql_store import SqlStore, open_sqlite
from runline.store.sqlite import SqliteEngine
from runline.testing import crash
from runline.testing.history import batch, problems
from runline.testing.place import SqlitePlace
from runline.testing.power import PowerLog, cuts
from runline.testing.streams import whole

PATIENCE_S = 30.0


@pytest.fixture
def place(tmp_path: Path) -> Iterator[SqlitePlace]:
    place = SqlitePlace(tmp_path)
    yield place
    place.close()


def until(reached: Callable[[], bool], within_s: float = PATIENCE_S) -> float:
    """Waits for what another process does; how many seconds it took. Fails when it does not come."""
    began_s = time.monotonic()
    while not reached():
        assert time.monotonic() - began_s < within_s
        time.sleep(0.002)
    return time.monotonic() - began_s


# -- kill -9


def kill_writers(place: SqlitePlace, kills: int) -> None:
    store = place.open()
    run_id = store.create_run("killed").run_id
    followed: list[int] = []
    follower = threading.Thread(target=lambda: followed.extend(event.seq for event in store.follow(run_id)))
    follower.start()
    with crash.Writers(str(place.path), run_id) as writers:
        for seed in range(1, kills + 1):
            writers.kill_one(seed)
    store.end_run(run_id)
    follower.join(PATIENCE_S)
    events = whole(store, run_id)
    assert len(writers.acknowledged) > kills
    assert problems(events, writers.acknowledged, followed) == []
    assert store.verify().problems == ()


def test_200_killed_writers_lose_nothing_that_they_acknowledged(place: SqlitePlace) -> None:
    kill_writers(place, 200)


@pytest.mark.e2e
def test_1000_killed_writers_lose_nothing_that_they_acknowledged(place: SqlitePlace) -> None:
    kill_writers(place, 1000)


def write_together(place: SqlitePlace, batches: int) -> None:
    store = place.open()
    run_id = store.create_run("together").run_id
    path = str(place.path)
    follower = crash.start("follow", path, run_id)
    writers = [
        crash.start("write", path, run_id, str(first), str(batches), str(first))
        for first in (1 << 20, 1 << 30)
    ]
    acknowledged = [record for process in writers for record in crash.records(process)]
    store.end_run(run_id)
    followed = [seq for _, seq, _ in crash.records(follower)]
    events = whole(store, run_id)
    assert len(acknowledged) == 2 * batches
    assert len(events) == 2 + sum(size for _, _, size in acknowledged)
    assert problems(events, [number for _, number, _ in acknowledged], followed) == []


def test_two_processes_write_one_run_while_a_third_follows(place: SqlitePlace) -> None:
    write_together(place, 3_000)


@pytest.mark.e2e
def test_two_processes_write_50_000_events_each_while_a_third_follows(place: SqlitePlace) -> None:
    write_together(place, 15_000)


# -- power cuts


@pytest.fixture
def power(monkeypatch: pytest.MonkeyPatch) -> Iterator[PowerLog]:
    monkeypatch.setattr(sqlite_connection, "CHECKPOINT_PAGES", 40)
    log = PowerLog("runline-power")
    yield log
    log.unregister()


def _write_connection(store: SqlStore) -> apsw.Connection:
    engine = store.engine
    assert isinstance(engine, SqliteEngine)
    assert engine._write is not None
    return engine._write


def record(folder: Path, power: PowerLog, *, batches: int, synchronous: str = "FULL") -> None:
    """A session with many checkpoints, all it does to its files in `power`."""
    path = folder / "runline.db"
    store = open_sqlite(str(path), url=f"sqlite:///{path}", vfs=power.name)
    chance = random.Random(batches)
    store.create_run("cut", run_id="cut")
    store.writer.between(
        lambda: _write_connection(store).execute(f"PRAGMA synchronous = {synchronous}").fetchall()
    )
    power.mark(-1)
    for number in range(batches):
        store.append("cut", batch(number, chance.randint(1, 9)))
        power.mark(number)
    store.close()


def after_the_cut(folder: Path, files: dict[str, bytes], acknowledged: list[Any]) -> list[str]:
    """What is wrong with the store that the cut left, and whether it goes on working."""
    path = folder / "runline.db"
    for suffix in ("", "-wal", "-shm", "-journal"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    try:
        with open_sqlite(str(path), url=f"sqlite:///{path}") as store:
            if not acknowledged:
                store.create_run("first")
                return []
            found = problems(whole(store, "cut"), [number for number in acknowledged if number >= 0])
            store.append("cut", batch(10**6, 3))
            found += [problem.detail for problem in store.verify().problems]
            return found
    except RunlineError as error:
        return [error.message]


@pytest.mark.parametrize("seed", range(4))
def test_250_power_cuts_lose_nothing_that_was_acknowledged(
    tmp_path: Path, power: PowerLog, seed: int
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    after.mkdir()
    record(before, power, batches=50 + 10 * seed)
    assert len({op.kind for op in power.ops}) == 6
    for acknowledged, files in cuts(power.ops, 250, seed):
        assert after_the_cut(after, files, acknowledged) == []


@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_a_store_that_syncs_less_would_be_found_out(
    tmp_path: Path, power: PowerLog, synchronous: str
) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    after.mkdir()
    record(before, power, batches=30, synchronous=synchronous)
    assert any(after_the_cut(after, files, told) for told, files in cuts(power.ops, 40, 1))


# -- disk full


@contextmanager
def file_size_limit(size_bytes: int) -> Iterator[Callable[[], None]]:
    """No file grows beyond the size; yields what lifts the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def lift() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield lift
    finally:
        lift()


def append_until_full(store: SqlStore, run_id: str, text: str) -> tuple[int, StoreFull, float]:
    """How many were acknowledged, and what was said to the next, after how many seconds."""
    acknowledged = 0
    while True:
        began_s = time.monotonic()
        try:
            store.append(run_id, [{"message": "m", "data": {"n": acknowledged, "text": text}}])
        except StoreFull as error:
            return acknowledged, error, time.monotonic() - began_s
        acknowledged += 1


def fill_up(store: SqlStore, make_room: Callable[[], None]) -> None:
    """Appends until nothing fits, looks at what a full store still does, and goes on once there is room."""
    run_id = store.create_run("full").run_id
    stream = store.stream(run_id)
    large = "word " * 3_000
    acknowledged, error, took_s = append_until_full(store, run_id, large)
    assert took_s < 1
    assert "is full" in error.message
    assert error.status == 507
    numbers = [event.data["n"] for event in whole(store, run_id)[1:]]
    assert numbers == list(range(acknowledged))
    waiting = [{"n": n, "text": large} for n in range(1_000, 1_040)]
    for data in waiting:
        stream.put(draft("log", "held", data, ts_ms=store.clock.now_ms()))
    assert not stream.flush(0.2)
    assert store.get_run(run_id).status == "running"
    with pytest.raises(StoreFull):
        store.append(run_id, [{"message": "m", "data": {"text": large}}])
    make_room()
    assert stream.flush(PATIENCE_S)
    assert (stream.dropped, stream.given_up) == (0, 0)
    store.append(run_id, [{"message": "m", "data": {"n": -1}}])
    numbers = [event.data["n"] for event in whole(store, run_id)[1:]]
    assert numbers == [*range(acknowledged), *range(1_000, 1_040), -1]
    assert store.verify().problems == ()


def test_a_store_at_its_file_size_limit(place: SqlitePlace) -> None:
    store = place.open()
    with file_size_limit(600_000) as lift:
        fill_up(store, lift)


def test_a_full_disk(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a small disk can only be mounted by root")
    place = SqlitePlace(disk)
    try:
        ballast = disk / "ballast"
        ballast.write_bytes(bytes(3_000_000))
        fill_up(place.open(), ballast.unlink)
    finally:
        place.close()
        subprocess.run(["umount", disk], check=True)


# -- paused and killed processes


@contextmanager
def beating(place: SqlitePlace, run_id: str, clock: str, every_s: float) -> Iterator[subprocess.Popen[bytes]]:
    """A process that records a run and says that it is alive every few seconds."""
    process = crash.start("beat", str(place.path), run_id, clock, str(every_s))
    try:
        assert process.stdout is not None
        assert process.stdout.read(crash.RECORD.size)[:1] == b"s"
        yield process
    finally:
        process.kill()
        process.communicate()


def pause(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)


def test_a_paused_writer_is_not_interrupted_and_a_killed_one_is(place: SqlitePlace, tmp_path: Path) -> None:
    clock, file = ManualClock(), tmp_path / "clock"
    shared = crash.FileClock(file)
    shared.set(clock.now_ms())

    def pass_s(seconds: float) -> None:
        clock.advance(s=seconds)
        shared.set(clock.now_ms())

    store = place.open(clock=clock)
    with beating(place, "beating", str(file), 0.01) as process:
        pass_s(5)
        until(lambda: store.get_run("beating").last_seen_at_ms == clock.now_ms())
        pause(process)
        pass_s(20)
        assert store.get_run("beating").status == "running"
        process.send_signal(signal.SIGCONT)
        until(lambda: store.get_run("beating").last_seen_at_ms == clock.now_ms())
        process.kill()
        process.wait()
        pass_s(30)
        assert store.get_run("beating").status == "running"
        pass_s(5)
        assert store.get_run("beating").status == "interrupted"


@pytest.mark.e2e
def test_a_paused_and_a_killed_writer_in_real_time(place: SqlitePlace) -> None:
    store = place.open()
    with beating(place, "beating", "", 5) as process:
        pause(process)
        ends_s = time.monotonic() + 20
        while time.monotonic() < ends_s:
            assert store.get_run("beating").status == "running"
            time.sleep(0.1)
        process.send_signal(signal.SIGCONT)
        seen_at_ms = store.get_run("beating").last_seen_at_ms
        until(lambda: store.get_run("beating").last_seen_at_ms != seen_at_ms)
        process.kill()
        assert until(lambda: store.get_run("beating").status == "interrupted", 60) <= 45


# -- the harness itself


def event(seq: int, **data: Any) -> Event:
    return Event(seq, "r", seq, 0, "log", "info", None, None, "m", None, json.dumps(data), 0)


def test_the_checker_finds_nothing_in_a_sound_history() -> None:
    events = [event(1), event(2, batch=7, n=0, size=2), event(3, batch=7, n=1, size=2), event(4)]
    assert problems(events, [7], [1, 2, 3, 4]) == []


@pytest.mark.parametrize(
    ("events", "acknowledged", "followed", "word"),
    [
        ([event(1), event(3)], [], None, "gapless"),
        ([event(1), event(2)], [], [1], "follower"),
        ([event(1), event(2)], [], [2, 1], "follower"),
        ([event(1), event(2)], [], [1, 2, 2], "follower"),
        ([event(1, batch=7, n=0, size=2)], [], None, "torn"),
        ([event(1, batch=7, n=0, size=1), event(2, batch=7, n=0, size=1)], [], None, "doubled"),
        ([event(1, batch=7, n=0, size=2), event(2), event(3, batch=7, n=1, size=2)], [], None, "together"),
        ([event(1)], [9], None, "acknowledged"),
    ],
)
def test_the_checker_finds_what_is_wrong(
    events: list[Event], acknowledged: list[int], followed: list[int] | None, word: str
) -> None:
    found = problems(events, acknowledged, followed)
    assert len(found) == 1
    assert word in found[0]


def test_the_parts_play_in_this_process_too(
    place: SqlitePlace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfdbinary: pytest.CaptureFixture[bytes],
) -> None:
    path = str(place.path)
    store = place.open()
    run_id = store.create_run("parts").run_id
    crash.main(["write", path, run_id, "0", "4", "1"])
    store.end_run(run_id)
    crash.main(["follow", path, run_id])
    said = capfdbinary.readouterr().out
    told = [
        crash.RECORD.unpack(said[at : at + crash.RECORD.size])
        for at in range(0, len(said), crash.RECORD.size)
    ]
    events = whole(store, run_id)
    assert [number for kind, number, _ in told if kind == b"a"] == [0, 1, 2, 3]
    assert problems(events, [0, 1, 2, 3], [seq for kind, seq, _ in told if kind == b"f"]) == []

    shared = crash.FileClock(tmp_path / "clock")
    shared.set(ManualClock().now_ms())
    monkeypatch.setattr("runline.store.writer.HEARTBEAT_S", 5)
    monkeypatch.setattr(signal, "pause", lambda: shared.set(1))
    for n, clock in enumerate((str(tmp_path / "clock"), "")):
        crash.main(["beat", path, f"beat-{n}", clock, "5"])
        assert store.get_run(f"beat-{n}").pid == os.getpid()
    assert shared.now_ms() == 1
    assert capfdbinary.readouterr().out.startswith(b"s")


def test_a_writer_whose_flush_fails_says_nothing(place: SqlitePlace, monkeypatch: pytest.MonkeyPatch) -> None:
    store = place.open()
    run_id = store.create_run("full").run_id
    monkeypatch.setattr(crash, "_FLUSH_S", 0.0)
    monkeypatch.setattr(store.writer, "flush", lambda timeout_s: False)
    told: list[bytes] = []
    crash.write(store, run_id, 0, 2, 1, told.append)
    assert [crash.RECORD.unpack(record)[1] for record in told] == [1]


def test_a_process_that_fails_is_not_taken_for_one_that_is_done(place: SqlitePlace) -> None:
    process = crash.start("follow", str(place.path), "nobody")
    with pytest.raises(subprocess.CalledProcessError):
        crash.records(process)


def test_the_power_log_knows_files_without_a_name(power: PowerLog) -> None:
    connection = apsw.Connection("", vfs=power.name)
    connection.execute(
        "PRAGMA cache_size = 1; CREATE TABLE t (x); INSERT INTO t VALUES (zeroblob(100000))"
    ).fetchall()
    assert power.ops == []
    connection.close()
