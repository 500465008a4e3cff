from __future__ import annotations

import os
import pty
import threading
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from runline.cli.shown import Screen


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Both ends of a terminal that changes nothing in what goes through it."""
    leader, follower = pty.openpty()
    tty.setraw(follower)
    yield leader, follower
    os.close(leader)
    os.close(follower)


def test_it_knows_whether_the_last_line_ended(terminal: tuple[int, int]) -> None:
    leader, follower = terminal
    screen = Screen()
    with open(follower, "wb", closefd=False) as stream:
        shown = screen.of(stream)
        assert shown is not None
        assert screen.at_line_start
        for chunk, at_line_start in ((b"one", False), (b"", False), (b" two\n", True), (b"", True)):
            assert shown.write(chunk) == len(chunk)
            assert screen.at_line_start is at_line_start
    got = b""
    while len(got) < len(b"one two\n"):
        got += os.read(leader, 100)
    assert got == b"one two\n"


def test_a_terminal_that_does_not_block_gets_everything(terminal: tuple[int, int]) -> None:
    leader, follower = terminal
    os.set_blocking(follower, False)
    text = b"x" * 200_000
    got = bytearray()

    def reader() -> None:
        while len(got) < len(text):
            got.extend(os.read(leader, 65536))

    with open(follower, "wb", closefd=False) as stream:
        shown = Screen().of(stream)
        assert shown is not None
        thread = threading.Thread(target=reader)
        thread.start()
        shown.write(text)
        thread.join()
    assert bytes(got) == text


def test_what_is_no_terminal_is_left_as_it_is(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as stream:
        assert Screen().of(stream) is None
