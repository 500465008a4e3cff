from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.record.lines import MAX_BYTES, Lines


def all_lines(chunks: list[bytes]) -> list[str]:
    lines = Lines()
    return [line for chunk in chunks for line in lines.feed(chunk)] + lines.finish()


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b""], []),
        ([b"a\nb\n"], ["a", "b"]),
        ([b"a", b"b", b"\nc"], ["ab", "c"]),
        ([b"\n\n"], ["", ""]),
        ([b"a\r\nb\r", b"\nc"], ["a", "b", "c"]),
        ([b"\xff\xfe\n\xe2\x82"], ["\ufffd\ufffd", "\ufffd"]),
        ([b"\xe2\x82", b"\xac\n"], ["€"]),
        ([b"10%\r20%\r30%\n"], ["30%"]),
        ([b"10%\r20%\r\n"], ["20%"]),
        ([b"done\r   \rx\n"], ["x"]),
        ([b"x\r \n"], ["x"]),
        ([b"\r\r\n"], [""]),
        ([b"tail\r"], ["tail"]),
        ([b"\0\n"], ["\0"]),
    ],
)
def test_lines(chunks: list[bytes], expected: list[str]) -> None:
    assert all_lines(chunks) == expected


@given(st.lists(st.text("ab€\n", max_size=20)), st.integers(1, 7))
def test_chunks_make_no_difference(parts: list[str], size: int) -> None:
    raw = "".join(parts).encode()
    chunks = [raw[at : at + size] for at in range(0, len(raw), size)]
    expected = raw.decode().split("\n")
    if expected[-1] == "":
        expected.pop()
    assert all_lines(chunks) == expected


def test_a_bar_that_is_still_being_rewritten_gives_a_sample_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 50.0
    monkeypatch.setattr("runline.record.lines.monotonic", lambda: now_s)
    lines = Lines()
    assert lines.feed(b"1%\r2%\r3") == ["2%"]
    assert lines.feed(b"%\r4%\r") == []
    now_s += 1
    assert lines.feed(b"5%\r") == ["4%"]
    assert lines.feed(b"6%\r7%\n") == ["7%"]
    now_s += 1
    assert lines.feed(b" \r \r") == []
    assert lines.feed(b"z") == []
    assert lines.finish() == ["z"]


def test_of_a_long_line_the_beginning_is_kept_and_the_rest_counted() -> None:
    lines = Lines()
    for _ in range(40):
        assert lines.feed(b"x" * 65_536) == []
    (cut, after) = lines.feed(b"xyz\nafter\n")
    assert (len(cut), after) == (MAX_BYTES, "after")
    assert lines.cut == [(0, 40 * 65_536 + 3)]
    assert lines.feed(b"next\n") == ["next"]
    assert lines.cut == []


def test_a_long_line_may_be_the_last() -> None:
    lines = Lines()
    lines.feed(b"x" * (MAX_BYTES + 5))
    assert [len(line) for line in lines.finish()] == [MAX_BYTES]
    assert lines.cut == [(0, MAX_BYTES + 5)]
    assert lines.finish() == []


def test_a_long_line_may_be_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runline.record.lines.monotonic", lambda: 5.0)
    lines = Lines()
    lines.feed(b"x" * (MAX_BYTES + 5))
    assert [len(line) for line in lines.feed(b"yy\rnext")] == [MAX_BYTES]
    assert lines.cut == [(0, MAX_BYTES + 7)]
    lines.feed(b"x" * (MAX_BYTES + 5))
    assert lines.feed(b"yy\rnext") == []
    assert lines.cut == []
