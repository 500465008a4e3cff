r"""The one filter language of the web, the terminal, the command line and the API (`q=`).

    level:error step:extract,load type:tool_call "free text" -type:log elapsed:>60

Terms are ANDed. `field:value` matches exactly, `field:a,b` any of them, `-` turns a term into its exact
complement (an event without a step matches `-step:load`), a word or `"…"` is looked for in the message
and in the JSON text of `data`, `>` `<` `>=` `<=` compare. Inside quotes `\"` and `\\` stand for `"` and `\`.

`parse` makes a `Query`, `str(query)` writes it back. The store turns it into SQL; `matches` is the same
judgement in memory, for followers. Both look for text as SQLite's LIKE does: ASCII letters match in
either case, all others exactly.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any, Literal, NoReturn

import msgspec
from msgspec import Struct

from runline.model.clock import to_iso
from runline.model.durations import parse_span_ms, parse_when
from runline.model.errors import Invalid
from runline.model.event import NO_STEP, Event
from runline.model.status import LEVELS, RUN_STATUSES

Scope = Literal["events", "runs"]
Op = Literal[">", "<", ">=", "<="]

MATCH_FIELDS: dict[Scope, tuple[str, ...]] = {
    "events": ("level", "step", "type", "source", "corr"),
    "runs": ("status", "pipeline", "kind", "tag"),
}
TIME_FIELDS: dict[Scope, dict[str, Op]] = {"events": {}, "runs": {"since": ">=", "until": "<"}}
COMPARE_FIELDS = ("elapsed", "tokens", "duration")
CLOSED_VALUES: dict[str, tuple[str, ...]] = {"level": LEVELS, "status": RUN_STATUSES}
MAX_CHARS = 4000
MAX_TERMS = 100
"""SQLite refuses expressions deeper than 1,000 and LIKE patterns over 50,000 bytes; stay far below."""


class Match(Struct, frozen=True):
    """The field equals one of `values`. The step `run` also stands for events without a step."""

    field: str
    values: tuple[str, ...]
    negated: bool = False


class Text(Struct, frozen=True):
    """`phrase` occurs in the message or in the JSON text of `data` (there as `json_needle`).

    In the scope of runs: in the id, the name or the error message.
    """

    phrase: str
    negated: bool = False


class Compare(Struct, frozen=True):
    """A number against `value`; where there is no number, nothing but a negated term matches.

    Events: `elapsed` (ms since the run started), `tokens` (`data.tokens_used`), `duration`
    (`data.duration_ms`). Runs: `tokens`, `duration` (ms; so far, while running), and `since` (>=) and
    `until` (<) against the start, in ms since 1970.
    """

    field: str
    op: Op
    value: int
    negated: bool = False


Term = Match | Text | Compare


class Query(Struct, frozen=True):
    """Terms that must all hold, in the order they were written. None of them: everything matches."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(map(_term_text, self.terms))


_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_BARE_VALUE = re.compile(r'[^\s,"]+')
_WORD_END = re.compile(r'[\s"]')
_FIELD = re.compile(rf"([A-Za-z_][A-Za-z0-9_]*):|({'|'.join(COMPARE_FIELDS)})(?=[<>])", re.IGNORECASE)
_OPS: tuple[Op, ...] = (">=", "<=", ">", "<")
_PLAIN = re.compile(r"[\w./@#][\w./@#-]*")
_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


def parse(q: str, *, scope: Scope, now_ms: int) -> Query:
    """The query written as `q`; `now_ms` anchors spans such as `since:24h`.

    Raises Invalid (`bad_filter`) with a sentence that says what to write instead.
    """
    if len(q) > MAX_CHARS:
        _refuse(f"The filter is longer than {MAX_CHARS} characters.")
    # Stored text has these characters replaced, so a search for them must look for the replacement.
    terms = tuple(_terms(_NOT_STORABLE.sub("\ufffd", q), scope, now_ms))
    if len(terms) > MAX_TERMS:
        _refuse(f"The filter has more than {MAX_TERMS} terms.")
    return Query(terms)


def matches(query: Query, event: Event) -> bool:
    """Whether the event is one that `query` (of scope `events`) selects."""
    return all(_holds(term, event) is not term.negated for term in query.terms)


def json_needle(phrase: str) -> str:
    """The phrase as it stands inside a JSON string, without the quotes around it."""
    return msgspec.json.encode(phrase).decode()[1:-1]


def _terms(q: str, scope: Scope, now_ms: int) -> Iterator[Term]:
    at = 0
    while True:
        while at < len(q) and q[at].isspace():
            at += 1
        if at == len(q):
            return
        # A dash negates what is written against it; `--flag` and a lone dash are words.
        negated = q[at] == "-" and q[at + 1 : at + 2].strip() not in ("", "-")
        at += negated
        if field := _FIELD.match(q, at):
            name = (field[1] or field[2]).lower()
            op = next((op for op in _OPS if q.startswith(op, field.end())), None)
            values, at = _values(q, field.end() + len(op or ""), name)
            yield _field_term(name, op, values, negated, scope, now_ms)
        elif q[at] == '"':
            phrase, at = _quoted(q, at)
            if not phrase:
                _refuse("Put the text to look for between the quotes.")
            yield Text(phrase, negated)
        else:
            word = _WORD_END.split(q[at:], maxsplit=1)[0]
            at += len(word)
            yield Text(word, negated)


