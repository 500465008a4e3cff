"""A file as an answer: whole, or broken off; closed whatever happens."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runline.model.errors import Invalid
from runline.server import file_answer
from runline.server.file_answer import FileAnswer


class Exchange:
    """The two sides of an answer. `says`: what the client sends besides waiting; an error is raised."""

    def __init__(self, answer: FileAnswer, *, says: list[Any]) -> None:
        self.answer = answer
        self.says = says
        self.sent: list[dict[str, Any]] = []

    async def receive(self) -> Any:
        if not self.says:
            await asyncio.Event().wait()
        said = self.says.pop(0)
        if isinstance(said, Exception):
            raise said
        return said

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        await asyncio.sleep(0)

    def run(self) -> None:
        asyncio.run(self.answer.to_asgi_response()({}, self.receive, self.send))  # type: ignore[arg-type]

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def answer_of(path: Path, content: bytes) -> FileAnswer:
    path.write_bytes(content)
    return FileAnswer(path.open("rb"), 'a "b"\r\n.txt', media_type="text/plain")


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 600_000])
def test_it_is_sent_whole(tmp_path: Path, content: bytes) -> None:
    answer = answer_of(tmp_path / "a", content)
    exchange = Exchange(answer, says=[{"type": "http.request", "body": b"", "more_body": False}])
    exchange.run()
    assert exchange.body == content
    assert [message.get("more_body") for message in exchange.sent][-1] is False
    headers = dict(exchange.sent[0]["headers"])
    assert headers[b"content-length"] == str(len(content)).encode()
    assert headers[b"content-disposition"] == b"attachment; filename*=UTF-8''a%20%22b%22%0D%0A.txt"
    assert answer._file.closed


def test_a_body_that_nobody_asked_for_changes_nothing(tmp_path: Path) -> None:
    exchange = Exchange(answer_of(tmp_path / "a", b"text"), says=[Invalid("not JSON")])
    exchange.run()
    assert exchange.body == b"text"


def test_a_client_that_is_gone_is_sent_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_answer, "_PIECE_BYTES", 10)
    answer = answer_of(tmp_path / "a", b"x" * 10_000)
    exchange = Exchange(answer, says=[{"type": "http.disconnect"}])
    exchange.run()
    assert len(exchange.body) < 10_000
    assert answer._file.closed


def test_a_file_that_became_shorter_is_broken_off(tmp_path: Path) -> None:
    answer = answer_of(tmp_path / "a", b"x" * 300_000)
    (tmp_path / "a").write_bytes(b"short")
    with pytest.raises(OSError, match="became shorter"):
        Exchange(answer, says=[]).run()
    assert answer._file.closed


def test_a_file_that_grows_is_sent_as_it_was_promised(tmp_path: Path) -> None:
    answer = answer_of(tmp_path / "a", b"12345")
    (tmp_path / "a").write_bytes(b"1234567890")
    exchange = Exchange(answer, says=[])
    exchange.run()
    assert exchange.body == b"12345"
