from __future__ import annotations

import pytest

from runline.intake.keys import PHRASES, key_rule, mentioned, named, secret_in
from runline.intake.linear import linear
from runline.testing.corpus import KEYED


@pytest.mark.parametrize("key", KEYED)
def test_secret_keys_are_known(key: str) -> None:
    assert key_rule(key) is not None


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_is_known_in_every_spelling(phrase: str) -> None:
    words = phrase.split()
    rule = phrase.replace(" ", "_")
    for spelling in (
        phrase,
        rule,
        "-".join(words),
        ".".join(words),
        "".join(words),
        phrase.upper().replace(" ", "_"),
        "".join(word.title() for word in words),
        words[0] + "".join(word.title() for word in words[1:]),
        f"my_{rule}_2",
        f"X-{phrase.title().replace(' ', '-')}",
        f"{phrase} of the day",
    ):
        assert key_rule(spelling) is not None, spelling


@pytest.mark.parametrize(
    "key",
    [
        "tokens",
        "max_tokens",
        "tokens_used",
        "TOKENS",
        "MAX_TOKENS",
        "maxTokens",
        "tokenizer",
        "tokenise",
        "xtoken",
        "XTOKEN",
        "secretary",
        "passwordless",
        "cookiecutter",
        "authorizations",
        "apikeyring",
        "keyboard",
        "key",
        "author",
        "session_id",
        "run_id",
        "correlation_id",
        "token_count",
        "tokenCount",
        "TOKEN_LIMIT",
        "token_type",
        "secret_name",
        "password_file",
        "api_key_id",
        "cookie_policy",
        "eos_token",
        "pad_token",
        "prompt_token",
        "é",
    ],
)
def test_ordinary_keys_are_not(key: str) -> None:
    assert key_rule(key) is None


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("token_count_token", "token"),
        ("secret idle", "secret"),
        ("tokenX", "token"),
        ("tokenS", "token"),
        ("xTOKEN", "token"),
        ("TOKENValue", "token"),
        ("APIKey", "api_key"),
        ("apiKEY", "api_key"),
        ("APIKEY", "api_key"),
        ("AccessTOKEN", "access_token"),
        ("token2", "token"),
        ("2token", "token"),
        ("x" * 2000 + "_password", "password"),
    ],
)
def test_words_end_where_case_and_digits_say(key: str, rule: str) -> None:
    assert key_rule(key) == rule


def test_part_of_a_text_is_judged_with_its_context() -> None:
    text = b"the eos_token and a token"
    assert secret_in(text, text.index(b"token"), text.index(b" and")) is None
    assert secret_in(text, text.rindex(b"token")) == "token"


def test_mentioned_is_never_narrower_than_named() -> None:
    narrow, wide = (
        linear(named(rb"(?:[^a-z]|\z)", rb"(?:[^A-Za-z]|\z)")),
        linear(mentioned(rb"(?:[^a-z]|\z)", rb"(?:[^A-Za-z]|\z)")),
    )
    for key in KEYED:
        assert narrow.search(key.encode()) is not None
        assert wide.search(key.encode()) is not None