def _quoted(q: str, at: int) -> tuple[str, int]:
    found = _QUOTED.match(q, at)
    if not found:
        _refuse(f"A quote is not closed: {q[at : at + 40]}")
    return re.sub(r"\\(.)", r"\1", found[1], flags=re.DOTALL), found.end()


def _values(q: str, at: int, field: str) -> tuple[tuple[str, ...], int]:
    values: list[str] = []
    while True:
        bare = _BARE_VALUE.match(q, at)
        if bare:
            value, at = bare[0], bare.end()
        elif q[at : at + 1] == '"':
            value, at = _quoted(q, at)
        else:
            value = ""
        if not value:
            _refuse(f"{field!r} needs a value right after it. To look for the text itself, quote it.")
        values.append(value)
        if q[at : at + 1] != ",":
            return tuple(values), at
        at += 1


def _field_term(
    name: str, op: Op | None, values: tuple[str, ...], negated: bool, scope: Scope, now_ms: int
) -> Term:
    if name in COMPARE_FIELDS:
        return _comparison(name, op, values, negated, scope)
    if name not in MATCH_FIELDS[scope] and name not in TIME_FIELDS[scope]:
        _refuse(_unknown(name, scope))
    if op:
        _refuse(f"{name!r} cannot be compared with {op}; {', '.join(COMPARE_FIELDS)} can.")
    if name in TIME_FIELDS[scope]:
        return Compare(name, TIME_FIELDS[scope][name], _instant(name, values, now_ms), negated)
    if name in CLOSED_VALUES:
        values = tuple(value.lower() for value in values)
        for value in values:
            if value not in CLOSED_VALUES[name]:
                near = get_close_matches(value, CLOSED_VALUES[name], n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                _refuse(f"{value[:60]!r} is no {name}.{hint} One of {', '.join(CLOSED_VALUES[name])}.")
    return Match(name, values, negated)


def _comparison(name: str, op: Op | None, values: tuple[str, ...], negated: bool, scope: Scope) -> Compare:
    example = f"{name}:>{'1000' if name == 'tokens' else '90s'}"
    if op is None or len(values) != 1:
        _refuse(f"{name!r} is compared with one value, like {example}.")
    if name == "tokens":
        if not re.fullmatch("[0-9]{1,15}", values[0]):
            _refuse(f"{values[0][:60]!r} is not a whole number; write {example}.")
        return Compare(name, op, int(values[0]), negated)
    try:
        # The time that a run has taken goes by either name.
        return Compare("duration" if scope == "runs" else name, op, parse_span_ms(values[0]), negated)
    except Invalid as error:
        _refuse(error.message)


def _instant(name: str, values: tuple[str, ...], now_ms: int) -> int:
    if len(values) != 1:
        _refuse(f"{name!r} takes one time, like {name}:24h.")
    try:
        return parse_when(values[0], now_ms=now_ms)
    except Invalid as error:
        _refuse(error.message)


def _unknown(name: str, scope: Scope) -> str:
    known = (*MATCH_FIELDS[scope], *TIME_FIELDS[scope], *COMPARE_FIELDS)
    other: Scope = "runs" if scope == "events" else "events"
    if name in MATCH_FIELDS[other] or name in TIME_FIELDS[other]:
        hint = f"{name!r} filters {other}, not {scope}."
    else:
        near = get_close_matches(name, known, n=1)
        hint = f"There is no field {name[:60]!r}." + (f" Did you mean {near[0]!r}?" if near else "")
    return f"{hint} Fields: {', '.join(known)}. To look for the text itself, quote it."


def _refuse(sentence: str) -> NoReturn:
    raise Invalid(sentence, code="bad_filter", fields={"q": sentence})


_COMPARES: dict[Op, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_DATA_KEY = {"tokens": "tokens_used", "duration": "duration_ms"}


def _holds(term: Term, event: Event) -> bool:
    if isinstance(term, Text):
        needle = _fold(json_needle(term.phrase))
        return _fold(term.phrase) in _fold(event.message) or needle in _fold(event.payload)
    if isinstance(term, Match):
        value = getattr(event, "correlation_id" if term.field == "corr" else term.field)
        return (NO_STEP if term.field == "step" and value is None else value) in term.values
    number = event.elapsed_ms if term.field == "elapsed" else event.data.get(_DATA_KEY[term.field])
    return type(number) in (int, float) and _COMPARES[term.op](number, term.value)


def _fold(text: str) -> bytes:
    """UTF-8 with ASCII letters in lower case, the only folding that SQLite's LIKE does."""
    return text.encode().lower()


def _term_text(term: Term) -> str:
    if isinstance(term, Text):
        text = _value_text(term.phrase)
    elif isinstance(term, Match):
        text = f"{term.field}:{','.join(map(_value_text, term.values))}"
    elif term.field in TIME_FIELDS["runs"]:
        text = f"{term.field}:{to_iso(term.value)}"
    else:
        text = f"{term.field}:{term.op}{term.value}{'' if term.field == 'tokens' else 'ms'}"
    return f"-{text}" if term.negated else text


def _value_text(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
