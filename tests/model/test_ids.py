from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.model.errors import Invalid
from runline.model.ids import check_run_id, new_run_id, slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Nightly report", "nightly-report"),
        ("Café / Zürich", "cafe-zurich"),
        ("报告", "run"),
        ("", "run"),
        ("--", "run"),
        ("x" * 500, "x" * 60),
        ("a" * 59 + " b", "a" * 59),
    ],
)
def test_a_name_becomes_a_slug(name: str, expected: str) -> None:
    assert slug(name) == expected


@given(st.text(max_size=300))
def test_an_id_made_is_an_id_that_may_be_brought(name: str) -> None:
    run_id = new_run_id(name, 1_795_176_600_123)
    assert re.fullmatch(r"[a-z0-9-]{1,60}-20261120-121000-[0-9a-f]{10}", run_id)
    assert check_run_id(run_id) == run_id


def test_session_id_uniqueness_under_rapid_creation() -> None:
    """Seed 003: Session id uniqueness under rapid creation."""
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: new_run_id("same name", 0), range(20_000)))
    assert len(set(made)) == 20_000


@pytest.mark.parametrize("brought", ["a", "A.b_c:d-e", "0" * 128, "exports", "1..2"])
def test_a_good_id_is_taken_as_it_is(brought: str) -> None:
    assert check_run_id(brought) == brought


@pytest.mark.parametrize(
    "brought", ["", ".", "..", "-x", "a b", "a/b", "a\\b", "a\n", "é", "a\x00", "0" * 129, 7, None]
)
def test_a_bad_id_is_refused(brought: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_run_id(brought)
    assert refused.value.code == "bad_run_id"
    assert set(refused.value.fields) == {"run_id"}


@pytest.mark.parametrize("word", ["export", "import", "bulk", "counts"])
def test_words_that_are_routes_are_refused(word: str) -> None:
    with pytest.raises(Invalid, match="reserved"):
        check_run_id(word)
