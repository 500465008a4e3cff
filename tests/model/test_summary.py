from __future__ import annotations

from typing import get_args, get_type_hints

from runline.model.status import LEVELS
from runline.model.summary import Summary


def test_severities_are_the_levels() -> None:
    keys, _ = get_args(get_type_hints(Summary)["by_severity"])
    assert get_args(keys) == LEVELS
