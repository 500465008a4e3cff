"""Texts and JSON values dense in what redaction looks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from runline.intake.families import FAMILIES
from runline.testing.corpus import BAD_TEXTS, KEYED, ORDINARY, SECRETS

_KEYS = [
    *KEYED,
    "eos_token",
    "token_count",
    "secret_id",
    "pwd",
    "dbPassHash",
    "x",
    "name",
    "value",
    "TOKENS",
    "api",
]
_GLUE = [
    '"',
    "'",
    "\\",
    "\\\\",
    "=",
    ":",
    ": ",
    " = ",
    "=>",
    " ",
    "\n",
    "\t",
    "\r\n",
    "\x01",
    "\0",
    "é",
    "-",
    "--",
]
_GLUE += [
    "_",
    ".",
    "&",
    "?",
    ",",
    ";",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "$X",
    "None",
    "abc",
    "hunter2",
    "1",
    "@",
    "/",
]
_GLUE += [
    "https://u:",
    "[REDACTED:token]",
    "[REDACTED:",
    "Bearer ",
    "Basic ",
    "Cookie: a=",
    "login me password ",
]
_GLUE += ["-----BEGIN " + "PRIVATE KEY-----", "curl -u a:", ";pwd=", "\u2028", "\x1b", "A", "s", "token"]
_SECRETS = [text for samples in SECRETS.values() for text, _ in samples] + [
    family.secret for family in FAMILIES
]

_ODD = [text for text in BAD_TEXTS.values() if len(text) < 100]


def _one_of(choices: Sequence[str]) -> st.SearchStrategy[str]:
    """Like sampled_from, whose representation would hold every choice."""
    return st.integers(0, len(choices) - 1).map(choices.__getitem__)


fragments = st.one_of(
    _one_of(_KEYS), _one_of(_GLUE), _one_of(_SECRETS), _one_of(ORDINARY), _one_of(_ODD), st.text(max_size=6)
)
texts = st.lists(fragments, max_size=8).map("".join)
keys = st.one_of(_one_of(_KEYS), texts)
scalars: st.SearchStrategy[Any] = st.one_of(
    texts, st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False)
)
json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)
