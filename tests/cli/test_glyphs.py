from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.cli.glyphs import ASCII, SCREEN, UNICODE, Glyphs
from runline.model.status import LEVELS, RUN_STATUSES, STEP_STATES


@pytest.mark.parametrize("glyphs", [ASCII, SCREEN, UNICODE])
def test_every_status_state_and_level_has_a_sign_of_its_own(glyphs: Glyphs) -> None:
    states = [glyphs[name] for name in {*RUN_STATUSES, *STEP_STATES}]
    assert len(set(states)) == len(states)
    assert all(glyphs[level] for level in LEVELS)


def test_ascii_signs_are_ascii() -> None:
    assert all(sign.isascii() for sign in ASCII.by_name.values())
    assert ASCII.bar(50, 4) == "##--"
    assert ASCII.spark([0, 1, 4]).isascii()


def test_on_a_screen_signs_ask_for_their_narrow_form() -> None:
    assert SCREEN["warn"] == "⚠\ufe0e"
    assert UNICODE["warn"] == "⚠"


@given(st.integers(-50, 200), st.integers(1, 60))
def test_a_bar_is_always_as_long_as_asked(percent: int, cells: int) -> None:
    assert len(UNICODE.bar(percent, cells)) == len(ASCII.bar(percent, cells)) == cells


def test_a_bar_is_full_at_100_alone() -> None:
    assert UNICODE.bar(100, 4) == "████"
    assert UNICODE.bar(99, 4) != "████"
    assert UNICODE.bar(0, 4) == "░░░░"
    assert UNICODE.bar(50, 1) == "▌"


def test_a_strip_is_as_high_as_its_counts() -> None:
    assert UNICODE.spark([0, 1, 8]) == " ▁█"
    assert UNICODE.spark([]) == ""


def test_ascii_says_everything_in_ascii() -> None:
    assert ASCII.said("3–6m · ␛[0m “x” ✔ é 😀") == '3-6m - ^[[0m "x" v \\xe9 \\U0001f600'
    assert UNICODE.said("3–6m é") == "3–6m é"
