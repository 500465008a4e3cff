"""Redaction: secrets become `[REDACTED:<rule>]` before the first write.

By key (`keys`), by looks (`families`), by name in text (`assignments`) and by known value (the environment).
The writer thread asks one question of a whole batch, the screen: a single expression over the encoded bytes that
hits whenever redaction would change anything. Only on a hit are the drafts concerned decoded and redacted.
The screen also hits on what the fast encoder leaves outside the documented JSON forms: NUL and integers
beyond 64 bits. Redacting twice is redacting once: text already replaced is never looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from runline.intake import assignments
from runline.intake.families import FAMILIES
from runline.intake.keys import NUMERIC, key_rule
from runline.intake.linear import Expression, linear, quoted
from runline.intake.safe import clean, safe
from runline.model.checksum import content_check
from runline.model.event import Draft

_MARK = linear(rb"\[REDACTED:[a-z0-9_]+\]")
_NAME = linear(rb"[\w.\-]+")
_FLAG = linear(rb"--?[\w.\-]+")
_NAMING_KEYS = ("name", "key", "header", "field", "variable", "env")
_MAX_ROUNDS = 8
_FORMS = rb"\x00|\\u0000|[:,\[]-?(?:[0-9]{20}|9[2-9][0-9]{17})"
_MIN_KNOWN_CHARS = 4
_MIN_ENVIRONMENT_CHARS = 8

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def known_from_environment(environ: Mapping[str, str]) -> list[str]:
    """The values of ≥ 8 characters of variables whose name reads as a secret."""
    return [
        value
        for name, value in environ.items()
        if len(value) >= _MIN_ENVIRONMENT_CHARS and key_rule(name) is not None
    ]


class Redactor:
    """Redacts text, JSON values and drafts. `known`: literal secrets of ≥ 4 characters. Thread-safe.

    Disabled, it still brings drafts into the documented JSON forms.
    """

    def __init__(self, *, known: Iterable[str] = (), enabled: bool = True) -> None:
        self.enabled = enabled
        literals = {value for value in known if len(value) >= _MIN_KNOWN_CHARS and value == clean(value)}
        self._known = tuple(sorted(literals, key=lambda value: (-len(value), value))) if enabled else ()
        self._seen_names: set[str | None] = set()

    def text(self, text: str) -> str:
        """The text with its secrets replaced; the same object when there are none."""
        if not self.enabled or not text:
            return text
        raw = text.encode("utf-8", "surrogatepass")
        if _screen(self._known, True).search(raw) is None:
            return text
        redacted = self._fixed_point(raw)
        return text if redacted is raw else redacted.decode("utf-8", "surrogatepass")

    def value(self, value: Any) -> Any:
        """A JSON value with its secrets replaced, by key and by looks, at any depth; the argument is not changed."""
        return self._value(value) if self.enabled else value

    def input(self, value: object) -> tuple[Any, bool]:
        """A run's input in its JSON form, redacted, and whether redaction changed it."""
        form = safe(value, exempt=True)
        redacted = self.value(form)
        return redacted, redacted != form

    def batch(self, drafts: Sequence[Draft]) -> list[Draft]:
        """The drafts in order, each redacted; one search when there is nothing to do."""
        result = list(drafts)
        screen = _screen(self._known, self.enabled)
        places = [place for place, draft in enumerate(result) if not draft.clean]
        parts = [text for place in places for text in (result[place].message, result[place].payload)]
        parts += [
            draft.correlation_id for draft in result if draft.correlation_id is not None and not draft.clean
        ]
        if parts and screen.search("\n".join(parts).encode("utf-8", "surrogatepass")) is not None:
            for place in places:
                result[place] = self._draft(result[place], screen)
        if self._known:
            self._names(result)
        return result

    def _draft(self, draft: Draft, screen: Expression) -> Draft:
        own = "\n".join((draft.message, draft.payload, draft.correlation_id or ""))
        if screen.search(own.encode("utf-8", "surrogatepass")) is None:
            return draft
        message = self.text(clean(draft.message))
        data = _decode(draft.payload)
        redacted = self.value(safe(data))
        payload = draft.payload if redacted == data else _encode(redacted).decode()
        correlation_id = None if draft.correlation_id is None else self.text(clean(draft.correlation_id))
        check = content_check(draft.ts_ms, message.encode(), correlation_id, payload.encode())
        return msgspec.structs.replace(
            draft, message=message, payload=payload, correlation_id=correlation_id, check=check, clean=True
        )

    def _names(self, drafts: list[Draft]) -> None:
        """Known values in type, step and source, which `draft` has cleaned of everything else."""
        names = {name for draft in drafts for name in (draft.type, draft.step, draft.source)}
        fresh = names - self._seen_names
        if not fresh:
            return
        changed = {name: self.text(name) for name in fresh if name is not None and self.text(name) != name}
        if len(self._seen_names) > 10_000:
            self._seen_names.clear()
        self._seen_names |= fresh - changed.keys()
        if changed:
            for place, draft in enumerate(drafts):
                drafts[place] = msgspec.structs.replace(
                    draft,
                    type=changed.get(draft.type, draft.type),
                    step=draft.step and changed.get(draft.step, draft.step),
                    source=draft.source and changed.get(draft.source, draft.source),
                )

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self._object(value, None)
        if isinstance(value, list):
            return self._array(value, None)
        return value

    def _object(self, value: dict[str, Any], rule: str | None) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, member in value.items():
            name = self.text(key)
            own = key_rule(key) or (rule if name is key else key_rule(_unmarked(name))) or rule
            while name in result:
                name += "_"
            result[name] = self._value(member) if own is None else self._hidden(member, own)
        if "value" in result:
            for naming in _NAMING_KEYS:
                named = result.get(naming)
                if isinstance(named, str) and (own := _name_rule(named)) is not None:
                    result["value"] = self._hidden(result["value"], own)
        return result

    def _array(self, value: list[Any], rule: str | None) -> list[Any]:
        result = [self._value(member) if rule is None else self._hidden(member, rule) for member in value]
        if len(result) == 2 and isinstance(result[0], str) and (own := _name_rule(result[0])) is not None:
            result[1] = self._hidden(result[1], own)
        for place, member in enumerate(result[:-1]):
            following = result[place + 1]
            if (
                isinstance(member, str)
                and isinstance(following, str)
                and member.startswith("-")
                and not following.startswith("-")
                and _FLAG.fullmatch(member.encode("utf-8", "surrogatepass"))
                and (own := key_rule(member)) is not None
            ):
                result[place + 1] = self._hidden(following, own)
        return result

    def _hidden(self, value: Any, rule: str) -> Any:
        """Everything under a secret's name, with the shape kept."""
        if isinstance(value, str):
            if value == "" or (rule == "pwd" and value.startswith(assignments.PATH_STARTS)):
                return value
            marked = _MARK.fullmatch(value.encode("utf-8", "surrogatepass")) is not None
            return value if marked else _mark(rule)
        if isinstance(value, dict):
            return self._object(value, rule)
        if isinstance(value, list):
            return self._array(value, rule)
        if value is None or isinstance(value, bool) or rule not in NUMERIC:
            return value
        return _mark(rule)

    def _fixed_point(self, raw: bytes) -> bytes:
        blocks, secrets, rules = _secrets(self._known)
        for _ in range(_MAX_ROUNDS):
            once = _replaced(_replaced(raw, blocks, ("private_key",)), secrets, rules)
            if once is raw:
                return raw
            raw = once
        return b"[REDACTED:text]"  # a text built so that each replacement uncovers another secret


