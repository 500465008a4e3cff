"""Redaction: secrets become `[REDACTED:<rule>]` before the first write.

By key (`keys`), by looks (`families`), by name in text (`assignments`) and by known value (the environment).
The writer thread asks one question of a whole batch, the screen: a single expression over the encoded bytes that
hits whenever redaction would change anything. Only on a hit are the drafts concerned decoded and redacted.
The screen also hits on what the fast encoder leaves outside the documented JSON forms: NUL and integers
beyond 64 bits. Redacting twice is redacting once: text already replaced is never looked at again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from runline.intake import assignments
from runline.intake.families import BLOCKS, FAMILIES
from runline.intake.forking import inside
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
    """The values of ≥ 8 characters of variables whose name reads as a secret; `PWD` is where a process works."""
    return [
        value
        for name, value in environ.items()
        if len(value) >= _MIN_ENVIRONMENT_CHARS
        and (rule := key_rule(name)) is not None
        and not (rule == "pwd" and value.startswith(assignments.PATH_STARTS))
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

    def knowing(self, secret: str) -> Redactor:
        """One that masks this value besides."""
        return Redactor(known=(*self._known, secret), enabled=self.enabled)

    @inside()
    def text(self, text: str) -> str:
        """The text with its secrets replaced; the same object when there are none."""
        if not self.enabled or not text:
            return text
        raw = text.encode("utf-8", "surrogatepass")
        if _screen(self._known, True).search(raw) is None:
            return text
        redacted = self._fixed_point(raw)
        return text if redacted is raw else redacted.decode("utf-8", "surrogatepass")

    @inside()
    def value(self, value: Any) -> Any:
        """A JSON value with its secrets replaced, by key and by looks, at any depth; the argument is not changed."""
        return self._value(value) if self.enabled else value

    def input(self, value: object) -> tuple[Any, bool]:
        """A run's input in its JSON form, redacted, and whether redaction changed it."""
        form = safe(value, exempt=True)
        redacted = self.value(form)
        return redacted, redacted != form

    @inside()
    def batch(self, drafts: Sequence[Draft]) -> list[Draft]:
        """The drafts in order, each redacted; one search when there is nothing to do."""
        result = list(drafts)
        screen = _screen(self._known, self.enabled)
        pending = [draft for draft in result if not draft.clean]
        parts = [draft.message for draft in pending]
        parts += [draft.payload for draft in pending]
        parts += [draft.correlation_id for draft in pending if draft.correlation_id is not None]
        if screen.search("\n".join(parts).encode("utf-8", "surrogatepass")) is not None:
            result = [draft if draft.clean else self._draft(draft, screen) for draft in result]
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
            rules = [known for known in (key_rule(_unmarked(name)), key_rule(_unmarked(key)), rule) if known]
            own = next((known for known in rules if known in NUMERIC), rules[0]) if rules else None
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
        if (
            len(result) == 2
            and isinstance(result[0], str)
            and not result[0].startswith("-")
            and (own := _name_rule(result[0])) is not None
        ):
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
        searches = _searches(self._known)
        for _ in range(_MAX_ROUNDS):
            before = raw
            for search in searches:
                raw = _replaced(raw, search)
            if raw is before:
                return raw
        return b"[REDACTED:text]"  # a text built so that each replacement uncovers another secret


Search = Callable[[bytes, int], tuple[str, int, int] | None]
"""The first secret after a position: rule, start, end."""


def _replaced(raw: bytes, search: Search) -> bytes:
    """One pass from left to right; the same object when nothing was found. Marks divide the text and stay."""
    if search(raw, 0) is None:
        return raw
    pieces: list[bytes] = []
    position = 0
    while mark := _MARK.search(raw, position):
        _scan(raw[position : mark.start()], search, pieces)
        pieces.append(mark.group())
        position = mark.end()
    _scan(raw[position:], search, pieces)
    once = b"".join(pieces)
    return raw if once == raw else once


def _scan(segment: bytes, search: Search, pieces: list[bytes]) -> None:
    kept = 0
    while secret := search(segment, kept):
        rule, start, end = secret
        pieces += (segment[kept:start], _mark(rule).encode())
        kept = _word_end(segment, end)
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
    if "[REDACTED:" not in name:
        return name
    raw = name.encode("utf-8", "surrogatepass")
    while mark := _MARK.search(raw):
        raw = raw[: mark.start()] + b" " + raw[mark.end() :]
    return raw.decode("utf-8", "surrogatepass")


def _name_rule(text: str) -> str | None:
    """The rule of a text that is a bare name (`DB_PASSWORD`), as in header pairs and `{name, value}`."""
    return key_rule(text) if _NAME.fullmatch(text.encode("utf-8", "surrogatepass")) else None


@lru_cache(8)
def _searches(known: tuple[str, ...]) -> tuple[Search, ...]:
    """In order: known values, whole blocks and headers, assignments, then everything that is known by its looks.

    One small expression each: all in one would need an automaton that no memory holds.
    """
    searches = [_search_for(family.name, linear(family.pattern)) for family in FAMILIES]
    searches.insert(BLOCKS, assignments.next_secret)
    if known:
        literals = rb"|".join(quoted(value.encode()) for value in known)
        searches.insert(0, _search_for("known", linear(rb"(" + literals + rb")")))
    return tuple(searches)


def _search_for(rule: str, expression: Expression) -> Search:
    def search(text: bytes, position: int) -> tuple[str, int, int] | None:
        found = expression.search(text, position)
        return None if found is None else (rule, found.start(1), found.end(1))

    return search


@lru_cache(8)
def _screen(known: tuple[str, ...], enabled: bool) -> Expression:
    alternatives = [_FORMS]
    if enabled:
        alternatives += [family.screening for family in FAMILIES]
        alternatives.append(assignments.SCREEN)
        for value in known:
            alternatives += {quoted(value.encode()), quoted(_encode(value)[1:-1])}
    return linear(rb"|".join(alternatives))
