from __future__ import annotations

import subprocess
import sys

import pytest

from runline.intake.linear import linear, quoted


def test_an_expression_is_compiled_when_it_is_used() -> None:
    expression = linear(rb"(b+)c")
    assert "search" not in vars(expression)
    found = expression.search(b"aabbc")
    assert found is not None
    assert (found.start(), found.end(), found.group(1)) == (2, 5, b"bb")
    assert "search" in vars(expression)
    assert expression.match(b"aabbc", 2) is not None
    assert expression.fullmatch(b"aabbc") is None


def test_it_is_nothing_else() -> None:
    with pytest.raises(AttributeError):
        _ = linear(b"a").findall


def test_letters_are_bytes() -> None:
    assert linear(rb"\b[a-z]+").search("é1 ab".encode()) is not None
    assert linear(rb"[^a]").fullmatch(b"\xff") is not None


def test_quoted_means_itself() -> None:
    literal = 'a.*[]\\"é\n'.encode()
    found = linear(quoted(literal)).search(b"x" + literal + b"y")
    assert found is not None
    assert found.group() == literal


def test_importing_the_doors_loads_no_expression_library() -> None:
    code = "import runline.intake.accept, sys; print('re2' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "False\n"
    )