def _replaced(raw: bytes, expression: Expression, rules: tuple[str, ...]) -> bytes:
    """One pass from left to right; the same object when nothing was found. Marks divide the text and stay."""
    if expression.search(raw) is None:
        return raw
    pieces: list[bytes] = []
    position = 0
    while mark := _MARK.search(raw, position):
        _scan(raw[position : mark.start()], expression, rules, pieces)
        pieces.append(mark.group())
        position = mark.end()
    _scan(raw[position:], expression, rules, pieces)
    once = b"".join(pieces)
    return raw if once == raw else once


def _scan(segment: bytes, expression: Expression, rules: tuple[str, ...], pieces: list[bytes]) -> None:
    kept = position = 0
    families = len(rules)
    while found := expression.search(segment, position):
        number = next((n for n in range(1, families + 1) if found.start(n) >= 0), 0)
        if number:
            secret: tuple[str, int, int] | None = (rules[number - 1], found.start(number), found.end(number))
        else:
            secret = assignments.value_of(segment, found, families + 1)
        if secret is None:
            position = found.end(families + 1)
            continue
        rule, start, end = secret
        end = _word_end(segment, end)
        pieces += (segment[kept:start], _mark(rule).encode())
        kept = position = end
    pieces.append(segment[kept:])


def _word_end(segment: bytes, end: int) -> int:
    """A secret goes on to the end of its word, so that what follows never begins inside one."""
    rest = _WORD_REST.match(segment, end)
    return end if rest is None else rest.end()


_WORD_REST = linear(rb"[0-9A-Za-z_]+")


def _mark(rule: str) -> str:
    return f"[REDACTED:{rule}]"


def _unmarked(name: str) -> str:
    """A redacted name without its marks, whose words are not its own."""
    raw = name.encode("utf-8", "surrogatepass")
    while mark := _MARK.search(raw):
        raw = raw[: mark.start()] + b" " + raw[mark.end() :]
    return raw.decode("utf-8", "surrogatepass")


def _name_rule(text: str) -> str | None:
    """The rule of a text that is a bare name (`DB_PASSWORD`), as in header pairs and `{name, value}`."""
    return key_rule(text) if _NAME.fullmatch(text.encode("utf-8", "surrogatepass")) else None


@lru_cache(8)
def _secrets(known: tuple[str, ...]) -> tuple[Expression, Expression, tuple[str, ...]]:
    """Blocks; everything else with one group per rule, then those of an assignment; the rules in group order."""
    blocks = linear(FAMILIES[0].pattern)
    rows = [(family.name, family.pattern) for family in FAMILIES[1:]]
    if known:
        rows.insert(0, ("known", rb"(" + rb"|".join(quoted(value.encode()) for value in known) + rb")"))
    everything = rb"|".join([pattern for _, pattern in rows] + [assignments.PATTERN])
    return blocks, linear(everything), tuple(name for name, _ in rows)


@lru_cache(8)
def _screen(known: tuple[str, ...], enabled: bool) -> Expression:
    alternatives = [_FORMS]
    if enabled:
        alternatives += [family.screening for family in FAMILIES]
        alternatives.append(assignments.SCREEN)
        for value in known:
            alternatives += {quoted(value.encode()), quoted(_encode(value)[1:-1])}
    return linear(rb"|".join(alternatives))
