from __future__ import annotations

from typing import TYPE_CHECKING

import apsw
import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def hurt(cli: CommandLine, sql: str) -> None:
    connection = apsw.Connection(str(cli.path))
    for trigger in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {trigger[0]}")
    connection.execute(sql)
    connection.close()


def test_a_sound_store(cli: CommandLine) -> None:
    run = cli.failed()
    cli.completed()
    assert cli.text("verify") == "✔ sound: 2 runs, 23 events\n"
    assert cli.text("verify", run.run_id) == "✔ sound: 1 run, 13 events\n"
    assert cli.json("verify")["ok"] is True


def test_a_flipped_bit_is_named(cli: CommandLine) -> None:
    run = cli.failed()
    hurt(cli, "UPDATE events SET message = 'row 3 of 9' WHERE seq = 3")
    said = cli.text("verify", exits=1)
    assert f"✖ {run.run_id} event 3  checksum  " in said
    assert "1 problem in 1 run, 13 events" in said
    assert f"`runline export {run.run_id}`" in said
    document = cli.json("verify", exits=1)
    assert document["ok"] is False
    assert document["problems"][0]["seq"] == 3


def test_a_wrong_projection_can_be_rebuilt(cli: CommandLine) -> None:
    run = cli.failed()
    hurt(cli, "UPDATE runs SET warn_count = 77")
    assert "runline rebuild" in cli.text("verify", exits=1)
    assert cli.text("rebuild", run.run_id).startswith("rebuilt 1 run from the log; `runline verify`")
    assert "sound" in cli.text("verify")


def test_a_damaged_database_is_told(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    from runline.store.sql_store import SqlStore
    from runline.store.verify import Problem, VerifyReport

    cli.completed()
    problem = Problem(None, None, "database", "page 3 is never used")
    monkeypatch.setattr(
        SqlStore,
        "verify",
        lambda self, run_id=None, **told: VerifyReport(runs=1, events=9, found=2, problems=(problem,)),
    )
    said = cli.text("verify", exits=1)
    assert "✖ the database  database  page 3 is never used" in said
    assert "2 problems" in said
