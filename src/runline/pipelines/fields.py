"""One map of a file, read key by key, each value checked for its type.

Whatever is wrong becomes a problem and reads as absent, so that one file tells all its problems at once. What
nobody asked for is warned about by `finish`, with the key that it may have meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import NoneType
from typing import Any, TypeVar

from runline.model.durations import parse_span_ms
from runline.model.errors import Invalid
from runline.pipelines.problems import Problems, nearest, shown
from runline.pipelines.yaml_source import Node

Word = TypeVar("Word", bound=str)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_TEMPLATE = "{{"
_MOST_S = 7 * 86_400.0
_KINDS = {
    dict: "a map",
    list: "a list",
    str: "a text",
    bool: "true or false",
    int: "a number",
    float: "a number",
}


class Fields:
    """`where` names the map in sentences, like `step 'build'`."""

    def __init__(self, node: Node, where: str, problems: Problems) -> None:
        self.where = where
        self.problems = problems
        self.start = node.line
        self._asked: list[str] = []
        self._node = node
        if isinstance(node.value, dict):
            self._values = {key: value for key, value in node.value.items() if value.value is not None}
        else:
            self._values = {}
            if node.value is not None:
                problems.error(node.line, f"{where} must be a map, not {kind_of(node)}")

    def __contains__(self, key: str) -> bool:
        return key in self._values

    def line(self, key: str) -> int:
        """Where the key stands; where the map begins, when it has none."""
        return self._node.lines.get(key, self.start)

    def error(self, key: str, message: str) -> None:
        self.problems.error(self.line(key), f"{self.where}: {message}")

    def warning(self, key: str, message: str) -> None:
        self.problems.warning(self.line(key), f"{self.where}: {message}")

    # -- values

    def node(self, key: str) -> Node | None:
        """The value as it is."""
        self._asked.append(key)
        return self._values.get(key)

    def plain(self, key: str) -> Any:
        """Any JSON."""
        node = self.node(key)
        return None if node is None else node.plain()

    def text(self, key: str, *, required: bool = False) -> str | None:
        """A text that is not blank; a number is one too, as YAML has no other way to write `1.0`."""
        node = self.node(key)
        if node is None:
            if required and isinstance(self._node.value, (dict, NoneType)):
                self.error(key, f"`{key}` is missing")
            return None
        if isinstance(node.value, str) and node.value.strip():
            return node.value
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            return str(node.value)
        blank = isinstance(node.value, str)
        self.error(key, f"`{key}` is blank" if blank else f"`{key}` must be a text, not {kind_of(node)}")
        return None

    def fixed(self, key: str, *, required: bool = False) -> str | None:
        """A text that never takes anything from a caller: a path, a program, a folder."""
        value = self.text(key, required=required)
        if value is not None and _TEMPLATE in value:
            self.error(
                key, f"`{key}` takes no {{{{ … }}}}; what a caller gives reaches a step as $RUNLINE_INPUT"
            )
            return None
        return value

    def name(self, key: str, *, required: bool = False) -> str | None:
        """Letters, digits, `.`, `_` and `-`."""
        value = self.text(key, required=required)
        if value is not None and not NAME.fullmatch(value):
            self.error(key, f"`{key}` {shown(value)} {NAME_RULE}")
            return None
        return value

    def word(self, key: str, words: tuple[Word, ...]) -> Word | None:
        """One of the words."""
        value = self.text(key)
        for word in words:
            if value == word:
                return word
        if value is not None:
            hint = nearest(value, list(words))
            self.error(key, f"`{key}` {shown(value)} is none of {', '.join(words)}{hint}")
        return None

    def flag(self, key: str) -> bool:
        node = self.node(key)
        if node is not None and not isinstance(node.value, bool):
            self.error(key, f"`{key}` must be true or false, not {kind_of(node)}")
        return node is not None and node.value is True

    def number(self, key: str, *, least: float, most: float) -> float | None:
        node = self.node(key)
        if node is None:
            return None
        value = node.value
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.error(key, f"`{key}` must be a number, not {kind_of(node)}")
        elif not least <= value <= most:
            self.error(key, f"`{key}` {value} is not between {least:g} and {most:g}")
        else:
            return float(value)
        return None

    def whole(self, key: str, *, least: int, most: int) -> int | None:
        value = self.number(key, least=least, most=most)
        if value is not None and not value.is_integer():
            self.error(key, f"`{key}` {value:g} is not a whole number")
            return None
        return None if value is None else int(value)

    def span_s(self, key: str) -> float | None:
        """Seconds of `90s`, `5m`, `200ms`; a bare number is seconds. At most a week."""
        value = self.text(key)
        if value is None:
            return None
        try:
            span_s = parse_span_ms(value) / 1000
        except Invalid as error:
            self.error(key, f"`{key}`: {error.message}")
            return None
        if span_s > _MOST_S:
            self.error(key, f"`{key}` {shown(value)} is longer than a week")
            return None
        return span_s

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, or one alone."""
        node = self.node(key)
        if node is None:
            return ()
        items = node.value if isinstance(node.value, list) else [node]
        found = [item.value for item in items if isinstance(item.value, str) and item.value.strip()]
        if len(found) != len(items):
            self.error(key, f"`{key}` must be a list of texts")
            return ()
        return tuple(found)

    def arguments(self, key: str) -> tuple[str, ...]:
        """A program and its arguments, which take nothing from a caller."""
        node = self.node(key)
        if node is None:
            return ()
        items = node.value if isinstance(node.value, list) else []
        found = tuple(
            str(item.value)
            for item in items
            if isinstance(item.value, (str, int, float)) and not isinstance(item.value, bool)
        )
        if not found or len(found) != len(items) or not found[0].strip():
            self.error(key, f"`{key}` must be a list of texts: the program, then its arguments")
            return ()
        if any(_TEMPLATE in item for item in found):
            told = "a command line takes no {{ … }}; read $RUNLINE_INPUT in a script or in shell text"
            self.error(key, f"`{key}`: {told}")
            return ()
        return found

    def variables(self, key: str) -> dict[str, str]:
        """Environment variables."""
        node = self.node(key)
        if node is None:
            return {}
        inner = Fields(node, f"{self.where}: `{key}`", self.problems)
        found: dict[str, str] = {}
        for name in inner:
            value = inner.fixed(name) if _VARIABLE.fullmatch(name) else None
            if value is not None:
                found[name] = value
            elif not _VARIABLE.fullmatch(name):
                inner.error(name, f"{shown(name)} is no name of an environment variable")
        return found

    # -- maps and lists of maps

    def section(self, key: str) -> Fields | None:
        node = self.node(key)
        return None if node is None else Fields(node, f"{self.where}: `{key}`", self.problems)

    def named(self, key: str, noun: str) -> Iterator[tuple[str, Fields]]:
        """The maps in a map by their names; a name that may not be one is an error and left out."""
        node = self.node(key)
        if node is None:
            return
        outer = Fields(node, f"`{key}`", self.problems)
        for name, value in node.value.items() if isinstance(node.value, dict) else ():
            if NAME.fullmatch(name):
                yield name, Fields(value, f"{noun} {name!r}", self.problems)
            else:
                outer.error(name, f"{shown(name)} {NAME_RULE}")

    def items(self, key: str) -> list[Node]:
        """The members of a list."""
        node = self.node(key)
        if node is None:
            return []
        if not isinstance(node.value, list):
            self.error(key, f"`{key}` must be a list, not {kind_of(node)}")
            return []
        return node.value

    def __iter__(self) -> Iterator[str]:
        """The keys, in the order of the file."""
        return iter(self._values)

    # -- keys

    def unused(self, *keys: str) -> None:
        """Keys that are known and change nothing here: a warning that names each."""
        for key in keys:
            if self.node(key) is not None:
                self.warning(key, f"`{key}` is read and not acted on")

    def passed_over(self, *keys: str) -> None:
        """Keys that are known and need no word."""
        self._asked.extend(keys)

    def finish(self) -> None:
        """Warns about every key that was not asked for."""
        for key in self._values:
            if key not in self._asked:
                self.warning(key, f"unknown key {shown(key)} is ignored{nearest(key, self._asked)}")


NAME_RULE = "must begin with a letter or digit and go on with letters, digits, '.', '_' or '-', 100 at most"


def kind_of(node: Node) -> str:
    """What the value is, in a sentence."""
    return _KINDS.get(type(node.value), "nothing")
