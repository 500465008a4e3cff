from __future__ import annotations

from typing import Any

import pytest

from runline.intake.plain import MAX_MEMBERS, plain, shallow
from runline.testing.corpus import BAD_VALUES, nested


@pytest.mark.parametrize(
    ("data", "is_plain", "is_shallow"),
    [
        ({}, True, True),
        ({"a": 1, "b": [1, "x", None], "c": (1.5, True), "d": {"e": 1}}, True, True),
        ({"a": [[1]]}, True, False),
        ({"a": {"b": {}}}, True, False),
        ({"a": [1, {2}]}, False, False),
        ({"a": {2}}, False, True),
        ({str(n): n for n in range(MAX_MEMBERS + 1)}, False, False),
        ({"a": [1] * (MAX_MEMBERS + 1)}, False, True),
        ({"a": [[] for _ in range(MAX_MEMBERS + 1)]}, False, False),
        ({"a": [[[]] for _ in range(MAX_MEMBERS)], "b": 1}, True, False),
        ({"a": [[[[], []]] for _ in range(MAX_MEMBERS)]}, False, False),
        ({"a": nested(63)}, True, False),
        ({"a": nested(64)}, False, False),
        ({"a": BAD_VALUES["a billion laughs"]}, False, False),
        ({"a": BAD_VALUES["a cycle"]}, False, False),
    ],
)
def test_plain_and_shallow(data: dict[str, Any], is_plain: bool, is_shallow: bool) -> None:
    assert (plain(data, 64), shallow(data)) == (is_plain, is_shallow)
