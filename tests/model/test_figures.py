from __future__ import annotations

import math

import pytest

from runline.model.figures import MOST_COUNT, count, percent


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (0, 0),
        (3, 3),
        (3.0, 3),
        (MOST_COUNT, MOST_COUNT),
        (MOST_COUNT + 1, None),
        (-1, None),
        (3.5, None),
        (math.inf, None),
        (True, None),
        ("3", None),
        (None, None),
    ],
)
def test_a_count(value: object, read: int | None) -> None:
    assert count(value) == read


def test_a_count_has_the_bound_that_it_is_given() -> None:
    assert (count(10, 10), count(11, 10)) == (10, None)


@pytest.mark.parametrize(
    ("value", "read"),
    [(0, 0), (33.9, 33), (100, 100), (250, 100), (-0.1, None), (math.nan, None), (True, None), ("40", None)],
)
def test_a_percentage(value: object, read: int | None) -> None:
    assert percent(value) == read
