from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.cli.test_main import complete

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_a_group_lists_its_commands(cli: CommandLine) -> None:
    said = cli.text("token", "--help")
    assert "Make, list and revoke tokens for a server." in said
    for name in ("create", "ls", "revoke"):
        assert re.search(rf"^  {name} +\S", said, re.MULTILINE)
    assert "exec" not in said


def test_a_command_of_a_group_has_help_with_the_global_options(cli: CommandLine) -> None:
    said = cli.text("token", "create", "--help")
    assert "Usage: root token create" in said
    assert "--store URL" in said and "--scope SCOPE" in said


def test_the_store_is_named_anywhere(cli: CommandLine) -> None:
    other = str(cli.path.with_name("other.db"))
    cli("--store", other, "token", "create", "a")
    cli("token", "--store", other, "create", "b")
    cli("token", "create", "c", "--store", other)
    tokens = cli.json("token", "ls", "--store", other)["tokens"]
    assert {token["name"] for token in tokens} == {"a", "b", "c"}
    assert not cli.path.exists()


def test_what_is_wrong_in_a_group_is_told_with_its_command(cli: CommandLine) -> None:
    said = cli.text("token", "creat", exits=2)
    assert "There is no command 'creat'. Did you mean 'create'?" in said
    assert "`root token --help`" in said
    assert "There is no command 'zzzz'.\n" in cli.text("token", "zzzz", exits=2)
    assert "Missing command" in cli.text("token", exits=2)
    assert "--tenant needs a value.\n  `root token create --help`" in cli.text(
        "token", "create", "a", "--tenant", exits=2
    )
    assert "Missing argument 'ID'" in cli.text("token", "revoke", exits=2)


def test_a_group_completes(cli: CommandLine) -> None:
    assert complete(cli, "runline token cre") == ["create"]
    assert complete(cli, "runline token create x --scope re") == ["read"]


def test_help_of_a_group_loads_none_of_its_commands() -> None:
    code = (
        "import sys; sys.argv = ['runline', 'token', '--help']\n"
        "from runline.cli.main import main\n"
        "try: main()\n"
        "finally: print(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"rich", "apsw", "runline.cli.token", "runline.store.sql_store"} & set(loaded)
