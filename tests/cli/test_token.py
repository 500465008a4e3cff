from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from runline.cli.token import complete_scope

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_the_secret_is_printed_once_and_alone(cli: CommandLine) -> None:
    result = cli("token", "create", "ci", "--scope", "read,ingest", "--scope", "operate")
    assert re.fullmatch(r"rl_[A-Za-z0-9_-]{43}\n", result.stdout)
    assert result.stderr == ""
    (token,) = cli.json("token", "ls")["tokens"]
    assert (token["name"], token["tenant"]) == ("ci", None)
    assert token["scopes"] == ["ingest", "read", "operate"]
    assert result.stdout.strip() not in cli("token", "ls").output + cli("audit").output
    with cli.store() as store:
        found = store.find_token(result.stdout.strip())
        assert found is not None and found.id == token["id"]


def test_on_a_terminal_a_hint_says_how_to_use_it(terminal: CommandLine) -> None:
    result = terminal("token", "create", "ci", "--tenant", "acme")
    assert len(result.stdout.splitlines()) == 1
    assert "may ingest for tenant acme" in result.stderr
    assert "Bearer" in result.stderr
    assert "may ingest. Send" in terminal("token", "create", "ci").stderr


def test_as_json_the_secret_stands_beside_the_token(cli: CommandLine) -> None:
    made = cli.json("token", "create", "ci", "--tenant", "acme", "--expires-days", "1.5")
    assert made["secret"].startswith("rl_")
    assert made["token"]["tenant"] == "acme"
    assert made["token"]["expires_at"] > made["token"]["created_at"]
    assert cli.json("token", "ls")["tokens"] == [made["token"]]


def test_they_are_listed_for_people(terminal: CommandLine) -> None:
    with terminal.store():
        pass
    assert "There is no token yet" in terminal.text("token", "ls")
    terminal("token", "create", "first", "--expires-days", "3")
    terminal("token", "create", "second", "--scope", "admin", "--tenant", "acme")
    said = terminal.text("token", "ls")
    assert re.search(r"second +active +admin +acme +just now +never", said)
    assert re.search(r"first +active +ingest +all", said)


def test_a_revoked_one_says_so(cli: CommandLine) -> None:
    cli("token", "create", "ci")
    token_id = cli.json("token", "ls")["tokens"][0]["id"]
    assert cli.text("token", "revoke", token_id) == f"revoked {token_id}  ci\n"
    assert "\trevoked\t" in cli.text("token", "ls")
    assert "There is no token 'tok_x'" in cli.text("token", "revoke", "tok_x", exits=3)


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--scope", "reed"), "Did you mean 'read'?"),
        (("--expires-days", "0"), "more than 0"),
        (("--expires-days", "x"), "is not a number"),
        (("--tenant", "a\nb"), "tenant's name"),
    ],
)
def test_what_cannot_be_is_refused(cli: CommandLine, args: tuple[str, ...], said: str) -> None:
    assert said in cli.text("token", "create", "ci", *args, exits=2)
    assert not cli.path.exists() or cli.json("token", "ls")["tokens"] == []


def test_scopes_complete() -> None:
    assert complete_scope("in") == ["ingest"]
    assert complete_scope("") == ["ingest", "read", "operate", "admin"]
