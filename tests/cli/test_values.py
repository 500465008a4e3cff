from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from runline.cli.values import Plain, read_plainly


@pytest.mark.parametrize(
    ("annotation", "given", "value"),
    [
        (str, "x", "x"),
        (str, None, None),
        (int, "-1", -1),
        (int, 7, 7),
        (float, "1.5", 1.5),
        (Path, "a/b", Path("a/b")),
        (list[str], ("a", "b"), ("a", "b")),
        (list[str], None, ()),
        (list[int], ("1",), (1,)),
        (bool, True, True),
    ],
)
def test_words_become_values(annotation: Any, given: Any, value: Any) -> None:
    assert Plain(annotation).coerce(given, None, None) == value


@pytest.mark.parametrize(
    ("annotation", "word", "what"), [(int, "x", "a whole number"), (float, "1,5", "a number")]
)
def test_what_is_none_is_refused_with_its_word(annotation: Any, word: str, what: str) -> None:
    with pytest.raises(typer.BadParameter, match=f"'{word}' is not {what}"):
        Plain(annotation).coerce(word, None, None)


def test_other_kinds_are_left_to_typer() -> None:
    app = typer.Typer()

    @app.command()
    def main(size: tuple[int, int] = (1, 2), name: str = "") -> None: ...

    params = get_command(app).params
    read_plainly(params)
    assert [getattr(param, "_runtime_param", None) is not None for param in params[:2]] == [False, True]


def test_no_schema_library_is_loaded_for_a_command(cli: Any) -> None:
    cli.completed()
    command = (
        "import sys; sys.argv = ['runline', 'ls', '--limit', '3', '--status', 'failed']\n"
        "from runline.cli.main import main\n"
        "try: main()\n"
        "finally: print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    said = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True).stdout
    assert not {"pydantic", "rich", "asyncio", "ijson"} & set(said.split())
