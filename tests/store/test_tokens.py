"""Tokens: found by their secret while they are good, by nobody afterwards, and never told again."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from runline.model.clock import ManualClock
from runline.model.errors import Forbidden, Invalid, NotFound, Unavailable
from runline.model.token import SCOPES
from runline.store import open_local, tokens
from runline.store.sql_store import SqlStore
from runline.testing import corpus

DAY_MS = 86_400_000


def test_a_token_is_found_by_its_secret_alone(store: SqlStore) -> None:
    made = store.create_token("ci", scopes=["read", "ingest"])
    assert made.secret.startswith("rl_")
    assert len(made.secret) >= 3 + 43  # 256 bits in base64
    assert made.token.id.startswith("tok_")
    assert made.token.scopes == ("ingest", "read")
    assert store.find_token(made.secret) == made.token
    again = store.find_token(made.secret.encode())  # by now its use may have been written down
    assert again is not None and again.id == made.token.id
    other = store.create_token("ci", scopes=["read"])
    assert other.secret != made.secret and other.token.id != made.token.id
    for wrong in (
        "",
        "rl_",
        made.token.id,
        made.secret[:-1],
        made.secret + "x",
        made.secret[3:],
        made.secret.upper(),
        "rl_" + "x" * 10_000,
        "rl_\ud800",
        "rl_ümläut",
        b"rl_\xff\xfe",
        b"",
    ):
        assert store.find_token(wrong) is None


def test_the_secret_is_nowhere_in_the_store(store: SqlStore, tmp_path: Path) -> None:
    made = store.create_token("ci", scopes=["admin"])
    assert store.find_token(made.secret) is not None
    assert store.flush(10)
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("PRAGMA wal_checkpoint")
        dump = "\n".join(connection.iterdump())
    connection.close()
    assert made.token.id in dump
    assert made.secret not in dump
    assert made.secret[3:] not in dump
    assert made.secret not in repr(store.list_audit()) + repr(store.list_tokens())


def test_it_expires_by_the_stores_clock(store: SqlStore, clock: ManualClock) -> None:
    made = store.create_token("short", scopes=["read"], expires_in_days=0.5)
    assert made.token.expires_at_ms == clock.now_ms() + DAY_MS // 2
    clock.advance(s=DAY_MS // 2000 - 1)
    assert store.find_token(made.secret) is not None
    clock.advance(s=1)
    assert store.find_token(made.secret) is None
    assert store.list_tokens()[0].state(clock.now_ms()) == "expired"


def test_revoking_is_immediate_here_and_elsewhere(
    store: SqlStore, clock: ManualClock, tmp_path: Path
) -> None:
    made = store.create_token("ci", scopes=["read"])
    with open_local(str(tmp_path / "x.db"), clock=clock) as elsewhere:
        assert elsewhere.find_token(made.secret) is not None
        revoked = store.revoke_token(made.token.id)
        assert revoked.revoked_at_ms == clock.now_ms()
        assert store.find_token(made.secret) is None
        assert elsewhere.find_token(made.secret) is None
    clock.advance(s=9)
    assert store.revoke_token(made.token.id).revoked_at_ms == revoked.revoked_at_ms
    assert [entry.action for entry in store.list_audit().items] == ["revoke_token", "create_token"]
    with pytest.raises(NotFound) as told:
        store.revoke_token("tok_unknown")
    assert told.value.code == "token_not_found"


def test_its_use_is_written_down_once_a_minute(store: SqlStore, clock: ManualClock) -> None:
    made = store.create_token("ci", scopes=["read"])
    used: list[int | None] = []
    for seconds in (0, 30, 29, 1, 59):
        clock.advance(s=seconds)
        assert store.find_token(made.secret) is not None
        assert store.flush(10)
        used.append(store.list_tokens()[0].last_used_at_ms)
    first = made.token.created_at_ms
    assert used == [first, first, first, first + 60_000, first + 60_000]


def test_a_token_is_found_in_a_store_that_may_not_be_written(store: SqlStore, tmp_path: Path) -> None:
    made = store.create_token("ci", scopes=["read"])
    with open_local(str(tmp_path / "x.db"), read_only=True) as reading:
        found = reading.find_token(made.secret)
        assert found is not None and found.last_used_at_ms is None


def test_a_closed_store_finds_none(tmp_path: Path) -> None:
    with open_local(str(tmp_path / "x.db")) as store:
        made = store.create_token("ci", scopes=["read"])
    with pytest.raises(Unavailable):
        store.find_token(made.secret)


def test_a_stored_hash_that_is_another_is_never_taken_for_it(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the database finds is compared again, bit by bit."""
    made = store.create_token("ci", scopes=["read"])
    query = store.engine.query

    def wrong(sql: str, parameters: Any = ()) -> Any:
        return [(*row[:-1], "0" * 64) for row in query(sql, parameters)]

    monkeypatch.setattr(store.engine, "query", wrong)
    assert store.find_token(made.secret) is None


