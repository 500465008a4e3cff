"""Query strings: every rule of contracts.md section 3 about parameters."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlencode

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from runline.model.clock import MAX_MS, MIN_MS, parse_instant, to_iso
from runline.model.errors import Invalid
from runline.server.errors import problem
from runline.server.parameters import about, flag, instant, limit, read_query, split, whole
from runline.testing import corpus

NOW_MS = parse_instant("2026-11-20T12:00:00Z")


class Query(Struct, kw_only=True, frozen=True):
    status: Annotated[tuple[str, ...], about("Statuses.", one_of=("failed", "completed"))] = ()
    tag: Annotated[tuple[str, ...], about("Tags.")] = ()
    order: Annotated[str, about("Order.", one_of=("asc", "desc"))] = "asc"
    q: Annotated[str | None, about("Filter.")] = None
    since: Annotated[int | None, instant("Since.")] = None
    limit: Annotated[int, limit("Page.", most=100)] = 25
    after: Annotated[int, whole("After.", floor=-1)] = -1
    any: Annotated[int | None, whole("Any.")] = None
    count: Annotated[bool, flag("Count.")] = False
    after_id: Annotated[int | None, whole("Id.", floor=0)] = msgspec.field(default=None, name="afterId")


class Needs(Struct, kw_only=True, frozen=True):
    run_id: Annotated[str, about("The run.")]


def read(query: str) -> Query:
    found = read_query(query.encode(), Query, NOW_MS)
    assert found is not None
    return found


def refused(query: str, into: type[Struct] | None = Query) -> Invalid:
    with pytest.raises(Invalid) as told:
        read_query(query.encode(), into, NOW_MS)
    assert told.value.code == "bad_parameter"
    return told.value


def test_nothing_given_is_the_defaults() -> None:
    assert read("") == Query()


def test_every_kind_of_value() -> None:
    asked = "status=failed&tag=a%20b&order=desc&q=level:error&since=24h&limit=7&after=3&any=-4&count=true&afterId=9"
    assert read(asked) == Query(
        status=("failed",),
        tag=("a b",),
        order="desc",
        q="level:error",
        since=NOW_MS - 86_400_000,
        limit=7,
        after=3,
        any=-4,
        count=True,
        after_id=9,
    )


@pytest.mark.parametrize(
    "query",
    [
        "status=failed,completed",
        "status=failed&status=completed",
        "status=failed,completed,failed",
        "status= failed , completed ",
        "status=,failed,,completed,",
    ],
)
def test_repeated_and_comma_separated_values_mean_any_of_them(query: str) -> None:
    assert read(query.replace(" ", "%20")).status == ("failed", "completed")


def test_a_comma_that_belongs_to_a_value_is_escaped() -> None:
    assert read("tag=" + quote("a\\,b,c")).tag == ("a,b", "c")


@given(
    st.lists(st.text().map(str.strip).filter(bool).filter(lambda t: "\0" not in t), min_size=1, max_size=5)
)
def test_any_texts_come_back_from_escaped_and_repeated_values(texts: list[str]) -> None:
    query = urlencode([("tag", text.replace(",", "\\,")) for text in texts])
    assert read(query).tag == tuple(dict.fromkeys(texts))


@pytest.mark.parametrize("query", ["status=", "status=,", "tag=&tag=", "q=", "since=", "since=%20", "order="])
def test_a_blank_text_is_as_good_as_absent(query: str) -> None:
    assert read(query) == Query()


@pytest.mark.parametrize("query", ["limit=", "after=", "afterId=%20"])
def test_a_blank_number_is_none(query: str) -> None:
    assert "whole number" in refused(query).message


@pytest.mark.parametrize(
    ("given", "most"), [("1", 1), ("100", 100), ("101", 100), ("1000000000", 100), ("9" * 40, 100)]
)
def test_a_limit_over_its_maximum_is_clamped(given: str, most: int) -> None:
    assert read(f"limit={given}").limit == most


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("limit=0", "limit is at least 1, not 0."),
        ("limit=-1", "limit is at least 1, not -1."),
        ("limit=abc", "limit is a whole number, not 'abc'."),
        ("limit=1.5", "limit is a whole number, not '1.5'."),
        ("limit=1e3", "limit is a whole number, not '1e3'."),
        ("limit=0x10", "limit is a whole number, not '0x10'."),
        ("limit=%D9%A3", "limit is a whole number, not '٣'."),
        ("limit=1%0A", "limit is a whole number, not '1\\n'."),
        ("limit=1_000", "limit is a whole number, not '1_000'."),
        ("limit=true", "limit is a whole number, not 'true'."),
        ("limit=1&limit=2", "limit is given 2 times; give it once."),
        ("after=-2", "after is at least -1, not -2."),
        ("afterId=-1", "afterId is at least 0, not -1."),
        ("order=up", "'up' is no order; one of asc, desc."),
        ("order=ASC", "'ASC' is no order; one of asc, desc."),
        ("order=asc,desc", "'asc,desc' is no order; one of asc, desc."),
        ("status=lost", "'lost' is no status; one of failed, completed."),
        ("status=failed,lost", "'lost' is no status; one of failed, completed."),
        ("count=maybe", "count is true or false, not 'maybe'."),
        ("q=a%00b", "q holds a NUL character."),
        ("tag=a%00b", "tag holds a NUL character."),
        ("since=yesterday", "'yesterday' is not a time; write an ISO time like"),
        ("since=24", "'24' is not a time; write an ISO time like"),
    ],
)
def test_a_wrong_value_is_refused_with_a_sentence(query: str, sentence: str) -> None:
    error = refused(query)
    assert error.message.startswith(sentence)
    assert error.fields == {query.partition("=")[0]: error.message}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("limt", "There is no parameter 'limt'; did you mean 'limit'?"),
        ("after_id", "There is no parameter 'after_id'; did you mean 'afterId'?"),
        ("STATUS1", "There is no parameter 'STATUS1'; this route takes after, afterId, any, count,"),
        ("", "There is no parameter ''; this route takes "),
    ],
)
def test_an_unknown_parameter_is_refused_with_a_suggestion(name: str, sentence: str) -> None:
    error = refused(f"{name}=1")
    assert error.message.startswith(sentence)
    assert list(error.fields) == [name]


def test_a_route_without_parameters_takes_none() -> None:
    assert refused("x=1", None).message == "There is no parameter 'x' here; this route takes none."
    assert read_query(b"", None, NOW_MS) is None


def test_a_name_of_somebody_else_passes() -> None:
    assert read_query(b"tenant=a&limit=3", Query, NOW_MS, more=("tenant",)) == Query(limit=3)
    with pytest.raises(Invalid, match="did you mean 'tenant'"):
        read_query(b"tennant=a", Query, NOW_MS, more=("tenant",))


def test_everything_that_is_wrong_is_told_at_once() -> None:
    error = refused("limit=0&order=up&nope=1")
    assert set(error.fields) == {"limit", "order", "nope"}
    assert all(sentence in error.message for sentence in error.fields.values())


def test_a_parameter_that_is_needed_is_missed() -> None:
    for query in (b"", b"run_id="):
        with pytest.raises(TypeError):
            read_query(query, Needs, NOW_MS)
    assert read_query(b"run_id=r", Needs, NOW_MS) == Needs(run_id="r")


@given(st.integers(-(10**39), 10**39))
def test_any_number_is_one_that_a_database_holds(number: int) -> None:
    found = read(f"any={number}").any
    assert found == max(-(2**62), min(number, 2**62))


@given(st.integers(MIN_MS, MAX_MS))
def test_an_instant_is_read_to_the_millisecond(ms: int) -> None:
    assert read(f"since={quote(to_iso(ms))}").since == ms


@pytest.mark.parametrize(
    ("given", "iso"),
    [
        ("2026-11-20T06:00:00Z", "2026-11-20T06:00:00Z"),
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        ("2026-11-20T06:00:00%2B02:00", "2026-11-20T04:00:00Z"),
        ("2026-11-20T06:00:00+02:00", "2026-11-20T04:00:00Z"),
        ("2026-11-20T06:00+0200", "2026-11-20T04:00:00Z"),
        ("2026-11-20T06:00:00.123+02:00", "2026-11-20T04:00:00.123Z"),
        ("2026-11-20+06:00", "2026-11-20T06:00:00Z"),
        ("90m", "2026-11-20T10:30:00Z"),
        ("1h+30m", "2026-11-20T10:30:00Z"),
        ("7d", "2026-11-13T12:00:00Z"),
    ],
)
def test_an_instant_is_iso_or_a_span_back_from_now(given: str, iso: str) -> None:
    assert read(f"since={given}").since == parse_instant(iso)


@pytest.mark.parametrize(
    ("given", "meant"),
    [("true", True), ("1", True), ("Yes", True), ("", True), ("false", False), ("0", False), ("no", False)],
)
def test_a_flag(given: str, meant: bool) -> None:
    assert read(f"count={given}").count is meant


@pytest.mark.parametrize("raw", [b"q=%ff", b"q=%ED%A0%80", "q=é".encode(), b"&".join([b"tag=a"] * 201)])
def test_what_is_no_query_string_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid, match="cannot be read") as told:
        split(raw)
    assert told.value.code == "bad_parameter"


def test_names_and_values_are_decoded_once() -> None:
    assert split(b"a=%2541&b=x+y&a=&c") == {"a": ["%41", ""], "b": ["x y"], "c": [""]}


@given(st.binary(max_size=60) | st.text("&=%+,;abclimitsqtagorder0123456789-", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_in_words_that_can_be_sent(raw: bytes) -> None:
    error = None
    try:
        read_query(raw, Query, NOW_MS)
    except Invalid as raised:
        error = raised
    assert error is None or msgspec.json.decode(problem(error, "/api/runs")[2])["error"] == error.message


@pytest.mark.parametrize("text", [t for t in corpus.BAD_TEXTS.values() if t.isprintable() or t.isascii()])
def test_bad_texts_are_texts(text: str) -> None:
    if "\0" in text:
        assert list(refused(urlencode({"q": text})).fields) == ["q"]
    else:
        assert read(urlencode({"q": text})).q == (text or None)


def test_a_list_has_an_end() -> None:
    assert len(read("tag=" + ",".join(map(str, range(1000)))).tag) == 1000
    assert "at most 1000 values, not 1001" in refused("tag=" + ",".join(map(str, range(1001)))).fields["tag"]
