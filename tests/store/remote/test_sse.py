from __future__ import annotations

import pytest

from runline.store.remote.sse import Frame, frames

STREAM = (
    b'retry: 3000\n\n: still here\n\nid: 7\nevent: x\ndata: {"a":1}\n\n'
    b"data:one\ndata: two\n\nid: c2\n: caught up\n\nid: 9\ndata: cut o"
)
READ = [
    Frame("", None, "still here"),
    Frame("7", b'{"a":1}'),
    Frame("7", b"one\ntwo"),
    Frame("c2", None, "caught up"),
]


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_frames_are_found_however_the_bytes_come(size: int) -> None:
    assert list(frames(STREAM[at : at + size] for at in range(0, len(STREAM), size))) == READ
