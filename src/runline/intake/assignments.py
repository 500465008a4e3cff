"""Secrets that only their name gives away in running text: `password=…`, `"api_key": "…"`, `--token …`.

What follows `=` is taken at its word. After `:` or a spaced `=`, where prose and source code also stand, an
unquoted value must look like a secret; references (`$TOKEN`, `<password>`, `None`) never do.
"""

from __future__ import annotations

from runline.intake.keys import mentioned, named, secret_in
from runline.intake.linear import linear

_REST = (rb"(?:[A-Z0-9_.\-][\w.\-]*)?", rb"(?:(?:[0-9_.\-]|[A-Z][a-z])[\w.\-]*)?")
"""What a name may go on with after a phrase in lower and in upper case."""
_HEAD = linear(named(*_REST) + rb"[\\\"'\] \t=:]")
"""A secret's name and what may begin an operator."""
_TAIL = linear(
    rb"(?:\\*[\"']?\]?([ \t]*(?:=>|:=|=|:)[ \t]*)|([ \t]+))"
    rb"(?:[bruf]{0,2}\\*\"([^\"\r\n]+)|[bruf]{0,2}\\*'([^'\r\n]+)"
    rb"|([^\s\"'`&,;)}\]<>|=:({\[\\][^\s\"'`&,;)}\]<>|]*))"
)
_OPERATOR, _BLANK, _DOUBLE, _SINGLE, _BARE = range(1, 6)

_JSON_SPACE = rb"(?:[ \t]|\\t)"
_MENTIONED = mentioned(*_REST)
SCREEN = (
    _MENTIONED
    + rb"(?:\\*[\"']?\]?"
    + _JSON_SPACE
    + rb"*[:=]"  # an operator, or the colon after a key
    + rb"|\"[,}\]]"  # the end of a bare name or flag
    + rb"|(?:[^\"\\\w.\-]|\\.)(?:[^\"\\]|\\.)*\":)"  # a key that says more
    + rb"|[\w.\-]"  # a flag
    + _MENTIONED
    + _JSON_SPACE
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
_REFERENCE = linear(rb"\$\{?\{?[ A-Z0-9_.]+\}?\}?|%[A-Z0-9_]+%|%[sdr]|\*+|\.\.\.|-+|x{3,}|X{3,}")
_MIXED = linear(rb"[0-9][^0-9\s]|[^0-9\s][0-9]|[!@#$%^&*+/=~]")
_LETTER = linear(rb"[0-9A-Za-z\x80-\xff]")
_LINE_END = linear(rb"[ \t]*(?:[\r\n,;.]|\z)")
_FLAG = linear(rb"(?:\A|[\s\"'=])--?[\w.\-]*\z")


def next_secret(text: bytes, position: int) -> tuple[str, int, int] | None:
    """The rule and the span of the first secret after `position` that its name gives away."""
    while found := _HEAD.search(text, position):
        end = found.end() - 1
        secret = _value_of(text, found.start(), end)
        if secret is not None:
            return secret
        position = end
    return None


def _value_of(text: bytes, start: int, end: int) -> tuple[str, int, int] | None:
    """The secret whose name is `text[start:end]`; None when it has none."""
    rule = secret_in(text, start, end)
    found = None if rule is None else _TAIL.match(text, end)
    if rule is None or found is None:
        return None
    if found.start(_BLANK) >= 0 and not _FLAG.search(text[max(0, start - 64) : end]):
        return None
    for quoted in (_DOUBLE, _SINGLE):
        if found.start(quoted) >= 0:
            value = found.group(quoted)
            if (
                _is_lexeme(rule, text[end : end + 1], found.group(_OPERATOR), value)
                or _refers(value, rule)
                or not _LETTER.search(value)
            ):
                return None
            return rule, found.start(quoted), found.end(quoted)
    value, begin, stop = found.group(_BARE), found.start(_BARE), found.end(_BARE)
    if _refers(value, rule) or value.lower() in _NO_VALUE or value.startswith(b"//"):
        return None
    if found.group(_OPERATOR) in (b"=", b"=>") or found.start(_BLANK) >= 0:
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
