from __future__ import annotations

import pytest

from runline.intake.names import (
    MAX_REMEMBERED,
    Names,
    clean_name,
    clean_text,
    clean_type,
    default_redactor,
    names_for,
)
from runline.intake.redact import Redactor
from runline.testing.corpus import BAD_TEXTS, BAD_VALUES, SECRETS, TERMINAL

SECRET = SECRETS["github classic"][0][1]


@pytest.mark.parametrize("name", [*BAD_VALUES, *BAD_TEXTS, *TERMINAL])
def test_anything_makes_a_name(name: str) -> None:
    value = {**BAD_VALUES, **BAD_TEXTS, **TERMINAL}[name]
    for cleaned in (clean_name(value), clean_type(value)):
        assert type(cleaned) is str
        assert len(cleaned) <= 200
        assert "\0" not in cleaned
        cleaned.encode()
    assert clean_type(value).isprintable()
    assert not set(clean_type(value)) & set(" \n\t")
    assert len(clean_text(value, limit_bytes=50).encode()) <= 50


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("extract", "extract"),
        ("  two words ", "two words"),
        ("", ""),
        (None, ""),
        (7, "7"),
        (b"caf\xc3\xa9\xff", "café\ufffd"),
        (bytearray(b"x"), "x"),
        (["a", 1], '["a",1]'),
        ("matrix[0]", "matrix[0]"),
        ("x" * 300, "x" * 200),
    ],
)
def test_names(given: object, name: str) -> None:
    assert clean_name(given) == name


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("tool_call", "tool_call"),
        ("my.Own-Type", "my.Own-Type"),
        ("a b\tc", "a_b_c"),
        ("a\x1b[2J", "a_[2J"),
        (" ", "log"),
        (None, "log"),
    ],
)
def test_types(given: object, name: str) -> None:
    assert clean_type(given) == name


def test_names_and_texts_are_redacted_before_they_are_cut() -> None:
    assert SECRET[:8] not in clean_name("x" * 180 + " " + SECRET)
    assert SECRET not in clean_type(f"t {SECRET}")
    assert SECRET[:8] not in clean_text("x" * 80 + " " + SECRET, limit_bytes=100)
    assert clean_text("password=swordfish") == "password=[REDACTED:password]"


def test_the_default_redactor_knows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_PASSWORD", "swordfish-9")
    default_redactor.cache_clear()
    try:
        assert clean_text("it is swordfish-9") == "it is [REDACTED:known]"
        assert clean_text("it is swordfish-9", redactor=Redactor()) == "it is swordfish-9"
    finally:
        default_redactor.cache_clear()


def test_names_are_remembered_within_bounds() -> None:
    names = Names(Redactor())
    assert names.type("step_failed") == ("step_failed", "error")
    assert names.types["step_failed"] == ("step_failed", "error")
    assert names.place(" ") is None
    assert names.place(7) == "7"
    assert names.type(7) == ("7", "info")
    for n in range(MAX_REMEMBERED + 2):
        names.place(f"s{n}")
        names.type(f"t{n}")
    assert len(names.places) <= MAX_REMEMBERED
    assert len(names.types) <= MAX_REMEMBERED
    assert names.places[None] is None
    names.place("x" * 5000)
    assert "x" * 5000 not in names.places


def test_each_redactor_has_its_own_names() -> None:
    one, two = Redactor(), Redactor(enabled=False)
    assert names_for(one, 200) is names_for(one, 200)
    assert names_for(two, 200).place("token=abc") == "token=abc"
    assert names_for(one, 200).place("token=abc") == "token=[REDACTED:token]"
