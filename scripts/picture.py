"""Draws docs/images/show.svg: what `runline show` and `runline why` print of a run that `runline demo` recorded.

Run it as `python scripts/picture.py`; the terminal is a real one, the drawing is Rich's.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

TARGET = Path(__file__).parents[1] / "docs" / "images" / "show.svg"
COLUMNS = 108
CLI = [sys.executable, "-m", "runline.cli"]


def in_terminal(*arguments: str, folder: Path) -> str:
    """What the command prints on a terminal of that width, escapes included."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.environ.update(COLUMNS=str(COLUMNS), LINES="60", TERM="xterm-256color", COLORTERM="truecolor")
        os.environ.pop("NO_COLOR", None)
        os.execv(CLI[0], [*CLI, *arguments])  # noqa: S606 - our own command, in a terminal of its own
    printed = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:  # the other side is gone: that is how a terminal ends
            break
        if not piece:
            break
        printed += piece
    os.waitpid(pid, 0)
    return printed.decode().replace("\r\n", "\n")


def main() -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([*CLI, "demo"], cwd=folder, check=True, capture_output=True)
        listed = subprocess.run(
            [*CLI, "ls", "--json", "--name", "archive-library"],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
        )
        run = re.search(r'"run_id": ?"([^"]+)"', listed.stdout)
        if run is None:
            raise SystemExit("the demo recorded nothing")
        for arguments in (("show", run[1][-4:]), ("ls",)):
            console.print(Text.from_ansi(f"\x1b[1m$ runline {' '.join(arguments)}\x1b[0m\n"))
            console.print(Text.from_ansi(in_terminal(*arguments, folder=folder)), soft_wrap=True)
    drawn = console.export_svg(title="runline")
    # No font from elsewhere: the reader's own monospace will do.
    drawn = re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL).replace("Fira Code", "ui-monospace")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text("\n".join(line.rstrip() for line in drawn.splitlines()) + "\n", encoding="utf-8")
    print(TARGET)


if __name__ == "__main__":
    main()
