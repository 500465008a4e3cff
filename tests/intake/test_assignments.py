from __future__ import annotations

import msgspec
import pytest

from runline.intake.assignments import SCREEN, next_secret
from runline.intake.linear import linear

FOUND = [
    ("password=hunter2", "password", "hunter2"),
    ("password=x", "password", "x"),
    ("DB_PASSWORD=swordfish ./run", "password", "swordfish"),
    ("dbPassword = swordfish9", "password", "swordfish9"),
    ("password := 'x y'", "password", "x y"),
    ("'password' => 'x y'", "password", "x y"),
    ('"api_key": "a b"', "api_key", "a b"),
    ("{'token': 'abc'}", "token", "abc"),
    ('{\\"token\\": \\"abcdef\\"}', "token", "abcdef\\"),
    ("connect(password='x', port=1)", "password", "x"),
    ("connect(password=b'x')", "password", "x"),
    ('environ["DB_PASSWORD"] = "swordfish"', "password", "swordfish"),
    ('password="never closed', "password", "never closed"),
    ("password: hunter2", "password", "hunter2"),
    ("Password: swordfish", "password", "swordfish"),
    ("secret: correct-horse+battery", "secret", "correct-horse+battery"),
    ("token: 0123abc", "token", "0123abc"),
    ("token: abcdefghijklmnopqrstuvwxyz", "token", "abcdefghijklmnopqrstuvwxyz"),
    ("?access_token=abc&x=1", "access_token", "abc"),
    ("--password hunter", "password", "hunter"),
    ("run --api-key  k1 --x", "api_key", "k1"),
    ("token_count=5 token=abc", "token", "abc"),
    ("pwd=swordfish", "pwd", "swordfish"),
    ("token=$ecret", "token", "$ecret"),
]  # fmt: skip
NOT_FOUND = [
    "password=",
    "password",
    "password=$DB_PASSWORD",
    "password=${DB_PASSWORD}",
    "password=xxxx",
    "password=<password>",
    "password=****",
    "password: ...",
    'password="***"',
    'password="%s"',
    "password=None",
    "password: required",
    "password: abc",
    "password: must be long",
    "password=password",
    "password=self.password",
    "token=os.environ['X']",
    "token = get(name)",
    "token=get(name)",
    "token: f(x1)",
    "token: '}'",
    "unexpected token: 'end'",
    "token: invalid",
    "secret://path/x1",
    "secret: //path/x1",
    "std::secret::Thing",
    "the token 123abc was",
    "a-token 123abc was",
    "token_count=5",
    "max_tokens=5",
    "pwd=/srv/x",
    'pwd="/srv/x"',
    "password == x1",
]


def found_in(text: str) -> tuple[str, str] | None:
    raw = text.encode()
    secret = next_secret(raw, 0)
    return None if secret is None else (secret[0], raw[secret[1] : secret[2]].decode())


@pytest.mark.parametrize(("text", "rule", "value"), FOUND)
def test_names_give_values_away(text: str, rule: str, value: str) -> None:
    assert found_in(text) == (rule, value)
    screen = linear(SCREEN)
    assert screen.search(text.encode()) is not None
    assert screen.search(msgspec.json.encode({"t": f"\n{text}\t"})) is not None


@pytest.mark.parametrize("text", NOT_FOUND)
def test_ordinary_text_holds_nothing(text: str) -> None:
    assert found_in(text) is None


def test_the_search_goes_on_where_it_is_told() -> None:
    text = b"token=a token=b"
    assert next_secret(text, 7) == ("token", 14, 15)
    assert next_secret(text, 15) is None
