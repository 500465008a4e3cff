"""An exported run read back as a stream: what describes it first, then its events one by one.

JSONL is read line by line. JSON goes through ijson, token by token, because a document may come from
another program, in one line or in a thousand, with `events` before or behind the rest. In our own layout
the run stands first and events pass straight through; in any other they wait in a temporary file until the
end has been seen. A depth limit stands before the building of values, so that hostile nesting costs nothing.
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from decimal import Decimal
from itertools import chain
from typing import Any, BinaryIO, NoReturn, TextIO

import ijson
import msgspec

from runline.export.jsonl import VERSION
from runline.model.errors import Invalid
from runline.model.event import NO_STEP

MAX_DEPTH = 200
"""Stored data is at most 64 deep; `details` adds a few levels."""
CHUNK_BYTES = 64 * 1024
MAX_LINE_BYTES = 32 * 1024 * 1024

_CANONICAL = ("seq", "ts", "type", "level", "step", "source", "message", "correlation_id", "data")
_TIMELINE = {"event_index": "seq", "ts_utc": "ts", "stage": "step", "severity": "level", "details": "data"}
_WANTED = frozenset({"run_id", "run", "summary", "notes", "events"})
_STEP = {"start_map": 1, "start_array": 1, "end_map": -1, "end_array": -1}
_BOM = b"\xef\xbb\xbf"
_JSONL = re.compile(rb'\s*\{\s*"runline"\s*:')
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class ExportHeader(msgspec.Struct, frozen=True):
    """What an export says beside the events: RunSummary with `input`, and notes as the Timeline gives them.

    `run` has at least `run_id`. From a document without `run`, as other writers of the Timeline's export
    make it, it has `pipeline_name`, `kind`, `status` and `started_at` beside that, as far as they are known.
    """

    run: dict[str, Any]
    notes: list[dict[str, Any]]


def read_export(stream: BinaryIO) -> tuple[ExportHeader, Iterator[dict[str, Any]]]:
    """The header of a JSON or JSONL export, and its events in order, with canonical keys.

    An event has those of `seq ts type level step source message correlation_id data` that the file gives;
    ids and elapsed times are left out, being the store's to make. Both this call and the iterator raise
    Invalid (`bad_export`) for what is not an export, and the iterator when events are missing at the end.
    """
    head = b""
    while len(head) < 64 and (piece := stream.read(64 - len(head))):
        head += piece
    head = head.removeprefix(_BOM)
    source: BinaryIO = io.BufferedReader(_Rejoined(head, stream))
    return _read_lines(source) if _JSONL.match(head) else _read_document(source)


def _read_lines(source: BinaryIO) -> tuple[ExportHeader, Iterator[dict[str, Any]]]:
    lines = _lines(source)
    first = next(lines)
    if first["runline"] != VERSION:
        _refuse(f"It is of version {str(first['runline'])[:20]}; this Runline reads version {VERSION}.")
    header = _header(first.get("run"), first.get("notes"))
    return header, _events(lines, header.run)


def _lines(source: BinaryIO) -> Iterator[dict[str, Any]]:
    number = 0
    while line := source.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            _refuse(f"Line {number} is longer than {MAX_LINE_BYTES // 1024 // 1024} MiB.")
        if not line.isspace():
            try:
                decoded = _decode(line)
            except (ValueError, RecursionError) as error:
                _refuse(f"Line {number}: {error}.", error)
            yield decoded


def _read_document(source: BinaryIO) -> tuple[ExportHeader, Iterator[dict[str, Any]]]:
    members = _members(source)
    found: dict[str, Any] = {}
    events: Iterable[Any] = ()
    for key, value in members:
        if key != "events":
            found[key] = value
        elif "run" in found and "notes" in found:
            events = chain([value], (event for name, event in members if name == "events"))
            break
        else:
            events = _set_aside(value, members, found)
            break
    run = found.get("run", _run_of_timeline(found))
    header = _header(run, found.get("notes"))
    return header, _events(events, header.run)


def _set_aside(first: Any, members: Iterator[tuple[str, Any]], found: dict[str, Any]) -> Iterator[Any]:
    """Reads the document to its end: events into a file, the other members into `found`."""
    with ExitStack() as on_error:
        file = on_error.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8"))
        # The standard library's JSON: a foreign document may hold numbers that msgspec does not write.
        for key, value in chain([("events", first)], members):
            if key == "events":
                file.write(json.dumps(value) + "\n")
            else:
                found[key] = value
        file.seek(0)
        on_error.pop_all()
    events = _read_back(file)
    # Also when nobody starts to read.
    weakref.finalize(events, file.close)
    return events


def _read_back(file: TextIO) -> Iterator[Any]:
    with file:
        yield from map(json.loads, file)


def _members(source: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Key and value of each wanted member of the document; `events` once for every event in it."""
    tokens = _tokens(source)
    if next(tokens)[0] != "start_map":
        _refuse("It is no JSON object.")
    for kind, key in tokens:
        if kind != "map_key":
            continue
        first, value = next(tokens)
        if key != "events":
            whole = _value(first, value, tokens)
            if key in _WANTED:
                yield key, whole
        elif first != "start_array":
            _refuse("Its 'events' are no list.")
        else:
            while (token := next(tokens))[0] != "end_array":
                yield key, _value(*token, tokens)


