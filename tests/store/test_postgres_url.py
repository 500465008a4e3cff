"""Addresses of PostgreSQL stores; a password is in none of them."""

from __future__ import annotations

import pytest

from runline.model.errors import Invalid
from runline.store.location import address
from runline.store.postgres_url import is_postgres, postgres_url, reachable


@pytest.mark.parametrize(
    ("given", "shown", "password"),
    [
        ("postgresql://host/db", "postgresql://host/db", None),
        ("postgres://u@host:5/db", "postgresql://u@host:5/db", None),
        ("POSTGRESQL://u:p%40ss@host/db?sslmode=require", "postgresql://u@host/db?sslmode=require", "p%40ss"),
        ("postgresql://u:a:b@h1:1,h2:2/db", "postgresql://u@h1:1,h2:2/db", "a%3Ab"),
        ("postgresql:///db?host=%2Frun&password=a%26b", "postgresql:///db?host=%2Frun", "a%26b"),
        ("postgresql://u@/db?host=/run", "postgresql://u@/db?host=%2Frun", None),
    ],
)
def test_the_password_is_taken_out_and_put_back_to_connect(
    given: str, shown: str, password: str | None
) -> None:
    assert is_postgres(given)
    assert address(given) == postgres_url(shown) == shown
    told = reachable(shown)
    if password is None:
        assert told == shown
    else:
        assert told == f"{shown}{'&' if '?' in shown else '?'}password={password}"


@pytest.mark.parametrize(
    "given",
    [
        "postgresql://",
        "postgresql://host",
        "postgresql://u:se/cret@host/db",
        "postgresql://u:secret@host/db#x",
        "postgresql://u:secret@ho st/db",
        "postgresql://u:secret@[/db",
        "postgresql://u:secret@host/db\n",
    ],
)
def test_what_is_no_address_is_refused_without_being_told(given: str) -> None:
    with pytest.raises(Invalid) as told:
        address(given)
    assert told.value.code == "bad_store_url"
    assert "secret" not in str(told.value)


def test_other_addresses_have_no_password_to_put_back() -> None:
    assert not is_postgres("sqlite:///x.db")
    assert reachable("https://host/x") == "https://host/x"
