from __future__ import annotations

import subprocess
import sys

import runline


def test_the_module_is_the_command_line() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runline.cli", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"runline {runline.__version__}\n"
