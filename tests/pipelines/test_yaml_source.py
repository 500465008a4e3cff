"""YAML with lines: what is read, and every file that must be refused without harm."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runline.pipelines.yaml_source import MOST_BYTES, BadYaml, Node, read_yaml
from runline.testing.corpus import BAD_TEXTS


def plain(text: str) -> Any:
    return read_yaml(text.encode()).plain()


def refused(content: str | bytes) -> BadYaml:
    with pytest.raises(BadYaml) as caught:
        read_yaml(content.encode() if isinstance(content, str) else content)
    return caught.value


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("yes", "yes"),
        ("on", "on"),
        ("no", "no"),
        ("1:30", "1:30"),
        ("2026-11-20", "2026-11-20"),
        ("0123", 123),
        ("0o17", 15),
        ("0x1F", 31),
        ("+3", 3),
        ("-9223372036854775808", -(2**63)),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("1.2.3", "1.2.3"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ('"7"', "7"),
        ("'true'", "true"),
        ("!!str 7", "7"),
        ("! 7", "7"),
        ("!!int 7", 7),
        ("!!float 7.5", 7.5),
        ("!!null ~", None),
        ("!!bool true", True),
        ("!!map {}", {}),
        ("!!seq []", []),
    ],
)
def test_scalars_follow_the_core_schema(written: str, value: object) -> None:
    read = plain(f"k: {written}")["k"]
    assert read == value and type(read) is type(value)


def test_an_empty_file_is_nothing() -> None:
    assert read_yaml(b"") == Node(None, 1)
    assert plain("# only a comment\n") is None


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_yaml(b"\xef\xbb\xbfk: v\r\n").plain() == {"k": "v"}


def test_every_value_and_every_key_know_their_line() -> None:
    root = read_yaml(b"a: 1\nb:\n  - x\n  - c:\n      |\n      text\n")
    assert isinstance(root.value, dict)
    assert root.lines == {"a": 1, "b": 2}
    items = root.value["b"].value
    assert isinstance(items, list)
    assert [item.line for item in items] == [3, 4]
    assert items[1].lines == {"c": 4}


def test_aliases_and_merges() -> None:
    text = """
    base: &base {a: 1, b: 2}
    more: &more {b: 3, c: 4}
    name: &name key
    one: {<<: *base, b: 5}
    both: {<<: [*base, *more], d: *name}
    *name : value
    quoted: {"<<": x}
    """
    read = plain(text)
    assert read["one"] == {"b": 5, "a": 1}
    assert read["both"] == {"a": 1, "b": 2, "c": 4, "d": "key"}
    assert read["key"] == "value"
    assert read["quoted"] == {"<<": "x"}


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("a: 1\na: 2\n", 2, "stands twice in this map, first on line 1"),
        ("a: {<<: {}, <<: {}}", 1, "stands twice"),
        ("a:\n  b: !!python/object/apply:os.system ['id']", 2, "!!python/object/apply:os.system"),
        ("a: !!python/name:os.system x", 1, "is not accepted here"),
        ("a: !Custom {b: 1}", 1, "!Custom"),
        ("a: !!set {b}", 1, "!!set"),
        ("a: !!binary aGk=", 1, "!!binary"),
        ("a: !!timestamp 2026-11-20", 1, "!!timestamp"),
        ("a: !!int x", 1, "!!int"),
        ("a: 1\n---\nb: 2\n", 2, "a second document"),
        ("a: &x [1, *x]", 1, "contains itself"),
        ("a: *nowhere", 1, "stands for nothing above it"),
        ("? [a]\n: 1", 1, "a key must be a text"),
        ("a: &x [1]\n*x : 1", 2, "a key must be a text"),
        ("a: {<<: 7}", 1, "<< takes in a map"),
        ("a: {<<: [{}, 7]}", 1, "<< takes in a map"),
        ("a: 9223372036854775808", 1, "64 bits"),
        ("a: " + "9" * 4_301, 1, "64 bits"),
        ("a: 1e999", 1, "too large"),
        ("a: .nan", 1, "not a number that JSON has"),
        ("a: -.inf", 1, "not a number that JSON has"),
        ('a: "\\0"', 1, "a NUL"),
        ("a: [1, 2", 1, "not YAML"),
        ("a: b: c", 1, "not YAML"),
        ("a:\n\t- b", 2, "not YAML"),
        ("@x", 1, "not YAML"),
    ],
)
def test_what_is_refused_names_its_line(text: str, line: int, told: str) -> None:
    error = refused(text)
    assert told in error.message
    assert error.line == line


def test_bytes_that_are_no_text_are_refused() -> None:
    assert refused(b"a: 1\nb: \xff\n").line == 2
    assert "UTF-8" in refused("a: b".encode("utf-16")).message
    assert "control character" in refused(b"a: \0b").message
    assert "1 MiB" in refused(b"#" * (MOST_BYTES + 1)).message


def test_depth_is_bounded_also_through_aliases() -> None:
    assert "nested deeper" in refused("[" * 100_000).message
    assert "nested deeper" in refused("- " * 70 + "x").message
    deep = "[" * 40 + "1" + "]" * 40
    assert "nested deeper" in refused(f"a: &a {deep}\nb: {'[' * 40}*a{']' * 40}").message


def test_a_billion_laughs_are_refused_before_they_are_told() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    assert "100,000 values" in refused("\n".join(lines)).message


def test_a_large_file_is_read_or_refused_soon() -> None:
    began_s = time.process_time()
    assert "values" in refused("[" + "1," * (MOST_BYTES // 2 - 2) + "]").message
    assert len(plain("k: " + "x" * (MOST_BYTES - 10))["k"]) > 1_000_000
    assert time.process_time() - began_s < 20  # a guard against growth by the square, not a figure


@pytest.mark.parametrize("text", BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_odd_texts_are_read_or_refused(text: str) -> None:
    with suppress(BadYaml):
        assert read_yaml(f"key: {text}\n{text}: value".encode("utf-8", "surrogatepass")).value


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with suppress(BadYaml):
        assert isinstance(read_yaml(content), Node)


@given(st.text(alphabet="ab:-[]{}&*<!|>'\"\n #,?0.", max_size=60))
def test_any_syntax_is_read_or_refused(text: str) -> None:
    with suppress(BadYaml):
        msgspec.json.encode(plain(text))
