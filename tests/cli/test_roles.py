from __future__ import annotations

from rich.style import Style

from runline.cli.roles import STYLES, role_of
from runline.model.status import LEVELS, RUN_STATUSES, STEP_STATES


def test_every_word_has_a_role_that_is_known() -> None:
    assert all(role_of(word) in STYLES for word in (*RUN_STATUSES, *STEP_STATES, *LEVELS))
    assert role_of("failed") == role_of("error") == "failed"
    assert role_of("skipped") == "pending"


def test_without_colour_no_style_names_one() -> None:
    assert all(Style.parse(plain).color is None for _, plain in STYLES.values() if plain)
