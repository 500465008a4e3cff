"""A recorder that starts clean, a store in a folder of its own, and small programs run as real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runline.model.event import Event
from runline.record import config, lifetime
from runline.record.run import ActiveRun
from runline.store import open_local
from runline.store.interface import Store
from runline.store.sql_store import SqlStore

Program = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(autouse=True)
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Default settings, an environment that names no run, the store in `tmp_path`; nothing stays open."""
    for name in ("RUNLINE_STORE", "RUNLINE_RUN_ID", "RUNLINE_STEP"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(config._process, "settings", config.Settings(store=str(tmp_path / "runline.db")))
    monkeypatch.setattr(lifetime._runs, "lost", False)
    yield
    assert not lifetime._runs.open
    assert not lifetime._runs.steps
    lifetime.close(10)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """The store that runs go to, opened apart from the recorder."""
    with open_local(str(tmp_path / "runline.db")) as opened:
        yield opened


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Runs Python source in a process of its own, in `tmp_path`, recording into the same store."""

    def run(source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "RUNLINE_STORE": str(tmp_path / "runline.db"),
            "PYTHONWARNINGS": "default",
        }
        return subprocess.run(
            [sys.executable, "-c", source, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def local(run: ActiveRun) -> SqlStore:
    """The store that a run goes to, as what it is."""
    assert isinstance(run.store, SqlStore)
    return run.store


def told(store: Store, run_id: str) -> list[Event]:
    """All events of a run, in order."""
    events: list[Event] = []
    while page := store.read(run_id, after_seq=len(events), limit=1000):
        events += page
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return events


def types(store: SqlStore, run_id: str) -> list[str]:
    return [event.type for event in told(store, run_id)]


def only_run(store: SqlStore) -> str:
    """The id of the store's one run."""
    (run,) = store.list_runs().items
    return run.run_id
