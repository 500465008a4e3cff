from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from runline.cli import run_ids
from runline.cli.run_ids import find_run, short_ids
from runline.model.errors import Conflict, NotFound

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

IDS = (
    "nightly-20261120-020000-aaaaaa7k3f",
    "nightly-20261121-020000-bbbbbb9c0e",
    "index-20261121-030000-cccccc9c0f",
)


@pytest.fixture
def runs(cli: CommandLine) -> CommandLine:
    with cli.store() as store:
        for place, run_id in enumerate(IDS):
            store.create_run(run_id.split("-")[0], run_id=run_id, started_at_ms=1_795_000_000_000 + place)
        store.end_run(IDS[0], "failed")
    return cli


@pytest.mark.parametrize(
    ("given", "found"),
    [(IDS[0], IDS[0]), ("7k3f", IDS[0]), ("index", IDS[2]), ("nightly-20261121", IDS[1]), (None, IDS[2])],
)
def test_a_run_is_meant_by_its_id_or_a_piece_of_it(runs: CommandLine, given: str | None, found: str) -> None:
    with runs.store() as store:
        assert find_run(store, given).run_id == found


def test_without_an_id_it_is_the_latest_of_a_status(runs: CommandLine) -> None:
    with runs.store() as store:
        assert find_run(store, None, status=("failed", "cancelled")).run_id == IDS[0]
        with pytest.raises(NotFound, match="No run is cancelled"):
            find_run(store, None, status=("cancelled",))


def test_an_empty_store_says_how_to_record(cli: CommandLine) -> None:
    with cli.store() as store:
        with pytest.raises(NotFound, match="runline exec"):
            find_run(store, None)
        with pytest.raises(NotFound, match="No run has been recorded here yet"):
            find_run(store, "x")


def test_what_fits_several_runs_names_them(runs: CommandLine) -> None:
    with runs.store() as store, pytest.raises(Conflict, match="fits 2 runs") as caught:
        find_run(store, "nightly-")
    assert IDS[1] in caught.value.message
    with runs.store() as store:
        for number in range(4):
            store.create_run("nightly", run_id=f"nightly-{number}")
        with pytest.raises(Conflict, match="and 2 more"):
            find_run(store, "nightly-")


@pytest.mark.parametrize(("given", "near"), [("7k3e", IDS[0]), ("index-20261121-030000-cccccc9c00", IDS[2])])
def test_an_unknown_one_suggests_what_is_near(runs: CommandLine, given: str, near: str) -> None:
    with runs.store() as store, pytest.raises(NotFound, match=f"Did you mean .*{near}"):
        find_run(store, given)


def test_what_is_like_nothing_points_to_the_list(runs: CommandLine) -> None:
    with runs.store() as store:
        for given in ("zzzzzzzz", 'quo"te\\', "a", "../.."):
            with pytest.raises(NotFound, match="runline ls"):
                find_run(store, given)


def test_a_pruned_run_says_so(runs: CommandLine) -> None:
    with runs.store() as store:
        store.delete_run(IDS[0])
        with pytest.raises(NotFound) as caught:
            find_run(store, IDS[0])
    assert caught.value.code == "pruned"


def test_many_pages_of_runs_are_looked_through(runs: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    with runs.store() as store:
        for number in range(120):
            store.create_run("filler", run_id=f"filler-nightly-{number:03d}-x")
        assert find_run(store, "7k3f").run_id == IDS[0]
        with pytest.raises(Conflict, match="fits 120 runs"):
            find_run(store, "filler")
        monkeypatch.setattr(run_ids, "_PAGES", 1)
        with pytest.raises(Conflict, match="fits 100 runs"):
            find_run(store, "filler")


def test_short_ids_are_unique_ends() -> None:
    assert short_ids([*IDS, "build-7"]) == {
        IDS[0]: "7k3f",
        IDS[1]: "9c0e",
        IDS[2]: "9c0f",
        "build-7": "build-7",
    }
    assert short_ids(["aaaaaaaaaaaa-x-1234", "bbbbbbbbbbbb-y-1234"]) == {
        "aaaaaaaaaaaa-x-1234": "x-1234",
        "bbbbbbbbbbbb-y-1234": "y-1234",
    }
    assert short_ids(["a-1234567890123", "za-1234567890123"]) == {
        "a-1234567890123": "a-1234567890123",
        "za-1234567890123": "za-1234567890123",
    }
