"""Faults of a shared server: backends and servers that die, the network cut, many writers and followers at once.

Whatever happens, an acknowledged batch is there once and whole, seqs are gapless, and a follower sees each event once.
"""

from __future__ import annotations

import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from runline.intake.accept import draft
from runline.model.errors import RunlineError
from runline.store.interface import Store
from runline.store.postgres_store import open_postgres
from runline.store.sql_store import SqlStore
from runline.testing.place import PostgresPlace
from runline.testing.postgres import PostgresServer

_KILL_ALL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
_PATIENCE_S = 60


def persistent(store: Store, run_id: str, key: str, events: list[dict[str, Any]]) -> None:
    """Appends until it is acknowledged, as a client with an idempotency key may."""
    deadline_s = time.monotonic() + _PATIENCE_S
    while True:
        try:
            store.append(run_id, events, idempotency_key=key)
        except RunlineError:
            assert time.monotonic() < deadline_s
        else:
            return


class Load:
    """Writers in threads, each with a handle, batches and a stream of its own; followers that come and go."""

    def __init__(self, url: str, *, writers: int, batches: int) -> None:
        self.url = url
        self.batches = batches
        self.run_ids = ["shared", *(f"own-{n}" for n in range(writers))]
        with open_postgres(url) as store:
            for run_id in self.run_ids:
                store.create_run(run_id, run_id=run_id)
        self.writers = writers
        self.done = threading.Event()

    def write(self, number: int) -> None:
        chance = random.Random(number)
        with open_postgres(self.url, queue_size=100_000) as store:
            stream = store.stream(f"own-{number}", announced=False)
            for batch in range(self.batches):
                events = [
                    {"type": "log", "message": f"{number}/{batch}/{at}"} for at in range(chance.randint(1, 5))
                ]
                persistent(store, "shared", f"{number}/{batch}", events)
                stream.put(draft("log", f"{batch}", {}, ts_ms=batch))
            deadline_s = time.monotonic() + _PATIENCE_S
            while not stream.flush(5):
                assert not stream.given_up
                assert time.monotonic() < deadline_s

    def follow_one(self, run_id: str) -> list[int]:
        """The seqs that a follower saw who was broken off again and again."""
        seen: list[int] = []
        while not self.done.is_set() or seen[-1:] != [self.last[run_id]]:
            with suppress(RunlineError), open_postgres(self.url, read_only=True) as store:
                for event in store.follow(run_id, after_seq=seen[-1] if seen else 0, timeout_s=0.3):
                    seen.append(event.seq)
                    if len(seen) % 97 == 0:
                        break
        return seen

    def follow_all(self) -> list[tuple[str, int]]:
        seen: list[tuple[str, int]] = []
        cursor = "ZTA"
        while not self.done.is_set() or len(seen) < sum(self.last.values()):
            with suppress(RunlineError), open_postgres(self.url, read_only=True) as store:
                for after, event in store.follow_all(cursor=cursor, timeout_s=0.3):
                    cursor = after
                    seen.append((event.run_id, event.seq))
                    if len(seen) % 211 == 0:
                        break
        return seen

    def perform(self, disturb: Any) -> None:
        """Everything at once, until the writers are through; then what must hold."""
        self.last: dict[str, int] = {}
        with ThreadPoolExecutor(self.writers + 4) as pool:
            ones = [pool.submit(self.follow_one, run_id) for run_id in self.run_ids[:2]]
            alls = [pool.submit(self.follow_all) for _ in range(2)]
            writing = [pool.submit(self.write, number) for number in range(self.writers)]
            while not all(one.done() for one in writing):
                disturb()
            for one in writing:
                one.result()
            with open_postgres(self.url) as store:
                self.last = {run_id: store.get_run(run_id).last_seq for run_id in self.run_ids}
                self.done.set()
                self._check(store)
            for run_id, found in zip(self.run_ids, ones, strict=False):
                assert found.result() == list(range(1, self.last[run_id] + 1))
            for found_all in alls:
                seen = found_all.result()
                assert len(set(seen)) == len(seen) == sum(self.last.values())
                for run_id in self.run_ids:
                    seqs = [seq for name, seq in seen if name == run_id]
                    assert seqs == list(range(1, self.last[run_id] + 1))

    def _check(self, store: SqlStore) -> None:
        assert store.verify().ok
        for number in range(self.writers):
            own = [event.message for event in whole(store, f"own-{number}")[1:]]
            assert own == [str(batch) for batch in range(self.batches)]
        shared = [event.message.split("/") for event in whole(store, "shared")[1:]]
        batches: dict[tuple[str, str], list[int]] = {}
        order = [(number, batch) for number, batch, _ in shared]
        for number, batch, at in shared:
            batches.setdefault((number, batch), []).append(int(at))
        assert len(batches) == self.writers * self.batches
        for key, found in batches.items():
            assert found == list(range(len(found))), key  # whole, and once
            first = order.index(key)
            assert order[first : first + len(found)] == [key] * len(found)  # nothing in between


