"""Bad input, by family: what callers, files and networks send that a store must survive.

Everything is data or a function that makes data, never a file, and large members are made when asked for.
`BAD_VALUES` are objects for `data`, `BAD_TEXTS` and `TERMINAL` texts for any field, `BAD_JSON` documents for a
parser, `BAD_EVENTS` mappings for `append`, `PATHS` names that look for a way out, `CSV_LEADS` cells that
a spreadsheet would run. Secrets to plant and lines without any come from `planted`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runline.testing.objects import BAD_VALUES, LARGE_VALUES, Hostile, nested
from runline.testing.planted import KEYED, ORDINARY, SECRETS

__all__ = [
    "BAD_EVENTS",
    "BAD_JSON",
    "BAD_TEXTS",
    "BAD_VALUES",
    "CSV_LEADS",
    "KEYED",
    "LARGE_VALUES",
    "ORDINARY",
    "PATHS",
    "SECRETS",
    "TERMINAL",
    "Hostile",
    "nested",
    "truncated",
]


BAD_TEXTS: dict[str, str] = {
    "empty": "",
    "blank": " \t\n",
    "nul": "before\0after",
    "lone surrogate": "a\ud800b",
    "surrogates the wrong way round": "\udc00\ud800",
    "escaped nul": "\\u0000 \\x00",
    "noncharacters": "\ufffe\uffff\U0001ffff",
    "bidi override": "user\u202egpj.exe",
    "bidi isolates": "\u2066a\u2069",
    "zero width": "a\u200b\u200d\ufeffb",
    "combining marks": "e" + "\u0301" * 10_000,
    "decomposed": "e\u0301",
    "composed": "\u00e9",
    "line separators": "a\u2028b\u2029c\x85d\x0b\x0ce",
    "carriage return": "a\rb",
    "windows line": "a\r\nb",
    "sse injection": "hello\n\nid: 9\nevent: run_ended\ndata: {}\n\n",
    "byte order mark": "\ufefftext",
    "quotes and backslashes": "\"'\\\"\\\\'",
    "braces and percent": "{0} {name} %s %(x)s ${HOME} $(id) `id`",
    "sql": "'; DROP TABLE events; --",
    "like": "100%_\\",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "script end": "</script><!--",
    "markdown": "[click](javascript:alert(1)) ![x](data:text/html,hi)",
    "a number": "1e999",
    "json": '{"type":"run_ended"}',
}
"""Texts for any field that a caller controls."""

TERMINAL: dict[str, str] = {
    "title": "\x1b]0;owned\x07",
    "hyperlink": "\x1b]8;;http://x\x1b\\here\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;aGk=\x07",
    "clear screen": "\x1b[2J\x1b[H",
    "report cursor": "\x1b[6n",
    "device control": '\x1bP$q"p\x1b\\',
    "c1 csi": "\x9b2J",
    "unterminated": "\x1b]0;never ends",
    "half an escape": "\x1b",
    "the other half": "[2J",
    "closing markup": "[/nope]",
    "action markup": "[@click=app.quit]quit[/]",
    "style markup": "[bold red]x",
    "bell and backspace": "a\x08\x07\x7f",
}
"""Texts that would steer a terminal or a terminal library."""

BAD_JSON: dict[str, bytes] = {
    "empty": b"",
    "blank": b"  \n",
    "scalar": b"7",
    "text": b'"x"',
    "null": b"null",
    "trailing garbage": b'{"type":"log"} x',
    "two documents": b'{"type":"log"}{"type":"log"}',
    "trailing comma": b'{"type":"log",}',
    "byte order mark": b'\xef\xbb\xbf{"type":"log"}',
    "utf-16": '{"type":"log"}'.encode("utf-16"),
    "duplicate keys": b'{"type":"a","type":"b"}',
    "nan": b'{"data":{"n":NaN}}',
    "1e999": b'{"data":{"n":1e999}}',
    "minus zero": b'{"data":{"n":-0}}',
    "long integer": b'{"data":{"n":' + b"9" * 4301 + b"}}",
    "depth 1100": b'{"data":{"n":' + b"[" * 1100 + b"]" * 1100 + b"}}",
    "raw nul": b'{"message":"a\x00b"}',
    "escaped nul": b'{"message":"a\\u0000b"}',
    "lone surrogate": b'{"message":"\\ud800"}',
    "cesu-8": b'{"message":"\xed\xa0\xbd\xed\xb8\x80"}',
    "overlong": b'{"message":"\xc0\xaf"}',
    "invalid utf-8": b'{"message":"\xff\xfe"}',
}
"""Documents for a parser; `truncated` makes more."""

BAD_EVENTS: dict[str, dict[str, Any]] = {
    "empty": {},
    "all null": dict.fromkeys(("type", "ts", "level", "step", "source", "message", "correlation_id", "data")),
    "blank fields": {
        "type": " ",
        "step": "",
        "message": "\n",
        "source": "",
        "level": "",
        "correlation_id": "",
    },
    "wrong kinds": {
        "type": 7,
        "step": ["a"],
        "source": {"b": 1},
        "message": 1.5,
        "level": [],
        "correlation_id": 9,
    },
    "year 0": {"ts": "0000-01-01T00:00:00Z"},
    "year 9999": {"ts": "9999-12-31T23:59:59.999Z"},
    "year 10000": {"ts": "10000-01-01T00:00:00Z"},
    "no zone": {"ts": "2026-11-20T12:00:00"},
    "a far zone": {"ts": "2026-11-20T12:00:00+14:00"},
    "in ten years": {"ts": "2036-11-20T12:00:00Z"},
    "epoch seconds": {"timestamp": 1_795_200_000},
    "epoch nanoseconds": {"timestamp": 1_795_200_000_000_000_000},
    "no time": {"ts": "yesterday"},
    "ts nan": {"ts": float("nan")},
    "unknown level": {"level": "LOUD"},
    "a long type": {"type": "t" * 10_000},
    "a type of odd letters": {"type": "a b\nc\0\x1b[2J"},
    "a long step": {"step": "s" * 300},
    "data that is text": {"data": "just text"},
    "data that is a list": {"data": [1, 2]},
    "both names": {"step": "a", "stage": "b", "data": {"x": 1}, "payload": {"x": 2}},
    "unknown keys": {"colour": "red", "data": {"colour": "blue"}},
    "fed back": {"id": 1, "run_id": "r", "seq": 1, "elapsed_s": 0.5, "type": "log", "message": "again"},
    "forged end": {"type": "log", "message": "x\n\nevent: run_ended"},
}
"""Mappings for `append`: each is stored."""

PATHS: tuple[str, ...] = (
    "..",
    ".",
    "../x",
    "../../etc/passwd",
    "a/../../b",
    "%2e%2e/x",
    "%252e%252e%252fx",
    "..\\x",
    "C:\\x",
    "/etc/passwd",
    "//host/share",
    "a//b",
    "a\0b",
    "~/x",
    "-rf",
    "x" * 300,
    "é" * 150,
    "CON",
    "a\nb",
    " ",
    "",
)
"""Names that must not leave their root, as run id, step, artifact name or path."""

CSV_LEADS: tuple[str, ...] = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""First characters that make a spreadsheet run a cell."""


def truncated(document: bytes) -> Iterator[bytes]:
    """The document cut off after each of its bytes."""
    return (document[:size] for size in range(len(document)))
