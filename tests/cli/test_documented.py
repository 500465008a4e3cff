"""Every `runline` line of the documentation is run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine

ROOT = Path(__file__).parents[2]


def blocks(file: str) -> list[str]:
    """Shell blocks that use the command line, without the rest of what they show."""
    text = (ROOT / file).read_text(encoding="utf-8")
    found = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    kept = (
        "\n".join(line for line in block.splitlines() if re.match(r"runline |export ", line))
        for block in found
    )
    return [block for block in kept if block]


@pytest.fixture
def folder(cli: CommandLine, tmp_path: Path) -> Path:
    """A place with what the examples name: `runline`, a `make` that works, a program."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "runline").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m runline.cli "$@"\n')
    (programs / "make").write_text("#!/bin/sh\necho made\n")
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    (tmp_path / "report.py").write_text("print('report')\n")
    cli.completed()
    cli.failed()
    return tmp_path


@pytest.mark.parametrize("block", [*blocks("README.md"), *blocks("docs/cli.md")])
def test_it_works_as_it_is_written(folder: Path, block: str) -> None:
    latest = '$(runline ls --json --limit 1 | sed \'s/.*"run_id":"\\([^"]*\\).*/\\1/\')'
    script = re.sub(r"\bRUN\b", lambda _: latest, block)
    environ = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_documentation_shows_commands() -> None:
    assert len(blocks("README.md")) >= 2
    assert len(blocks("docs/cli.md")) >= 5