def whole(store: SqlStore, run_id: str) -> list[Any]:
    found: list[Any] = []
    while page := store.read(run_id, after_seq=len(found), limit=1000):
        found += page
    return found


def test_many_writers_and_followers_that_drop(place: PostgresPlace) -> None:
    Load(place.url, writers=4, batches=60).perform(lambda: time.sleep(0.01))


def test_backends_that_are_terminated(place: PostgresPlace) -> None:
    chance = random.Random(1)

    def terminate() -> None:
        time.sleep(0.05 + chance.random() * 0.1)  # a moment like any other
        place.sql(_KILL_ALL)

    Load(place.url, writers=3, batches=40).perform(terminate)


@pytest.fixture
def durable() -> Iterator[PostgresServer]:
    """A server that keeps its promises, for tests that kill it."""
    with PostgresServer({}) as server:
        yield server


@pytest.mark.parametrize("sign", [signal.SIGQUIT, signal.SIGKILL, signal.SIGINT])
def test_a_server_that_is_killed_under_load(durable: PostgresServer, sign: signal.Signals) -> None:
    chance = random.Random(2)
    kills = 3

    def kill() -> None:
        nonlocal kills
        time.sleep(0.1 + chance.random() * 0.2)
        if kills:
            kills -= 1
            durable.kill(sign)
            durable.start()

    Load(durable.create(), writers=3, batches=60).perform(kill)
    assert kills < 3


class Proxy:
    """Carries bytes to a server's socket until it is cut; then every connection hangs up."""

    def __init__(self, target: Path, folder: Path) -> None:
        self._target = target
        folder.mkdir()
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / ".s.PGSQL.5432"))
        self._listening.listen(64)
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                inner, _ = self._listening.accept()
            except OSError:
                return
            outer = socket.socket(socket.AF_UNIX)
            outer.connect(str(self._target))
            with self._lock:
                self._pairs.append((inner, outer))
            for here, there in ((inner, outer), (outer, inner)):
                threading.Thread(target=self._carry, args=(here, there), daemon=True).start()

    @staticmethod
    def _carry(here: socket.socket, there: socket.socket) -> None:
        with suppress(OSError):
            while piece := here.recv(65_536):
                there.sendall(piece)
        for side in (here, there):
            with suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for side in pair:
                with suppress(OSError):
                    side.shutdown(socket.SHUT_RDWR)
                side.close()

    def close(self) -> None:
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.cut()


@pytest.mark.e2e
def test_a_network_that_is_cut(place: PostgresPlace, postgres: PostgresServer, tmp_path: Path) -> None:
    """Also between a commit and its answer: nothing is stored twice by those who try again."""
    folder = Path(postgres.folder) / f"proxy-{tmp_path.name[-20:]}"
    proxy = Proxy(postgres.folder / ".s.PGSQL.5432", folder)
    url = place.url.replace(quote(str(postgres.folder), safe=""), quote(str(folder), safe=""))
    chance = random.Random(3)

    def cut() -> None:
        time.sleep(0.02 + chance.random() * 0.1)
        proxy.cut()

    Load(url, writers=3, batches=40).perform(cut)
    proxy.close()


