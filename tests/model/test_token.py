from __future__ import annotations

import pytest

from runline.model.clock import from_ms
from runline.model.token import SCOPES, Token


def token(**given: int | None) -> Token:
    return Token(
        id="tok_1",
        name="ci",
        tenant=None,
        scopes=("read",),
        created_at_ms=1000,
        expires_at_ms=given.get("expires_at_ms"),
        revoked_at_ms=given.get("revoked_at_ms"),
    )


def test_when_it_was_made() -> None:
    assert token().created_at == from_ms(1000)


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, "active"),
        ({"expires_at_ms": 5001}, "active"),
        ({"expires_at_ms": 5000}, "expired"),
        ({"revoked_at_ms": 4000}, "revoked"),
        ({"revoked_at_ms": 4000, "expires_at_ms": 4500}, "revoked"),
    ],
)
def test_what_it_is_good_for_at_a_moment(given: dict[str, int | None], state: str) -> None:
    assert token(**given).state(5000) == state


def test_the_scopes_in_the_order_of_what_they_allow() -> None:
    assert SCOPES == ("ingest", "read", "operate", "admin")
