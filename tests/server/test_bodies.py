"""Bodies: read into a struct or refused by field, whatever is sent."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from runline.model.errors import Invalid
from runline.server.bodies import read_json
from runline.server.errors import problem
from runline.testing import corpus
from tests.model.wire.structs import JSON


class Inner(Struct, frozen=True, forbid_unknown_fields=True):
    id: str


class Body(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    labels: tuple[str, ...] | None = None
    count: Annotated[int, Meta(ge=0)] | None = None
    inner: Inner | None = None
    input: Any = None


def refused(body: bytes) -> Invalid:
    with pytest.raises(Invalid) as told:
        read_json(body, Body)
    return told.value


def trouble(body: bytes) -> Invalid | None:
    try:
        read_json(body, Body)
    except Invalid as error:
        return error
    return None


def test_a_body_becomes_the_struct() -> None:
    read = read_json(b'{"name":"x","labels":["a"],"inner":{"id":"i"},"input":[1,{"a":null}]}', Body)
    assert read == Body("x", ("a",), None, Inner("i"), [1, {"a": None}])


class Optional(Struct, frozen=True):
    force: bool = False


def test_no_body_is_an_empty_object() -> None:
    assert read_json(b"", Optional) == Optional()


@pytest.mark.parametrize(
    ("body", "fields", "sentence"),
    [
        (b'{"name":1}', {"name": "expected str, got int."}, "name: expected str, got int."),
        (b'{"name":null}', {"name": "expected str, got null."}, "name: expected str, got null."),
        (b"{}", {"name": "missing"}, "The field 'name' is missing."),
        (
            b'{"name":"x","lables":[]}',
            {"lables": "unknown"},
            "There is no field 'lables'; did you mean 'labels'?",
        ),
        (
            b'{"name":"x","zzz":1}',
            {"zzz": "unknown"},
            "There is no field 'zzz'; there are name, labels, count, inner, input.",
        ),
        (
            b'{"name":"x","labels":"a"}',
            {"labels": "expected array | null, got str."},
            "labels: expected array | null, got str.",
        ),
        (
            b'{"name":"x","labels":["a",2]}',
            {"labels[1]": "expected str, got int."},
            "labels[1]: expected str, got int.",
        ),
        (b'{"name":"x","count":-1}', {"count": "expected int >= 0."}, "count: expected int >= 0."),
        (
            b'{"name":"x","count":1e999}',
            {"count": "expected int | null, got float."},
            "count: expected int | null, got float.",
        ),
        (b'{"name":"x","inner":{"id":"i","b":1}}', {"inner.b": "unknown"}, "There is no field 'b' in inner."),
        (b'{"name":"x","inner":{}}', {"inner.id": "missing"}, "The field 'inner.id' is missing."),
    ],
)
def test_what_is_wrong_is_told_by_field(body: bytes, fields: dict[str, str], sentence: str) -> None:
    error = refused(body)
    assert (error.code, error.fields, error.message) == ("bad_field", fields, sentence)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"[]", "The body is not what this route takes: expected object, got array."),
        (b'"x"', "The body is not what this route takes: expected object, got str."),
        (b"null", "The body is not what this route takes: expected object, got null."),
        (b"{", "The body is not JSON: "),
        (b'{"name":"x"} x', "The body is not JSON: "),
        (b'{"name":"\xff"}', "The body is not JSON: "),
        (
            b'{"name":"x","input":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            "The body is not JSON: it is nested too",
        ),
    ],
)
def test_what_is_no_object_is_told_as_a_whole(body: bytes, sentence: str) -> None:
    error = refused(body)
    assert (error.code, error.fields) == ("bad_json", {})
    assert error.message.startswith(sentence)
    assert error.message.endswith(".")


def test_a_long_unknown_name_is_cut() -> None:
    assert len(refused(b'{"name":"x","' + b"z" * 10_000 + b'":1}').message) < 200


@pytest.mark.parametrize("number", [b"NaN", b"1e999", b"-Infinity", b"9" * 5000, b'"\\ud800"'])
def test_what_only_a_lenient_reader_takes_is_read_for_the_store_to_keep_in_its_form(number: bytes) -> None:
    assert read_json(b'{"name":"x","input":{"n":' + number + b"}}", Body).name == "x"


@pytest.mark.parametrize("document", corpus.BAD_JSON.values(), ids=corpus.BAD_JSON)
def test_every_bad_document_is_read_or_refused_in_words_that_can_be_sent(document: bytes) -> None:
    for body in (document, b'{"name":"x","input":' + document + b"}"):
        error = trouble(body)
        assert error is None or msgspec.json.decode(problem(error, "/api/runs")[2])["code"] == error.code


@pytest.mark.parametrize("document", [b'{"name":"x","labels":["a"],"count":1,"input":{"a":[1.5,null]}}'])
def test_a_truncated_body_is_refused(document: bytes) -> None:
    for piece in corpus.truncated(document):
        assert refused(piece).code in ("bad_json", "bad_field")


@given(st.dictionaries(st.text(), JSON, max_size=3))
def test_any_object_is_read_or_refused(value: dict[str, Any]) -> None:
    body = msgspec.json.encode(value)
    error = trouble(body)
    if error is None:
        assert read_json(body, Body).name == value["name"]
    else:
        assert error.message.endswith((".", "?"))
        assert error.status == 400


@given(st.text(), st.text())
def test_a_name_that_looks_like_something_else_does_no_harm(name: str, value: str) -> None:
    hostile = {f"{name}` - at `$.{value}": value, "name": "x"}
    assert set(refused(msgspec.json.encode(hostile)).fields.values()) == {"unknown"}
