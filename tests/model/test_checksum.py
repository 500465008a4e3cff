"""Invariant 7 rests on stored bytes staying what they were: any one flipped bit must show."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from runline.model.checksum import content_check, place_check, seal

PLACE = (3, 1, 7, 2, 4)
SEQ = 41
CONTENT = (1_795_176_600_123, b"read config", "corr-1", b'{"a":[1,2,3],"b":"text"}')


def sealed(content: tuple[int, bytes, str | None, bytes], place: tuple[int, ...], seq: int) -> int:
    run, level, type_, step, source = place
    return seal(content_check(*content), place_check(run, level, type_, step, source), seq)


def flips(raw: bytes) -> Iterator[bytes]:
    for bit in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        yield bytes(flipped)


def test_any_single_flipped_bit_of_the_content_is_seen() -> None:
    ts_ms, message, correlation_id, payload = CONTENT
    good = sealed(CONTENT, PLACE, SEQ)
    assert 0 <= good < 2**32
    damaged = [
        *((ts_ms ^ 1 << bit, message, correlation_id, payload) for bit in range(63)),
        *((ts_ms, flipped, correlation_id, payload) for flipped in flips(message)),
        *((ts_ms, message, flipped.decode(), payload) for flipped in flips(b"corr-1") if max(flipped) < 128),
        *((ts_ms, message, correlation_id, flipped) for flipped in flips(payload)),
    ]
    assert len(damaged) > 300
    assert all(sealed(content, PLACE, SEQ) != good for content in damaged)


def test_any_single_flipped_bit_of_the_place_is_seen() -> None:
    good = sealed(CONTENT, PLACE, SEQ)
    for position in range(len(PLACE)):
        for bit in range(32):
            moved = list(PLACE)
            moved[position] ^= 1 << bit
            assert sealed(CONTENT, tuple(moved), SEQ) != good
    assert all(sealed(CONTENT, PLACE, SEQ ^ 1 << bit) != good for bit in range(32))


@given(
    st.integers(-(2**62), 2**62), st.binary(max_size=40), st.none() | st.text("abc"), st.binary(max_size=40)
)
def test_the_checksum_fits_32_bits(
    ts_ms: int, message: bytes, correlation_id: str | None, payload: bytes
) -> None:
    assert 0 <= sealed((ts_ms, message, correlation_id, payload), PLACE, SEQ) < 2**32


def test_an_absent_code_counts_as_none() -> None:
    assert place_check(1, 2, 3, None, None) == place_check(1, 2, 3, 0, 0)
    assert content_check(0, b"m", None, b"{}") != content_check(0, b"m", "x", b"{}")
