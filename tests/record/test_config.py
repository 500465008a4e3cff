from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

import runline
from runline.model.errors import Invalid
from runline.model.limits import Limits
from runline.record import config
from runline.store.sql_store import SqlStore
from tests.record.conftest import local, told


def test_what_is_not_given_stays() -> None:
    runline.configure(queue_size=10, url="http://a")
    runline.configure(flush_timeout_s=1.5)
    now = config.settings()
    assert (now.queue_size, now.url, now.flush_timeout_s) == (10, "http://a", 1.5)


@pytest.mark.parametrize(
    "wrong", [{"queue_size": 0}, {"flush_timeout_s": -1}, {"flush_timeout_s": float("nan")}]
)
def test_what_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        runline.configure(**wrong)


def test_a_store_is_opened_once(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    first = config.store_for(path, queue_size=7)
    assert config.store_for(f"sqlite:///{path}") is first
    assert config.store_for(str(path)) is first
    assert config.store_for(first) is first
    assert config.opened() == [first]
    assert isinstance(first, SqlStore)
    assert first.writer.queue_size == 7
    assert runline.close(5)
    assert config.opened() == []


def test_the_environment_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config._process, "settings", config.Settings())
    monkeypatch.setenv("RUNLINE_STORE", str(tmp_path / "by-environment.db"))
    with runline.run("r") as run:
        assert run.store_url.endswith("by-environment.db")


SECRET = "correct-horse-battery"


@pytest.mark.parametrize(
    ("redact", "shown"),
    [
        (True, "plain correct-horse-battery password=[REDACTED:password]"),
        (False, "plain correct-horse-battery password=hunter22"),
        ([SECRET], "plain [REDACTED:known] password=[REDACTED:password]"),
        (SECRET, "plain [REDACTED:known] password=[REDACTED:password]"),
    ],
)
def test_redaction_is_configured(store: SqlStore, redact: Any, shown: str) -> None:
    runline.configure(redact=redact)
    with runline.run("r") as run:
        run.event("log", f"plain {SECRET} password=hunter22", step=SECRET)
    event = told(store, run.id)[1]
    assert event.message == shown
    assert event.step == ("[REDACTED:known]" if "known" in shown else SECRET)


def test_limits_are_configured(store: SqlStore) -> None:
    runline.configure(limits=Limits(string_bytes=100))
    with runline.run("r") as run:
        run.event("log", "x" * 500)
    assert len(told(store, run.id)[1].message) == 100


def test_a_full_queue_drops_counts_and_says_so(store: SqlStore) -> None:
    runline.configure(queue_size=5)
    with runline.run("r") as run:
        blocked, go = threading.Event(), threading.Event()
        transaction = local(run).engine.transaction

        def slow() -> Any:
            blocked.set()
            go.wait(30)
            return transaction()

        local(run).engine.transaction = slow  # type: ignore[method-assign]
        run.event("first")
        assert blocked.wait(30)
        for _ in range(12):
            run.event("more")
        assert run.lost == 7
        go.set()
        local(run).engine.transaction = transaction  # type: ignore[method-assign]
        assert not run.flush()
    events = told(store, run.id)
    assert [event.type for event in events].count("more") == 5
    (dropped,) = (event for event in events if event.type == "events_dropped")
    assert dropped.data == {"count": 7}
    assert store.get_run(run.id).status == "completed"
