"""Retention by itself."""

from __future__ import annotations

import logging
import threading

import pytest

from runline.model.errors import Unavailable
from runline.server.pruning import Pruning
from runline.server.settings import Retention
from runline.store.prune_report import PruneReport
from runline.store.sql_store import SqlStore

RULES = Retention(older_than_days=None, keep=1)


class Watched(Pruning):
    """Tells when it has pruned so many times."""

    def __init__(self, store: SqlStore, rules: Retention | None, times: int) -> None:
        super().__init__(store, rules, first_s=0.0, every_s=0.0)
        self.done = threading.Event()
        self._left = times
        self._over.wait = self._counted  # type: ignore[method-assign]

    def _counted(self, timeout: float | None = None) -> bool:
        del timeout
        self._left -= 1
        if self._left < 0:
            self.done.set()
            return True
        return False


def test_it_prunes_by_its_rules_and_says_who(store: SqlStore) -> None:
    for _ in range(3):
        store.end_run(store.create_run("job").run_id)
    pruning = Watched(store, RULES, 2)
    pruning.start()
    pruning.start()  # once is enough
    assert pruning.done.wait(10)
    pruning.close()
    assert pruning.removed == 2
    assert len(store.list_runs().items) == 1
    assert {entry.who for entry in store.list_audit().items if entry.action == "prune"} == {"retention"}


def test_it_does_nothing_unless_switched_on(store: SqlStore) -> None:
    pruning = Pruning(store, None)
    pruning.start()
    pruning.close()
    assert pruning.removed == 0


def test_a_store_that_cannot_now_is_asked_again(
    store: SqlStore, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def away(self: SqlStore, **rules: object) -> PruneReport:
        asked.append(rules)
        raise Unavailable("The store is away.")

    monkeypatch.setattr(SqlStore, "prune", away)
    pruning = Watched(store, RULES, 2)
    with caplog.at_level(logging.WARNING, "runline"):
        pruning.start()
        assert pruning.done.wait(10)
        pruning.close()
    assert len(asked) == 2
    assert "away" in caplog.text
