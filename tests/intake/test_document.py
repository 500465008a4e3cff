"""JSON from outside: what is read, and how a refusal says where."""

from __future__ import annotations

import math

import pytest

from runline.intake.document import json_lines, json_object, json_objects
from runline.model.errors import Invalid
from runline.testing.corpus import BAD_JSON, truncated

READ = {
    "utf-16",
    "byte order mark",
    "duplicate keys",
    "nan",
    "1e999",
    "minus zero",
    "long integer",
    "escaped nul",
    "lone surrogate",
    "cesu-8",
}
"""Of the corpus: what is one JSON object, taken leniently."""


@pytest.mark.parametrize("name", BAD_JSON)
def test_the_corpus_is_read_or_refused(name: str) -> None:
    body = BAD_JSON[name]
    if name in READ:
        assert repr(json_objects(body)) == repr([json_object(body)])  # NaN is not equal to itself
        return
    with pytest.raises((ValueError, RecursionError)):
        json_object(body)
    with pytest.raises(Invalid) as told:
        json_objects(body)
    assert told.value.code == "bad_json"
    assert told.value.message.startswith("The body is not")


def test_what_strict_json_cannot_say_is_kept() -> None:
    read = json_object(f'{{"a": NaN, "b": 1e999, "c": {"9" * 100}, "d": {"7" * 5_000}}}')
    assert math.isnan(read["a"])
    assert math.isinf(read["b"])
    assert read["c"] == int("9" * 100)
    assert read["d"] == "7" * 5_000


def test_an_object_or_an_array() -> None:
    assert json_objects(b'{"a":1}') == [{"a": 1}]
    assert json_objects(b'[{"a":1},{"b":NaN}]')[0] == {"a": 1}
    assert json_objects(b"[]") == []
    with pytest.raises(Invalid, match=r"at \$\[1\]"):
        json_objects(b"[{},3]")


def test_a_document_that_breaks_off_is_refused() -> None:
    for piece in truncated(b'[{"type":"log","data":{"n":[1,"x"]}}]'):
        with pytest.raises(Invalid):
            json_objects(piece)


def test_lines() -> None:
    assert json_lines(b"") == json_lines(b" \n\r\n") == []
    assert json_lines(b'{"a":1}\r\n\n{"b":2}') == [{"a": 1}, {"b": 2}]
    assert json_lines(b'{"a":1}\n\n{"b":"\\ud800"}\n') == [{"a": 1}, {"b": "\ud800"}]


@pytest.mark.parametrize("line", [b"3", b"{", b"[{}]", b'{"a":' + b"[" * 5_000, b"\xff"])
def test_a_line_that_is_no_object_is_named(line: bytes) -> None:
    with pytest.raises(Invalid) as told:
        json_lines(b'{"a":1}\n\n' + line + b'\n{"b":2}')
    assert (told.value.code, list(told.value.fields)) == ("bad_line", ["line 3"])
    assert told.value.message.startswith("Line 3 is not a JSON object: ")
