"""Waking followers in other processes."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from runline.store import notices
from runline.store.notices import Announcer, Listener
from runline.store.postgres_connection import Connection, connect
from runline.testing.place import PostgresPlace


@pytest.fixture
def listener(place: PostgresPlace) -> Iterator[Listener]:
    listener = Listener(lambda: connect(place.url, read_only=True))
    yield listener
    listener.close()


@pytest.fixture
def announcer(place: PostgresPlace) -> Iterator[Announcer]:
    announcer = Announcer(lambda: connect(place.url, read_only=False))
    yield announcer
    announcer.close()


def next_word(listener: Listener, last: int) -> int:
    while (heard := listener.heard()) == last:
        pass
    return heard


def test_what_is_announced_is_heard(listener: Listener, announcer: Announcer) -> None:
    first = listener.heard()
    assert listener.heard() == first
    announcer.ring()
    again = next_word(listener, first)
    announcer.ring()
    assert next_word(listener, again) > again


def test_a_lost_connection_is_made_anew_on_both_sides(
    place: PostgresPlace, listener: Listener, announcer: Announcer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "_AGAIN_S", 0.001)
    first = listener.heard()
    announcer.ring()
    first = next_word(listener, first)
    place.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
    )
    with pytest.raises(psycopg.Error):
        next_word(listener, first)
    again = listener.heard()
    announcer.ring()  # lost with its connection
    assert again > first
    while listener.heard() == again:
        announcer.ring()


def test_without_a_server_it_waits_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "_AGAIN_S", 0.001)
    tried = threading.Event()

    def refused() -> Connection:
        tried.set()
        raise psycopg.OperationalError("no server")

    listener, announcer = Listener(refused), Announcer(refused)
    with pytest.raises(psycopg.OperationalError):
        listener.heard()
    announcer.ring()
    assert tried.wait(10)
    announcer.close()
    listener.close()
    assert listener.heard() == 0


def test_an_announcer_that_never_rang_is_closed_too() -> None:
    Announcer(lambda: pytest.fail("never asked")).close()