def test_an_idle_neighbour_holds_nobody_up(place: PostgresPlace) -> None:
    with psycopg.connect(place.url) as neighbour:
        neighbour.execute("CREATE TABLE of_somebody_else (n INTEGER)")  # and never commits
        Load(place.url, writers=2, batches=10).perform(lambda: time.sleep(0.01))


def test_no_live_writer_is_interrupted_by_another_hosts_clock(place: PostgresPlace) -> None:
    """Each host's clock is an hour off in its own direction; what counts is the server's."""
    early, late = place.open(), place.open()
    run = early.create_run("alive", announced=True)
    early.heartbeat(run.run_id)
    with pytest.MonkeyPatch.context() as patch:
        real = time.time_ns
        for offset_ns in (-3600 * 10**9, 3600 * 10**9):
            patch.setattr(time, "time_ns", lambda offset_ns=offset_ns: real() + offset_ns)
            with place.open() as elsewhere:
                assert elsewhere.get_run(run.run_id).status == "running"
                assert elsewhere.counts().by_status["interrupted"] == 0
    assert late.get_run(run.run_id).status == "running"


WRITER = """
import sys
from runline.intake.accept import draft
from runline.store.postgres_store import open_postgres

url, number, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with open_postgres(url, queue_size=10_000) as store:
    own, shared = (store.stream(run_id, announced=False) for run_id in (f"own-{number}", "shared"))
    for n in range(count):
        line = draft("log", f"{number}/{n}", {}, ts_ms=n)
        (shared if n % 4 == 0 else own).put_all([line], timeout_s=600)
    sys.exit(not store.flush(600))
"""


def follow_and_drop(stores: list[SqlStore], number: int, run_ids: list[str], last: dict[str, int]) -> bool:
    """Follows one run, or all of them, broken off again and again; whether it saw each event once and in order."""
    chance, everything = random.Random(number), number % 4 == 0
    run_id = run_ids[number % len(run_ids)]
    seen = dict.fromkeys(run_ids if everything else [run_id], 0)
    cursor, right = "ZTA", True
    while not last or any(seen[name] < last[name] for name in seen):
        store, stay = stores[number % len(stores)], chance.randint(500, 20_000)
        if everything:
            for after, event in store.follow_all(cursor=cursor, timeout_s=0.5):
                right &= event.seq == seen[event.run_id] + 1
                seen[event.run_id], cursor = event.seq, after
                stay -= 1
                if not stay:
                    break
        else:
            for event in store.follow(run_id, after_seq=seen[run_id], timeout_s=0.5):
                right &= event.seq == seen[run_id] + 1
                seen[run_id] = event.seq
                stay -= 1
                if not stay:
                    break
    return right and all(seen[name] == last[name] for name in seen)


@pytest.mark.parametrize(
    ("writers", "followers", "events"),
    [(3, 8, 6_000), pytest.param(16, 100, 1_000_000, marks=pytest.mark.e2e)],
)
def test_writer_processes_beside_followers(
    place: PostgresPlace, writers: int, followers: int, events: int
) -> None:
    run_ids = ["shared", *(f"own-{n}" for n in range(writers))]
    stores = [place.open(), *(place.open(read_only=True) for _ in range(2))]
    for run_id in run_ids:
        stores[0].create_run(run_id, run_id=run_id)
    last: dict[str, int] = {}
    with ThreadPoolExecutor(followers) as pool:
        following = [pool.submit(follow_and_drop, stores, n, run_ids, last) for n in range(followers)]
        running = [
            subprocess.Popen([sys.executable, "-c", WRITER, place.url, str(n), str(events // writers)])
            for n in range(writers)
        ]
        failed = [process.wait() for process in running]
        last.update({run_id: stores[0].get_run(run_id).last_seq for run_id in run_ids})
        assert not any(failed)
        assert sum(last.values()) == events // writers * writers + len(run_ids)
        assert all(one.result() for one in following)
