"""Where a store lives: as said, else by the environment, else the nearest one upwards, else here."""

from __future__ import annotations

from pathlib import Path

import pytest

from runline.model.errors import Invalid
from runline.store import open_store
from runline.store.location import address, is_remote, sqlite_path, store_url


def test_what_is_said_wins_over_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLINE_STORE", "from-the-environment.db")
    assert store_url("said.db", start=tmp_path) == "said.db"
    assert store_url(start=tmp_path) == "from-the-environment.db"
    monkeypatch.setenv("RUNLINE_STORE", "")
    assert store_url(start=tmp_path) == f"sqlite:///{tmp_path}/.runline/runline.db"


def test_the_nearest_store_upwards_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNLINE_STORE", raising=False)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert store_url(start=deep) == f"sqlite:///{deep}/.runline/runline.db"
    for holder in (tmp_path, tmp_path / "a"):
        (holder / ".runline").mkdir()
        (holder / ".runline" / "runline.db").touch()
        assert store_url(start=deep) == f"sqlite:///{holder}/.runline/runline.db"
    monkeypatch.chdir(deep)
    assert store_url() == f"sqlite:///{tmp_path / 'a'}/.runline/runline.db"


def test_a_store_is_made_where_no_other_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RUNLINE_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    with open_store() as store:
        assert store.url == f"sqlite:///{tmp_path}/.runline/runline.db"
        store.create_run("here")
    with open_store(read_only=True) as again:
        assert [run.name for run in again.list_runs().items] == ["here"]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("x.db", "{here}/x.db"),
        ("sqlite:///x.db", "{here}/x.db"),
        ("sqlite:///a%20b/%3F.db", "{here}/a b/?.db"),
        ("sqlite:////srv/x.db", "/srv/x.db"),
        ("~/x.db", "{home}/x.db"),
        ("a b?.db", "{here}/a b?.db"),
    ],
)
def test_a_url_names_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, path: str) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/srv/someone")
    assert sqlite_path(url) == path.format(here=tmp_path, home="/srv/someone")


@pytest.mark.parametrize(
    "url", ["postgresql://host/db", "https://host", "sqlite://x.db", "sqlite:///", "", "  ", "a\0b"]
)
def test_what_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as told:
        sqlite_path(url)
    assert told.value.code == "bad_store_url"


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("http://Host:8080/", "http://host:8080"),
        ("HTTPS://host:443/a/b/", "https://host/a/b"),
        ("http://[::1]:80", "http://[::1]"),
        ("http://127.0.0.1:9", "http://127.0.0.1:9"),
    ],
)
def test_an_address_of_a_server_is_written_one_way(url: str, same: str) -> None:
    assert is_remote(url)
    assert address(url) == same


def test_an_address_of_a_file_is_written_one_way(tmp_path: Path) -> None:
    assert not is_remote(str(tmp_path))
    assert (
        address(f"{tmp_path}/x.db") == address(f"sqlite:///{tmp_path}/x.db") == f"sqlite:///{tmp_path}/x.db"
    )


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://:80",
        "http://host:port",
        "http://[::1",
        "http://host?x=1",
        "http://host#x",
        "http://ho st",
        "http://host/a\nb",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as told:
        address(url)
    assert (told.value.code, told.value.fields) == ("bad_store_url", {"store": "not an address"})


@pytest.mark.parametrize("url", ["http://token@host", "https://me:secret@host/x"])
def test_a_token_in_the_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Invalid, match="RUNLINE_TOKEN") as told:
        address(url)
    assert "secret" not in told.value.message
