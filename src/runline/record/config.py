"""The recorder's settings, and the stores that this process writes to: each is opened once and shared.

Stores open with the redactor that events are drafted with, so that nothing is redacted by two rules.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from runline.model.errors import Invalid
from runline.model.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from runline.intake.redact import Redactor
    from runline.store.recording_store import RecordingStore

DEFAULT_URL = "http://127.0.0.1:8080"
"""Where `runline serve` listens when it is told nothing."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What `configure` sets. `redactor` None is the process's own."""

    store: Any = None
    queue_size: int = 20_000
    redactor: Any = None
    limits: Limits = DEFAULT_LIMITS
    flush_timeout_s: float = 5.0
    url: str | None = None


class _Process:
    """What one process holds open."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.stores: dict[str, RecordingStore] = {}
        self.lock = threading.Lock()


_process = _Process()


def settings() -> Settings:
    return _process.settings


def configure(
    *,
    store: Any = None,
    queue_size: int | None = None,
    redact: bool | Iterable[str] | None = None,
    limits: Limits | None = None,
    flush_timeout_s: float | None = None,
    url: str | None = None,
) -> None:
    """Sets what runs started afterwards use; what is not given stays as it is.

    `store`: URL, path or an open store. `queue_size`: events that may wait to be written. `redact`: False
    switches redaction off, True is the default rules, texts are secrets to mask besides those. `limits`:
    sizes of events. `flush_timeout_s`: how long leaving a run, `durable=True` and the end of the process wait.
    `url`: where `runline serve` is reached, for `run.url`. Raises Invalid.
    """
    if queue_size is not None and queue_size < 1:
        raise Invalid("queue_size is at least 1.", fields={"queue_size": "below 1"})
    if flush_timeout_s is not None and not flush_timeout_s >= 0:
        raise Invalid("flush_timeout_s is not negative.", fields={"flush_timeout_s": "below 0"})
    given: dict[str, Any] = {
        "store": store,
        "queue_size": queue_size,
        "limits": limits,
        "flush_timeout_s": flush_timeout_s,
        "url": url,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if redact is not None:
        changes["redactor"] = _redactor(redact)
    _process.settings = msgspec.structs.replace(_process.settings, **changes)


def _redactor(redact: bool | Iterable[str]) -> Redactor | None:
    from runline.intake.redact import Redactor, known_from_environment

    if redact is True:
        return None
    if redact is False:
        return Redactor(enabled=False)
    more = [redact] if isinstance(redact, str) else list(redact)
    return Redactor(known=[*known_from_environment(os.environ), *more])


def store_for(given: Any = None, *, queue_size: int | None = None) -> RecordingStore:
    """The open store for a URL, path or store; None: as configured, else where `location` says.

    `queue_size` counts when this call opens it. Raises what `open_store` raises.
    """
    from runline.store import open_store
    from runline.store.location import address, store_url
    from runline.store.recording_store import RecordingStore

    wanted = _process.settings.store if given is None else given
    if isinstance(wanted, RecordingStore):
        return wanted
    where = address(store_url(None if wanted is None else os.fspath(wanted)))
    with _process.lock:
        store = _process.stores.get(where)
        if store is None:
            from runline.intake.names import default_redactor

            now = _process.settings
            store = _process.stores[where] = open_store(
                where,
                queue_size=queue_size or now.queue_size,
                limits=now.limits,
                redactor=now.redactor or default_redactor(),
            )
        return store


def opened() -> list[RecordingStore]:
    """The stores that the recorder opened in this process."""
    return list(_process.stores.values())


def close_stores(timeout_s: float) -> bool:
    """Writes out and lets go of them, within about that time; whether everything queued became durable."""
    with _process.lock:
        stores = list(_process.stores.values())
        _process.stores.clear()
    deadline_s = time.monotonic() + timeout_s
    written = True
    for store in stores:
        written &= store.shut(max(0.0, deadline_s - time.monotonic()))
    return written


def forked() -> None:
    """In a forked child: a lock that another thread held stays held for ever."""
    _process.lock = threading.Lock()
