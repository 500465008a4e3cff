from __future__ import annotations

import msgspec
from hypothesis import given

from runline.model.token import NewToken, Token
from runline.model.wire.tokens import new_token_of, new_token_view, token_list, token_of, token_view
from tests.model.wire.structs import any_of, through_json

ONE = Token(id="tok_1", name="ci", tenant=None, scopes=("read", "admin"), created_at_ms=0, expires_at_ms=1)


def test_a_token() -> None:
    assert msgspec.to_builtins(token_view(ONE)) == {
        "id": "tok_1",
        "name": "ci",
        "tenant": None,
        "scopes": ("read", "admin"),
        "created_at": "1970-01-01T00:00:00.000Z",
        "expires_at": "1970-01-01T00:00:00.001Z",
        "revoked_at": None,
        "last_used_at": None,
    }


@given(any_of(Token))
def test_it_leads_back_to_the_very_token(one: Token) -> None:
    assert token_of(through_json(token_view(one))) == one
    made = NewToken(token=one, secret="rl_x")
    assert new_token_of(through_json(new_token_view(made))) == made


def test_a_list_keeps_the_order() -> None:
    two = msgspec.structs.replace(ONE, id="tok_2")
    assert [one.id for one in token_list([two, ONE]).tokens] == ["tok_2", "tok_1"]
