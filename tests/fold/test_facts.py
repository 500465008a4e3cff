from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.fold import facts as read
from runline.fold.facts import Figures, StepFacts
from runline.model.clock import MAX_MS, MIN_MS

DECODER = msgspec.json.Decoder(StepFacts)
ODD: tuple[Any, ...] = (
    None,
    "",
    "x",
    True,
    False,
    -1,
    1.5,
    math.nan,
    math.inf,
    -math.inf,
    [],
    {},
    [1],
    2**70,
)


def test_keys_are_read_and_the_rest_is_passed_over() -> None:
    said = read.read_facts(DECODER, '{"other":{"deep":[1]},"persona":"p","tokens_used":3}')
    assert (said.persona, said.tokens_used, said.model) == ("p", 3, None)


@pytest.mark.parametrize(
    "payload", ["", "{", "[]", "3", '{"a":1}x', '"\ud800"', '{"persona":' + "[" * 100_000, "\0"]
)
def test_a_payload_that_is_no_object_says_nothing(payload: str) -> None:
    assert read.read_facts(DECODER, payload) == StepFacts()


def test_a_count_is_a_whole_number_in_range() -> None:
    assert [read.count(value, 5) for value in (0, 5, 3.0, 6)] == [0, 5, 3, None]
    assert [read.count(value) for value in ODD] == [None] * len(ODD)


def test_a_percentage_is_cut_to_its_range() -> None:
    assert [read.percent(value) for value in (0, 41.9, 100, 150, -0.1)] == [0, 41, 100, 100, None]
    assert [read.percent(value) for value in (True, "40", None, math.nan, math.inf)] == [None] * 5


def test_texts_and_names_are_cut() -> None:
    assert read.text("x" * 5000) == "x" * 2000
    assert read.name("x" * 5000) == "x" * 200
    assert [read.text(value) for value in (3, " ", None)] == [None] * 3
    assert [read.name(value) for value in (3, " ", None)] == [None] * 3


def test_names_are_the_strings_of_a_list() -> None:
    assert read.names(["b", "a", 3, "b", ""]) == ("b", "a")
    assert read.names("ab") == ()
    assert len(read.tags([str(n) for n in range(300)])) == 100


def test_an_error_is_text_or_an_object() -> None:
    assert read.error_text("boom") == "boom"
    assert read.error_text({"message": "boom", "name": "E"}) == "boom"
    assert read.error_text({"name": "E"}) == "E"
    assert [read.error_text(odd) for odd in (dict[str, str](), 3, None)] == [None] * 3


def test_an_instant_is_milliseconds_or_iso() -> None:
    assert read.instant_ms("1970-01-01T00:00:01Z") == 1000
    assert [read.instant_ms(value) for value in (MIN_MS, MAX_MS)] == [MIN_MS, MAX_MS]
    assert [read.instant_ms(value) for value in (MAX_MS + 1, "soon", True, 1.5, None)] == [None] * 5


def test_tokens_used_is_given_or_the_sum_of_both_ways() -> None:
    assert read.tokens(Figures()) == (None, 0, 0)
    assert read.tokens(Figures(tokens_used=5, tokens_in=9)) == (5, 9, 0)
    assert read.tokens(Figures(tokens_in=2)) == (2, 2, 0)
    assert read.tokens(Figures(tokens_out=3)) == (3, 0, 3)
    assert read.tokens(Figures(tokens_used="abc")) == (None, 0, 0)
    assert read.tokens(Figures(tokens_used=read.MOST_TOKENS + 1)) == (None, 0, 0)


@given(st.text(), st.sampled_from(ODD))
def test_no_reader_raises(text: str, odd: Any) -> None:
    value: Any
    for value in (text, odd):
        for reader in (
            read.count,
            read.percent,
            read.text,
            read.name,
            read.names,
            read.error_text,
            read.instant_ms,
        ):
            reader(value)
