from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.fold.fingerprint import fingerprint, mask


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("timeout after 31 s", "timeout after 2.5 s"),
        ("job 7f3a9c21 lost", "job 0b44d1ee lost"),
        ("at 2026-11-20T10:00:00.123Z", "at 2025-01-02T23:59:59Z"),
        ("at 2026-11-20 10:00:00", "at 2025-01-02 23:59:59"),
        ("id 550e8400-e29b-41d4-a716-446655440000", "id 6fa459ea-ee8a-3ca4-894e-db77e160355e"),
        ("at 0xdeadBEEF", "at 0x10"),
        ("chunk12 failed", "chunk7 failed"),
    ],
)
def test_the_same_message_masks_the_same(left: str, right: str) -> None:
    assert mask(left) == mask(right)
    assert fingerprint("E", left, "a") == fingerprint("E", right, "a")


@pytest.mark.parametrize(("left", "right"), [("a", "b"), ("facade", "decade"), ("deadbeef", "defaced!")])
def test_words_are_not_masked(left: str, right: str) -> None:
    assert mask(left) != mask(right)


def test_paths_differ_in_a_divergence_and_not_in_a_fingerprint() -> None:
    left, right = "no such file: /srv/x/y.txt", "no such file: ./z"
    assert mask(left) != mask(right)
    assert fingerprint(None, left, None) == fingerprint(None, right, None)
    windows = "no such file: C:\\x\\y.txt"
    assert fingerprint(None, left, None) == fingerprint(None, windows, None)


def test_name_and_step_belong_to_a_fingerprint_and_a_matrix_index_does_not() -> None:
    marks = {fingerprint("E", "m", "a"), fingerprint("F", "m", "a"), fingerprint("E", "m", "b")}
    assert len(marks) == 3
    assert fingerprint("E", "m", "a[0]") == fingerprint("E", "m", "a[12]") == fingerprint("E", "m", "a")
    assert fingerprint(None, "m", None) == fingerprint("", "m", "")


@given(st.text(), st.text() | st.none())
def test_any_text_has_sixteen_hex_digits(message: str, step: str | None) -> None:
    assert len(bytes.fromhex(fingerprint(None, message, step))) == 8


@pytest.mark.parametrize("piece", ["a", "0", "/", "a/", "f0", "0x", "-", "1.", "\\.", "~/", "550e8400-"])
def test_hostile_text_is_masked_in_linear_time(piece: str) -> None:
    text = piece * 1_000_000
    began_s = time.process_time()
    for _ in range(20):
        fingerprint(None, text, None)
    assert time.process_time() - began_s < 1


def test_a_lone_surrogate_is_no_obstacle() -> None:
    assert len(fingerprint("\ud800", "\udfff", "\ud800")) == 16