def test_a_tenants_view_makes_and_sees_its_own(store: SqlStore) -> None:
    ours, theirs = store.scoped("ours"), store.scoped("theirs")
    mine = ours.create_token("mine", scopes=["admin"])
    hers = theirs.create_token("hers", scopes=SCOPES, tenant="theirs")
    whole = store.create_token("whole", scopes=["admin"])
    other = store.create_token("other", scopes=["read"], tenant="third")
    assert [made.token.tenant for made in (mine, hers, whole, other)] == ["ours", "theirs", None, "third"]
    assert ours.list_tokens() == [mine.token]
    assert {token.name for token in store.list_tokens()} == {"mine", "hers", "whole", "other"}
    assert ours.find_token(hers.secret) is None
    for unknown in (hers.token.id, whole.token.id):
        with pytest.raises(NotFound):
            ours.revoke_token(unknown)
    with pytest.raises(Forbidden) as told:
        ours.create_token("x", scopes=["read"], tenant="theirs")
    assert told.value.code == "other_tenant"
    assert store.find_token(hers.secret) == hers.token


def test_tokens_are_listed_newest_first(store: SqlStore, clock: ManualClock) -> None:
    for name in "abc":
        store.create_token(name, scopes=["read"])
        clock.advance(s=1)
    assert [token.name for token in store.list_tokens()] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("scopes", "said"),
    [
        (["reed"], "Did you mean 'read'"),
        (["zzz"], "is no scope. One of ingest"),
        ([7], "is no scope"),
        ([], "needs scopes"),
        ("read", "needs scopes"),
        (None, "needs scopes"),
    ],
)
def test_scopes_that_are_none(store: SqlStore, scopes: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said) as told:
        store.create_token("x", scopes=scopes)
    assert list(told.value.fields) == ["scopes"]


@pytest.mark.parametrize("name", ["", "  ", None, 7])
def test_a_name_that_is_none(store: SqlStore, name: Any) -> None:
    with pytest.raises(Invalid) as told:
        store.create_token(name, scopes=["read"])
    assert list(told.value.fields) == ["name"]


@pytest.mark.parametrize("days", [0, -1, 36_501, float("nan"), float("inf"), True, "7"])
def test_a_span_that_is_none(store: SqlStore, days: Any) -> None:
    with pytest.raises(Invalid) as told:
        store.create_token("x", scopes=["read"], expires_in_days=days)
    assert list(told.value.fields) == ["expires_in_days"]


def test_a_tenant_that_is_none(store: SqlStore) -> None:
    with pytest.raises(Invalid) as told:
        store.create_token("x", scopes=["read"], tenant="a\nb")
    assert told.value.code == "bad_tenant"
    assert store.list_tokens() == []


@pytest.mark.parametrize("text", corpus.BAD_TEXTS.values(), ids=corpus.BAD_TEXTS)
def test_a_name_is_cleaned_like_any_other(store: SqlStore, text: str) -> None:
    made = store.create_token("n" + text, scopes=["read"])
    assert store.list_tokens()[0] == made.token
    assert "\0" not in made.token.name and len(made.token.name) <= 200


def test_a_secret_in_a_name_is_redacted(store: SqlStore) -> None:
    secret = store.create_token("x", scopes=["read"]).secret
    made = store.create_token(f"for {secret}", scopes=["read"])
    assert made.token.name == "for [REDACTED:runline_token]"
    assert secret not in repr(store.list_audit())


def test_a_secret_has_the_form_that_redaction_knows() -> None:
    assert tokens.PREFIX == "rl_"
