from __future__ import annotations

import traceback
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings

from runline.intake.accept import draft
from runline.intake.redact import Redactor, _screen, known_from_environment
from runline.intake.safe import clean, safe
from runline.model.checksum import content_check
from runline.model.event import Draft
from runline.testing.corpus import BAD_TEXTS, KEYED, ORDINARY, SECRETS, TERMINAL
from tests.intake.fragments import json_values, texts

REDACTOR = Redactor()
SCREEN = _screen((), True)
PLANTED = [(family, text, secret) for family, samples in SECRETS.items() for text, secret in samples]


def payload_of(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def drafted(message: str, data: dict[str, Any], **names: Any) -> Draft:
    return draft("log", message, data, ts_ms=1_795_200_000_000, **names)


def _in_a_traceback(text: str) -> str:
    error = ValueError(text)
    return "".join(traceback.format_exception(error)) + f"During handling of {error!r}"


PLACES = {
    "message": lambda text: text,
    "sentence": lambda text: f"failed with {text} (retrying)",
    "new line": lambda text: f"first\n{text}\nlast",
    "value": lambda text: {"note": text},
    "quoted within": lambda text: {"body": f'{{"note": "{text}"}}'},
    "nested list": lambda text: {"a": [1, ["x", {"b": [text]}]]},
    "key": lambda text: {text: 1},
    "url": lambda text: f"https://api.example.com/v1?x=1&k={text}",
    "traceback": _in_a_traceback,
}


@pytest.mark.parametrize("place", PLACES)
def test_planted_secrets_do_not_survive(place: str) -> None:
    plant = PLACES[place]
    missed = [
        family
        for family, text, secret in PLANTED
        if secret in payload_of(REDACTOR.value(plant(text))).replace("\\n", "\n").replace("\\", "")
    ]
    assert len(SECRETS) >= 40
    assert len(missed) <= len(PLANTED) / 100, missed


@pytest.mark.parametrize("place", ["message", "value", "nested list", "key"])
def test_planted_secrets_do_not_survive_a_batch(place: str) -> None:
    drafts = []
    for _, text, _ in PLANTED:
        planted: Any = PLACES[place](text)
        drafts.append(drafted(planted, {}) if isinstance(planted, str) else drafted("m", planted))
    for (family, _, secret), made in zip(PLANTED, REDACTOR.batch(drafts), strict=True):
        assert secret not in made.message + made.payload, family
        assert made.check == content_check(
            made.ts_ms, made.message.encode(), made.correlation_id, made.payload.encode()
        )


@pytest.mark.parametrize("key", KEYED)
def test_the_key_gives_the_value_away(key: str) -> None:
    hidden = REDACTOR.value({key: "swordfish", "list": [{key: ["swordfish"]}]})
    assert "swordfish" not in payload_of(hidden)
    assert key in hidden
    assert SCREEN.search(payload_of({key: "swordfish"}).encode()) is not None


@pytest.mark.parametrize("line", ORDINARY)
def test_ordinary_lines_stay(line: str) -> None:
    assert REDACTOR.text(line) is line
    assert REDACTOR.value({"line": line, "lines": [line]}) == {"line": line, "lines": [line]}


def test_ordinary_data_stays() -> None:
    data = {
        "tokens_used": 5, "max_tokens": 9, "token_count": 3, "token": 7, "secret": None, "password": False,
        "pwd": "/srv/build", "tokenizer": "bpe", "token_type": "access", "secret_name": "db", "api_key": "",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "columns": ["id", "token", "at"],
        "flags": ["--token", "--verbose"], "argv": ["-v", "x"], "name": "token", "eos_token": "</s>",
    }  # fmt: skip
    assert REDACTOR.value(data) == data


def test_few_ordinary_lines_wake_the_slow_path() -> None:
    hits = [line for line in ORDINARY if SCREEN.search(line.encode())]
    assert len(hits) < len(ORDINARY) / 4
    assert (
        SCREEN.search(
            b'{"tokens_used":1,"max_tokens":2,"tokens_in":3,"trace":"4bf92f3577b34da6a3ce929d0e0e4736"}'
        )
        is None
    )


def test_neighbours_give_a_value_away() -> None:
    assert REDACTOR.value(["--password", "hunter2", "--x"]) == ["--password", "[REDACTED:password]", "--x"]
    assert REDACTOR.value(["X-Api-Key", "hunter2"]) == ["X-Api-Key", "[REDACTED:api_key]"]
    assert REDACTOR.value({"name": "DB_PASSWORD", "value": "hunter2"})["value"] == "[REDACTED:password]"
    assert REDACTOR.value({"name": "city", "value": "Bern"})["value"] == "Bern"


def test_numbers_under_a_password_are_hidden_and_shape_is_kept() -> None:
    assert REDACTOR.value({"password": 1234, "pin_code": 1.5}) == {
        "password": "[REDACTED:password]",
        "pin_code": "[REDACTED:pin_code]",
    }
    assert REDACTOR.value({"credentials": {"user": "me", "age": 3, "more": ["x", True]}}) == {
        "credentials": {
            "user": "[REDACTED:credentials]",
            "age": 3,
            "more": ["[REDACTED:credentials]", True],
        }
    }


def test_keys_that_become_equal_are_both_kept() -> None:
    one, two = (text for text, _ in SECRETS["github classic"][:2])
    assert REDACTOR.value({one: 1, two: 2}) == {"[REDACTED:github_token]": 1, "[REDACTED:github_token]_": 2}


def test_a_redacted_key_is_judged_by_what_is_left() -> None:
    secret = SECRETS["github classic"][0][0]
    assert REDACTOR.value({f"é{secret} password": "x"}) == {
        "é[REDACTED:github_token] password": "[REDACTED:password]"
    }


@given(texts)
@settings(max_examples=400, deadline=None)
def test_redacting_a_text_twice_is_redacting_it_once(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


@given(json_values)
@settings(max_examples=400, deadline=None)
def test_redacting_a_value_twice_is_redacting_it_once(value: Any) -> None:
    once = REDACTOR.value(safe(value))
    assert REDACTOR.value(once) == once


@given(json_values)
@settings(max_examples=600, deadline=None)
def test_the_screen_hits_whatever_redaction_changes(value: Any) -> None:
    data = {"value": value}
    try:
        encoded = msgspec.json.encode(data)
    except UnicodeEncodeError:
        return  # such a value never takes the fast path
    if REDACTOR.value(safe(data)) != msgspec.json.decode(encoded):
        assert SCREEN.search(encoded) is not None


@given(texts)
@settings(max_examples=400, deadline=None)
def test_a_text_is_redacted_the_same_alone_and_in_a_batch(text: str) -> None:
    text = clean(text).strip() or "x"
    plain = drafted("nothing here", {"a": 1})
    batch = REDACTOR.batch([plain, drafted(text, {"t": text}, correlation_id=text[:50]), plain])
    assert [batch[0], batch[2]] == [plain, plain]
    assert batch[1].message == REDACTOR.text(text)
    assert msgspec.json.decode(batch[1].payload) == {"t": REDACTOR.text(text)}
    assert batch[1].correlation_id == REDACTOR.text(text[:50])


def test_a_batch_brings_the_fast_encoding_into_the_documented_forms() -> None:
    made = drafted("a\0b", {"n": 2**64, "t": "x\0y", "w": [-(2**63) - 1, 2**63 - 1]}, correlation_id="c\0")
    for redactor in (REDACTOR, Redactor(enabled=False)):
        (stored,) = redactor.batch([made])
        assert stored.clean
        assert stored.message == "a\ufffdb"
        assert stored.correlation_id == "c\ufffd"
        assert msgspec.json.decode(stored.payload) == {
            "n": str(2**64),
            "t": "x\ufffdy",
            "w": [str(-(2**63) - 1), 2**63 - 1],
        }


def test_nanosecond_times_do_not_wake_the_slow_path() -> None:
    made = drafted("m", {"at_ns": 1_795_200_000_000_000_000})
    assert REDACTOR.batch([made])[0] is made


def test_clean_drafts_and_empty_batches_pass_through() -> None:
    done = msgspec.structs.replace(drafted("password=hunter2", {}), clean=True)
    assert REDACTOR.batch([done]) == [done]
    assert REDACTOR.batch([]) == []


def test_disabled_redaction_changes_no_text() -> None:
    off = Redactor(enabled=False, known=["swordfish"])
    made = drafted("password=hunter2 swordfish", {"password": "x"})
    assert off.batch([made]) == [made]
    assert off.text("password=hunter2") == "password=hunter2"
    assert off.value({"password": "x"}) == {"password": "x"}


def test_known_values_are_masked_wherever_they_stand() -> None:
    known = ["correct horse", 'quo"te\\d', "abc", "umläut-wört"]
    redactor = Redactor(known=known)
    made = drafted(
        f"it was {known[0]}!",
        {"a": [known[1]], known[3]: 1},
        step=known[0],
        source="abc",
        correlation_id=known[0],
    )
    (stored,) = redactor.batch([made])
    assert stored.message == "it was [REDACTED:known]!"
    assert msgspec.json.decode(stored.payload) == {"a": ["[REDACTED:known]"], "[REDACTED:known]": 1}
    assert (stored.step, stored.source, stored.correlation_id) == (
        "[REDACTED:known]",
        "abc",
        "[REDACTED:known]",
    )
    other = drafted("m", {}, step="extract", source=known[0])
    again = redactor.batch([other, made])
    assert (again[0].step, again[0].source, again[1].step) == (
        "extract",
        "[REDACTED:known]",
        "[REDACTED:known]",
    )
    for _ in range(2):
        assert redactor.batch([drafted("m", {}, step="extract")])[0].step == "extract"


def test_the_memory_of_names_is_bounded() -> None:
    redactor = Redactor(known=["swordfish"])
    redactor.batch([drafted("m", {}, step=f"s{n}") for n in range(10_002)])
    redactor.batch([drafted("m", {}, step="one more")])
    assert len(redactor._seen_names) < 10


def test_the_environment_tells_its_secrets() -> None:
    environ = {
        "DB_PASSWORD": "longenough",
        "API_KEY": "short",
        "PATH": "/usr/bin:/bin",
        "TOKEN_LIMIT": "123456789",
    }
    assert known_from_environment(environ) == ["longenough"]


def test_input_says_whether_it_was_changed() -> None:
    assert REDACTOR.input({"date": "2026-11-20", "n": float("nan")}) == (
        {"date": "2026-11-20", "n": None},
        False,
    )
    assert REDACTOR.input({"password": "x"}) == ({"password": "[REDACTED:password]"}, True)


@pytest.mark.parametrize("text", [*BAD_TEXTS.values(), *TERMINAL.values()])
def test_odd_texts_stay(text: str) -> None:
    assert REDACTOR.text(text) == text


HOSTILE = {
    "open header": "Authorization: Bearer ",
    "open assignment": "password=",
    "open quote": 'password="',
    "key words": "secret_token_password-",
    "counted tokens": "token_count_",
    "begins": "-----BEGIN " + "PRIVATE KEY-----",
    "almost a jwt": "eyJhbGciOi.",
    "almost a url": "://a:",
    "digits and dots": "123456789:A.",
    "marks": "[REDACTED:a]token=",
    "backslashes": 'token\\"',
    "flags": "--a --token ",
    "hex": "0f",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_of_hostile_text_is_redacted(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once
    assert len(once) <= 12 * len(text)


def test_a_text_that_never_settles_is_hidden_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runline.intake.redact._MAX_ROUNDS", 1)
    assert REDACTOR.text("password=hunter2") == "[REDACTED:text]"
