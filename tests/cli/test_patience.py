"""Commands that follow outlive a server that goes and comes back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from runline.cli import patience
from runline.cli.invocation import Invocation
from runline.cli.patience import Patience
from runline.model.errors import Unavailable
from runline.store.sql_store import SqlStore

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "RETRY_S", 0.0)


def test_what_waiting_does_not_help_is_raised() -> None:
    with pytest.raises(Unavailable, match="damaged"):
        Patience(Invocation()).wait(Unavailable("damaged", code="corrupt"))


@pytest.mark.parametrize("command", ["tail", "watch"])
def test_they_go_on_where_they_were(cli: CommandLine, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    run = cli.completed()
    follow, tries = SqlStore.follow, []

    def away(self: SqlStore, *given: Any, **more: Any) -> Iterator[Any]:
        tries.append(1)
        if len(tries) <= 2:
            raise Unavailable("The server cannot be reached.", code="unreachable")
        return follow(self, *given, **more)

    monkeypatch.setattr(SqlStore, "follow", away)
    said = cli.text(*([command, "-f"] if command == "tail" else [command]), run.run_id)
    assert said.count("Disconnected · retrying") == 1
    assert said.count("Connected again") == 1


def test_the_screen_of_a_watch_stays(terminal: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.completed()
    get_run, tries = SqlStore.get_run, []

    def away(self: SqlStore, run_id: str) -> Any:
        tries.append(1)
        if len(tries) == 2:
            raise Unavailable("The server cannot be reached.", code="unreachable")
        return get_run(self, run_id)

    monkeypatch.setattr(SqlStore, "get_run", away)
    said = terminal.text("watch")
    assert said.count("Disconnected · retrying") == 1
    assert len(tries) > 2
