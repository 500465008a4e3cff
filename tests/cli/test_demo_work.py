from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import runline
from runline.cli.demo_work import archive, library, watchable

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(3):
        (folder / f"m{number}.py").write_text(f"x = {number}\n")
    (folder / "large.py").write_text("# " + "x" * 90_000)
    return folder


def test_the_archive_is_made_verified_and_published(cli: CommandLine, source: Path, tmp_path: Path) -> None:
    archive(source, tmp_path / "x.zip")
    runline.close()
    run = cli.json("show")
    assert run["run"]["status"] == "completed"
    assert [step["step_id"] for step in run["steps"]] == ["scan", "hash", "compress", "verify", "publish"]
    assert run["run"]["warn_count"] == 1
    assert run["artifacts"][0]["name"] == "x.zip"
    assert (tmp_path / "x.published.zip").exists()


def test_a_file_that_changes_meanwhile_is_found_out(cli: CommandLine, source: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="changed while it was archived"):
        archive(source, tmp_path / "x.zip", meddle=True)
    runline.close()
    assert cli.json("why")["blocked"] == ["publish"]


def test_the_library_is_there() -> None:
    assert len(library()) > 50


def test_the_watchable_work_has_steps_and_calls(cli: CommandLine) -> None:
    watchable(0.6)
    runline.close()
    run = cli.json("show")
    assert run["run"]["status"] == "completed"
    assert [step["state"] for step in run["steps"]] == ["completed"] * 3
    assert run["run"]["call_count"] >= 2


def test_it_runs_as_a_process_of_its_own(cli: CommandLine, source: Path, tmp_path: Path) -> None:
    work = [sys.executable, "-m", "runline.cli.demo_work"]
    subprocess.run([*work, "watchable", "0.1"], check=True)
    done = subprocess.run(
        [*work, "archive", str(source), str(tmp_path / "x.zip"), "--meddle"], check=False, capture_output=True
    )
    assert done.returncode == 1
    assert [run["pipeline_name"] for run in cli.json("ls")["runs"]] == ["archive-library", "index-library"]
