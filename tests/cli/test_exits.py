from __future__ import annotations

from pathlib import Path

import pytest

from runline.cli.exits import EXIT_CODES, STORE, exit_code
from runline.model import errors
from runline.model.errors import RunlineError

DOCS = Path(__file__).parents[2] / "docs" / "cli.md"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.Invalid, 2),
        (errors.NotFound, 3),
        (errors.Conflict, 4),
        (errors.RunEnded, 4),
        (errors.Unavailable, 5),
        (errors.StoreFull, 5),
        (errors.Unauthorized, 6),
        (errors.Forbidden, 6),
        (RunlineError, STORE),
    ],
)
def test_each_error_has_its_code(error: type[RunlineError], code: int) -> None:
    assert exit_code(error("x")) == code


def test_the_documentation_tells_every_code() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert not [code for code, meaning in EXIT_CODES.items() if f"| {code} | {meaning} |" not in text]
