from __future__ import annotations

import io
import os
import select
import threading
from pathlib import Path
from typing import IO, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.intake.accept import draft
from runline.record.output import Output, log_drafts


def piped(text: bytes) -> IO[bytes]:
    reading, writing = os.pipe()
    with os.fdopen(writing, "wb") as file:
        file.write(text)
    return os.fdopen(reading, "rb", buffering=0)


@given(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=50),
    st.integers(0, 2**42),
)
def test_a_line_in_bulk_is_what_draft_makes_of_it(line: str, ts_ms: int) -> None:
    (made,) = log_drafts([line], "stdout", ts_ms)
    if line.strip():
        assert made == draft("log", line, None, source="stdout", ts_ms=ts_ms)
    assert made.message == line


def test_output_is_shown_even_where_writing_would_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = b"x" * 300_000 + b"\n"
    source = os.fdopen(os.open(tmp_path / "text", os.O_RDWR | os.O_CREAT), "rb", buffering=0)
    (tmp_path / "text").write_bytes(text)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    seen = bytearray()

    def look() -> None:
        while chunk := os.read(reading, 4096):
            seen.extend(chunk)

    looking = threading.Thread(target=look)
    waited: list[Any] = []

    def wait_for_room(*sets: Any) -> Any:
        if not waited:
            looking.start()  # nobody looks before the pipe is full
        waited.append(sets)
        return real(*sets)

    real = select.select
    monkeypatch.setattr(select, "select", wait_for_room)
    with os.fdopen(writing, "wb", buffering=0) as sink:
        output = Output(source, sink, "stdout")
        while not output.ended:
            output.read()
        output.finish()
    looking.join()
    os.close(reading)
    assert bytes(seen) == text
    assert waited


def test_a_terminal_that_has_gone_does_not_end_recording() -> None:
    class Gone(io.BytesIO):
        def write(self, _: object) -> int:
            raise OSError("input/output error")

    output = Output(piped(b"a\nb"), Gone(), "stderr")
    assert [made.message for made in output.read()] == ["a"]
    assert not output.ended
    assert output.read() == []
    assert output.ended
    assert [(made.message, made.source) for made in output.finish()] == [("b", "stderr")]
    assert list(output.tail) == ["a", "b"]


def test_a_pipe_of_fixed_size_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError("too large")

    monkeypatch.setattr("runline.record.output.fcntl.fcntl", refuse)
    output = Output(piped(b"a\n"), io.BytesIO(), "stdout")
    assert [made.message for made in output.read()] == ["a"]
    output.finish()


def test_when_nobody_looks_any_more_reading_ends() -> None:
    class Closed(io.BytesIO):
        def write(self, _: object) -> int:
            raise BrokenPipeError

    output = Output(piped(b"a\nb"), Closed(), "stdout")
    assert [made.message for made in output.read()] == ["a"]
    assert output.ended
    assert [made.message for made in output.finish()] == ["b"]
