"""Reading one map: every wrong value is a problem at its line, and reads as absent."""

from __future__ import annotations

import pytest

from runline.pipelines.fields import Fields
from tests.pipelines.conftest import MakeFields


def told(fields: Fields) -> list[str]:
    return [f"{one.severity} {one.line} {one.message}" for one in fields.problems.found]


def test_values_are_read(fields_of: MakeFields) -> None:
    fields = fields_of(
        """
        text: hello
        figure: 1.5
        name: build-all
        word: linear
        flag: true
        whole: 3
        span: 1m 30s
        seconds: 90
        one: alone
        many: [a, b]
        argv: [make, -j, 4]
        env: {A: x, B: 7}
        any: {a: [1, null]}
        nothing:
        """
    )
    assert fields.text("text") == "hello"
    assert fields.text("figure") == "1.5"
    assert fields.name("name") == "build-all"
    assert fields.word("word", ("fixed", "linear")) == "linear"
    assert fields.word("absent", ("fixed",)) is None
    assert fields.flag("flag") is True
    assert fields.flag("absent") is False
    assert fields.whole("whole", least=0, most=9) == 3
    assert fields.number("absent", least=0, most=9) is None
    assert fields.span_s("span") == 90
    assert fields.span_s("seconds") == 90
    assert fields.span_s("absent") is None
    assert fields.texts("one") == ("alone",)
    assert fields.texts("many") == ("a", "b")
    assert fields.arguments("argv") == ("make", "-j", "4")
    assert fields.variables("env") == {"A": "x", "B": "7"}
    assert fields.plain("any") == {"a": [1, None]}
    assert fields.text("nothing") is None and "nothing" not in fields
    assert fields.section("nothing") is None
    assert [node.line for node in fields.items("many")] == [11, 11]
    assert fields.items("nothing") == [] and fields.texts("nothing") == ()
    assert fields.arguments("nothing") == () and fields.variables("nothing") == {}
    assert list(fields.named("nothing", "thing")) == []
    fields.finish()
    assert told(fields) == []


@pytest.mark.parametrize(
    ("text", "read", "problem"),
    [
        ("a: [1]", lambda f: f.text("a"), "`a` must be a text, not a list"),
        ("a: true", lambda f: f.text("a"), "`a` must be a text, not true or false"),
        ("a: ' '", lambda f: f.text("a"), "`a` is blank"),
        ("b: 1", lambda f: f.text("a", required=True), "`a` is missing"),
        ("a: x/{{ input }}", lambda f: f.fixed("a"), "`a` takes no {{ … }}"),
        ("a: ../x", lambda f: f.name("a"), "`a` '../x' must begin with a letter"),
        ("a: liner", lambda f: f.word("a", ("linear",)), "none of linear; did you mean 'linear'?"),
        ("a: yes", lambda f: f.flag("a"), "`a` must be true or false, not a text"),
        ("a: x", lambda f: f.number("a", least=0, most=9), "`a` must be a number, not a text"),
        ("a: true", lambda f: f.number("a", least=0, most=9), "not true or false"),
        ("a: 10", lambda f: f.number("a", least=0, most=9), "`a` 10 is not between 0 and 9"),
        ("a: 1.5", lambda f: f.whole("a", least=0, most=9), "`a` 1.5 is not a whole number"),
        ("a: soon", lambda f: f.span_s("a"), "`a`: 'soon' is not a duration"),
        ("a: 8d", lambda f: f.span_s("a"), "longer than a week"),
        ("a: [x, 7]", lambda f: f.texts("a"), "`a` must be a list of texts"),
        ("a: {}", lambda f: f.texts("a"), "`a` must be a list of texts"),
        ("a: make", lambda f: f.arguments("a"), "the program, then its arguments"),
        ("a: []", lambda f: f.arguments("a"), "the program, then its arguments"),
        ("a: [x, [y]]", lambda f: f.arguments("a"), "the program, then its arguments"),
        ("a: ['', x]", lambda f: f.arguments("a"), "the program, then its arguments"),
        ("a: [x, '{{ input }}']", lambda f: f.arguments("a"), "a command line takes no {{ … }}"),
        ("a: {1B: x}", lambda f: f.variables("a"), "'1B' is no name of an environment variable"),
        ("a: {B: [x]}", lambda f: f.variables("a"), "`B` must be a text"),
        ("a: {B: '{{ input }}'}", lambda f: f.variables("a"), "`B` takes no"),
        ("a: [x]", lambda f: f.variables("a"), "it: `a` must be a map, not a list"),
        ("a: 7", lambda f: list(f.section("a")), "it: `a` must be a map, not a number"),
        ("a: {'b c': {}}", lambda f: list(f.named("a", "thing")), "'b c' must begin with a letter"),
        ("a: x", lambda f: f.items("a"), "`a` must be a list, not a text"),
    ],
)
def test_a_wrong_value_is_an_error_and_absent(
    fields_of: MakeFields, text: str, read: object, problem: str
) -> None:
    assert callable(read)
    fields = fields_of(f"#\n{text}\n")
    assert not read(fields)
    (one,) = told(fields)
    assert one.startswith("error 2 ") and problem in one


def test_what_is_no_map_is_an_error(fields_of: MakeFields) -> None:
    assert told(fields_of("- a")) == ["error 1 it must be a map, not a list"]
    assert told(fields_of("")) == []


def test_named_maps(fields_of: MakeFields) -> None:
    fields = fields_of("things: {a: {x: 1}, b: }")
    assert [(name, one.where, list(one)) for name, one in fields.named("things", "thing")] == [
        ("a", "thing 'a'", ["x"]),
        ("b", "thing 'b'", []),
    ]


def test_keys_that_nobody_asked_for_are_named_with_the_nearest(fields_of: MakeFields) -> None:
    fields = fields_of("dependancies: [a]\nzzz: 1\nold: 1\nquiet: 1\n")
    fields.texts("dependencies")
    fields.unused("old", "older")
    fields.passed_over("quiet")
    fields.finish()
    assert told(fields) == [
        "warning 3 it: `old` is read and not acted on",
        "warning 1 it: unknown key 'dependancies' is ignored; did you mean 'dependencies'?",
        "warning 2 it: unknown key 'zzz' is ignored",
    ]
    fields.warning("zzz", "again")
    assert told(fields)[-1] == "warning 2 it: again"
