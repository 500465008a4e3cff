from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from runline.server.settings import Settings
from runline.store import open_local
from runline.store.remote.spool import Spool
from runline.testing.serving import Serving, serving

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.fixture(autouse=True)
def spool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RUNLINE_SPOOL", str(tmp_path / "spool"))
    monkeypatch.delenv("RUNLINE_TOKEN", raising=False)
    return tmp_path / "spool"


@pytest.fixture(params=[False])
def served(cli: CommandLine, request: pytest.FixtureRequest) -> Iterator[Serving]:
    cli.completed()
    with (
        open_local(str(cli.path)) as store,
        serving(store, Settings(port=0, auth=request.param)) as server,
    ):
        yield server


def checks(cli: CommandLine, url: str, exits: int = 0) -> dict[str, dict[str, Any]]:
    told = cli.json("--store", url, "doctor", exits=exits)["checks"]
    return {check["name"]: check for check in told}


def test_a_sound_server(cli: CommandLine, served: Serving) -> None:
    found = checks(cli, served.url)
    assert {check["status"] for check in found.values()} == {"ok"}
    assert found["store"]["value"] == served.url
    assert found["token"]["value"] == "local: may ingest, read, operate, admin"
    assert found["runs"]["value"] == "1: 1 completed"
    assert "sound" in found["newest run"]["value"]
    assert "free on its disk" in found["size"]["value"]


@pytest.mark.parametrize("served", [True], indirect=True)
def test_what_a_token_may_do(cli: CommandLine, served: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks(cli, served.url, exits=1)["token"]["status"] == "fail"
    with cli.store() as store:
        secret = store.create_token("ci", scopes=["read"], tenant="ours").secret
    monkeypatch.setenv("RUNLINE_TOKEN", secret)
    found = checks(cli, served.url)
    assert found["token"]["value"] == "ci: may read of tenant ours"
    assert found["rights"]["status"] == "warn"


def test_another_version_is_noticed(
    cli: CommandLine, served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runline.cli.server_check.runline.__version__", "99.0")
    assert checks(cli, served.url)["server"]["status"] == "warn"


def test_a_server_that_is_away_and_what_waits_for_it(cli: CommandLine, spool: Path) -> None:
    url = "http://127.0.0.1:1"
    waiting = Spool(spool, url)
    waiting.append([b"{}"])
    found = checks(cli, url, exits=1)
    waiting.close()
    assert found["server"]["status"] == "fail"
    assert found["spool"]["value"] == f"events wait in {spool}"


def test_a_left_behind_file_that_cannot_be_read_is_no_reason_to_fail(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        from runline.model.errors import Unavailable

        raise Unavailable("The spool cannot be read.")

    monkeypatch.setattr("runline.cli.server_check.open_http", refuse)
    assert checks(cli, "http://127.0.0.1:1", exits=1)["server"]["value"] == "The spool cannot be read."
