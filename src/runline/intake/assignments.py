"""Secrets that only their name gives away in running text: `password=…`, `"api_key": "…"`, `--token …`.

What follows `=` is taken at its word. After `:` or a spaced `=`, where prose and source code also stand, an
unquoted value must look like a secret; references (`$TOKEN`, `<password>`, `None`) never do.
"""

from __future__ import annotations

from runline.intake.keys import named, secret_in
from runline.intake.linear import Match, linear

GROUPS = 6
"""The groups of `PATTERN`: head, operator, blank of a flag, then the value in double quotes, single quotes, bare."""
_SPACE = rb"[ \t]*"
PATTERN = (
    rb"("
    + named(rb"(?:[A-Z0-9_.\-][\w.\-]*)?", rb"(?:(?:[0-9_.\-]|[A-Z][a-z])[\w.\-]*)?")
    + rb")(?:\\*[\"']?\]?("
    + _SPACE
    + rb"(?:=>|:=|=|:)"
    + _SPACE
    + rb")|([ \t]+))"
    + rb"(?:[bruf]{0,2}\\*\"([^\"\r\n]+)|[bruf]{0,2}\\*'([^'\r\n]+)|([^\s\"'`&,;)}\]<>|=:({\[\\][^\s\"'`&,;)}\]<>|]*))"
)

_JSON_SPACE = rb"(?:[ \t]|\\t)"
_ENDS = rb"(?:\\*[\"']?\]?" + _JSON_SPACE + rb"*[:=]|\"[,}\]])"
SCREEN = (
    named(
        rb"(?:(?:[A-Z0-9_.\-][\w.\-]*)?" + _ENDS + rb"|(?:[^a-z\"\\]|\\.)(?:[^\"\\]|\\.)*\":)",
        rb"(?:(?:(?:[0-9_.\-]|[A-Z][a-z])[\w.\-]*)?"
        + _ENDS
        + rb"|(?:[^A-Za-z\"\\]|[A-Z][a-z]|\\.)(?:[^\"\\]|\\.)*\":)",
        escaped=True,
    )
    + rb"|-[\w\-]*"
    + named(
        rb"(?:[A-Z0-9_.\-][\w.\-]*)?(?:" + _JSON_SPACE + rb"|\",\")",
        rb"(?:(?:[0-9_.\-]|[A-Z][a-z])[\w.\-]*)?(?:" + _JSON_SPACE + rb"|\",\")",
    )
)
"""Matches the JSON form of every text, key, pair and flag that redaction by name may change."""

PATH_STARTS = ("/", "~", ".")
"""`pwd` is a password, or where a process works."""
_STRONG = frozenset(
    (
        "password",
        "passwords",
        "passwd",
        "passphrase",
        "pass_word",
        "passcode",
        "pwd",
        "api_key",
        "secret_key",
        "private_key",
    )
)
_NO_VALUE = frozenset(
    b"none null nil true false undefined unset empty hidden invalid required missing incorrect expired wrong failed "
    b"ok yes no not is was are must should redacted changed updated rejected accepted optional default unknown and or "
    b"for to from with in of the a an option flag argument".split()
)
_REFERENCE = linear(rb"\$\{?\{?[ A-Z0-9_.]+\}?\}?|%[A-Z0-9_]+%|%[sdr]|\*+|\.\.\.|-+|x+|X+")
_MIXED = linear(rb"[0-9][^0-9\s]|[^0-9\s][0-9]|[!@#$%^&*+/=~]")
_LETTER = linear(rb"[0-9A-Za-z\x80-\xff]")
_LINE_END = linear(rb"[ \t]*(?:[\r\n,;.]|\z)")
_FLAG = linear(rb"(?:\A|[\s\"'=])--?[\w.\-]*\z")


def value_of(text: bytes, found: Match, first: int) -> tuple[str, int, int] | None:
    """The rule and the span of the secret of a match of PATTERN whose groups start at `first`; None: no secret."""
    head, operator, blank, double, single, bare = range(first, first + GROUPS)
    start, end = found.start(head), found.end(head)
    rule = secret_in(text, start, end)
    if rule is None:
        return None
    if found.start(blank) >= 0 and not _FLAG.search(text[max(0, start - 64) : end]):
        return None
    for quoted in (double, single):
        if found.start(quoted) >= 0:
            value = found.group(quoted)
            if (
                _is_lexeme(rule, text[end : end + 1], found.group(operator), value)
                or _refers(value, rule)
                or not _LETTER.search(value)
            ):
                return None
            return rule, found.start(quoted), found.end(quoted)
    value, begin, stop = found.group(bare), found.start(bare), found.end(bare)
    if _refers(value, rule) or value.lower() in _NO_VALUE or value.startswith(b"//"):
        return None
    if found.group(operator) in (b"=", b"=>") or found.start(blank) >= 0:
        names_itself = value.lower() == text[start:end].lower() or value.startswith((b"self.", b"os.environ"))
        return None if names_itself or b"(" in value else (rule, begin, stop)
    if b"(" in value or len(value) < 4:
        return None
    if _MIXED.search(value) or len(value) >= 24 or (rule in _STRONG and _LINE_END.match(text, stop)):
        return (rule, begin, stop)
    return None


def _is_lexeme(rule: str, after_head: bytes, operator: bytes | None, value: bytes) -> bool:
    """`unexpected token: 'end'` is a parser speaking."""
    spoken = rule == "token" and operator is not None and b":" in operator and after_head in b": "
    return spoken and not _MIXED.search(value)


def _refers(value: bytes, rule: str) -> bool:
    if rule == "pwd" and value.decode("latin-1").startswith(PATH_STARTS):
        return True
    return _REFERENCE.fullmatch(value) is not None
