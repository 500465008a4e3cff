"""YAML as plain data that knows its lines: maps, lists, texts, numbers, true, false and null; nothing else.

PyYAML's parser gives the events (libyaml's, where it is built in), and the tree is put together here, because
its own loaders forget lines, take the last of two equal keys and read `no`, `on`, `1:30` and `2026-11-20` as
something else than text. Plain scalars follow the core schema of YAML 1.2, as Wave's do. An alias shares its
node instead of copying it, and a node's size counts what its aliases stand for, so that nine lines of nested
aliases are refused instead of becoming a billion values.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any, cast

import yaml
from msgspec import Struct, field

Scalar = str | int | float | bool | None
MOST_BYTES = 1024 * 1024
MOST_DEPTH = 64
MOST_VALUES = 100_000
_MOST_DIGITS = 20
_LEAST, _TOO_LARGE = -(2**63), 2**63
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MERGE = "<<"
_TAG = "tag:yaml.org,2002:"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NO_NUMBER = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_TYPE_NAMES: dict[type, str] = {type(None): "null", bool: "bool", int: "int", float: "float"}
_UNUSABLE = re.compile("[\0\ud800-\udfff]")


class BadYaml(Exception):
    """A file that cannot be read; the line is counted from 1, 0 when it is about the whole file."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class Node(Struct):
    """A value and where it begins. `lines` has, of a map, the line of each key."""

    value: Scalar | list[Node] | dict[str, Node]
    line: int
    lines: dict[str, int] = field(default_factory=dict)
    size: int = 1
    depth: int = 1

    def plain(self) -> Any:
        """The value without its lines, as JSON has it."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value


class _Open(Struct):
    """A map or list whose end has not come yet; of a map, the key that waits for its value."""

    node: Node
    anchor: str | None
    key: str | None = None
    merging: bool = False
    """The key that waits is a plain `<<`: the value's entries become this map's, its own first."""
    merged: list[Node] | None = None


def read_yaml(content: bytes) -> Node:
    """The one document of a file; of an empty file a node with None. Raises BadYaml."""
    if len(content) > MOST_BYTES:
        raise BadYaml(0, "the file is larger than 1 MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadYaml(line, "this is not UTF-8; save the file as UTF-8") from error
    try:
        return _Composer().compose(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        told = ", ".join(part for part in (error.context, error.problem) if part)
        line = min(mark.line, text.rstrip().count("\n")) + 1 if mark else 0
        raise BadYaml(line, f"this is not YAML: {told}") from error
    except yaml.YAMLError as error:
        # The reader knows a position, and what it does not print it cannot place on a line.
        raise BadYaml(0, "the file holds a control character that YAML does not allow") from error


class _Composer:
    """Puts one document together from the parser's events."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[_Open] = []
        self._anchors: dict[str, Node] = {}

    def compose(self, text: str) -> Node:
        documents = 0
        events: Iterable[Any] = yaml.parse(text, Loader=_LOADER)
        for event in events:
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise BadYaml(line, "a second document begins here; a file holds one")
            elif isinstance(event, yaml.ScalarEvent):
                self._scalar(event, line)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(str(event.anchor), line)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._begin(event, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                opened = self._open.pop()
                self._add(_closed(opened), opened.anchor)
        return self.root or Node(None, 1)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        text = event.value
        if _UNUSABLE.search(text):
            raise BadYaml(line, "this text holds a NUL or a lone surrogate, which nothing can be given")
        if self._awaits_key():
            self._key(text, line, merge=text == _MERGE and event.implicit[0])
        else:
            self._add(Node(_resolved(event, text, line), line), event.anchor)

    def _alias(self, name: str, line: int) -> None:
        node = self._anchors.get(name)
        if node is None:
            raise BadYaml(line, f"*{name} stands for nothing above it, or for a value that contains itself")
        if self._awaits_key():
            if not isinstance(node.value, str):
                raise BadYaml(line, "a key must be a text")
            self._key(node.value, line, merge=False)
        else:
            self._add(node, None)

    def _begin(self, event: Any, line: int) -> None:
        if self._awaits_key():
            raise BadYaml(line, "a key must be a text, not a map or a list")
        if len(self._open) >= MOST_DEPTH:
            raise BadYaml(line, f"this is nested deeper than {MOST_DEPTH} levels")
        is_map = isinstance(event, yaml.MappingStartEvent)
        _check_tag(event.tag, "map" if is_map else "seq", line)
        self._open.append(_Open(Node({} if is_map else [], line), event.anchor))

    def _awaits_key(self) -> bool:
        return bool(self._open) and isinstance(self._open[-1].node.value, dict) and self._open[-1].key is None

    def _key(self, key: str, line: int, *, merge: bool) -> None:
        opened = self._open[-1]
        before = opened.node.lines.get(key)
        if before is not None:
            raise BadYaml(line, f"{key[:60]!r} stands twice in this map, first on line {before}")
        opened.key, opened.merging = key, merge
        opened.node.lines[key] = line

    def _add(self, node: Node, anchor: str | None) -> None:
        if anchor is not None:
            self._anchors[anchor] = node
        if not self._open:
            self.root = node
            return
        opened = self._open[-1]
        into = opened.node
        into.size += node.size
        into.depth = max(into.depth, node.depth + 1)
        if into.size > MOST_VALUES:
            raise BadYaml(node.line, f"the file stands for more than {MOST_VALUES:,} values")
        if into.depth > MOST_DEPTH:
            raise BadYaml(node.line, f"this is nested deeper than {MOST_DEPTH} levels")
        if isinstance(into.value, list):
            into.value.append(node)
            return
        key, opened.key = cast("str", opened.key), None
        if opened.merging:
            opened.merged = _maps(node, into.lines[key])
        else:
            cast("dict[str, Node]", into.value)[key] = node


def _maps(node: Node, line: int) -> list[Node]:
    """What `<<` takes in: a map, or a list of maps of which the earlier ones win."""
    found = node.value if isinstance(node.value, list) else [node]
    if not all(isinstance(one.value, dict) for one in found):
        raise BadYaml(line, "<< takes in a map or a list of maps")
    return found


def _closed(opened: _Open) -> Node:
    node = opened.node
    if opened.merged is None:
        return node
    del node.lines[_MERGE]
    own = cast("dict[str, Node]", node.value)
    for other in opened.merged:
        for key, value in cast("dict[str, Node]", other.value).items():
            if key not in own:
                own[key] = value
                node.lines[key] = other.lines[key]
    return node


def _check_tag(tag: str | None, wanted: str, line: int) -> None:
    if tag not in (None, "!", _TAG + wanted):
        raise BadYaml(line, f"the tag {_short(tag)} is not accepted here; write plain values")


def _resolved(event: yaml.ScalarEvent, text: str, line: int) -> Scalar:
    """The value of a scalar: only an untagged plain one is anything but text."""
    if event.tag is None:
        return _plain(text, line) if event.implicit[0] else text
    if event.tag in ("!", f"{_TAG}str"):
        return text
    value = _plain(text, line)
    if event.tag != f"{_TAG}{_TYPE_NAMES.get(type(value))}":
        raise BadYaml(line, f"the tag {_short(event.tag)} is not accepted here; write plain values")
    return value


def _plain(text: str, line: int) -> Scalar:
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INT.fullmatch(text):
        number = int(text, 0 if text[:2] in ("0o", "0x") else 10) if len(text) <= _MOST_DIGITS else _TOO_LARGE
        if not _LEAST <= number < _TOO_LARGE:
            raise BadYaml(line, "this whole number does not fit in 64 bits; quote it to keep its digits")
        return number
    if _FLOAT.fullmatch(text):
        real = float(text)
        if math.isfinite(real):
            return real
        raise BadYaml(line, "this number is too large; quote it to keep its digits")
    if _NO_NUMBER.fullmatch(text):
        raise BadYaml(line, f"{text} is not a number that JSON has; quote it if it is a text")
    return text


def _short(tag: str | None) -> str:
    return str(tag).replace(_TAG, "!!")[:60]