def _value(kind: str, value: Any, tokens: Iterator[tuple[str, Any]]) -> Any:
    """The value that begins with the given token; takes the rest of it from `tokens`."""
    builder = ijson.ObjectBuilder()
    builder.event(kind, value)
    depth = _STEP.get(kind, 0)
    while depth:
        kind, value = next(tokens)
        builder.event(kind, value)
        depth += _STEP.get(kind, 0)
    return builder.value


def _tokens(source: BinaryIO) -> Iterator[tuple[str, Any]]:
    """The tokens of the document, complete or refused; numbers as int and float."""
    depth = 0
    for kind, value in _parsed(source):
        if kind in _STEP:
            depth += _STEP[kind]
            if depth > MAX_DEPTH:
                _refuse(f"It is nested deeper than {MAX_DEPTH} levels.")
        yield kind, float(value) if type(value) is Decimal else value


def _parsed(source: BinaryIO) -> Iterator[tuple[str, Any]]:
    # ijson's C code goes on after an int of more digits than Python reads, with the exception pending. Its
    # push interface lets that surface here, as SystemError; its generators, in whatever runs next.
    tokens = ijson.sendable_list()
    parser = ijson.basic_parse_coro(tokens)
    try:
        while chunk := source.read(CHUNK_BYTES):
            parser.send(chunk)
            yield from tokens
            tokens.clear()
        parser.close()
        yield from tokens
    except (ijson.JSONError, ValueError, SystemError) as error:
        _refuse(f"It is neither JSON nor JSONL: {str(error).splitlines()[0].rstrip(' .')}.", error)


def _run_of_timeline(found: Mapping[str, Any]) -> dict[str, Any]:
    summary = found.get("summary")
    known = summary if isinstance(summary, dict) else {}
    return {
        "run_id": found.get("run_id"),
        "pipeline_name": found.get("run_id"),
        "kind": "run",
        "status": known.get("status"),
        "started_at": known.get("started_at"),
    }


def _header(run: Any, notes: Any) -> ExportHeader:
    if not isinstance(run, dict) or not isinstance(run.get("run_id"), str):
        _refuse("It does not say which run it is: 'run_id' is missing.")
    if not isinstance(notes, list | None) or not all(isinstance(note, dict) for note in notes or ()):
        _refuse("Its 'notes' are no list of objects.")
    return ExportHeader(run, notes or [])


def _events(items: Iterable[Any], run: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    n = 0
    for n, item in enumerate(items, 1):
        if not isinstance(item, dict):
            _refuse(f"Event {n} is no object.")
        yield _canonical(item)
    if type(last := run.get("last_seq")) is int and n != last:
        _refuse(f"It has {n} events of {last}: it is not complete.")


def _canonical(item: dict[str, Any]) -> dict[str, Any]:
    event = {name: item[name] for name in _CANONICAL if name in item}
    for alias, name in _TIMELINE.items():
        if alias in item:
            event.setdefault(name, item[alias])
    if "step" not in item and event.get("step") == NO_STEP:
        event["step"] = None
    return event


def _refuse(what: str, cause: Exception | None = None) -> NoReturn:
    raise Invalid(f"This is not an export that can be read. {what}", code="bad_export") from cause


class _Rejoined(io.RawIOBase):
    """The stream again from its beginning: `head` was taken from it to see what it is."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head = head
        self._rest = rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)
