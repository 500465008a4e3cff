"""What doctor makes of a server's settings; tests/cli/test_over_postgres.py asks a real one."""

from __future__ import annotations

import msgspec
import pytest

from runline.cli.postgres_check import told
from runline.store.postgres_facts import PostgresFacts

SOUND = PostgresFacts(
    version="16.1",
    fsync="on",
    synchronous_commit="on",
    autovacuum="on",
    max_connections=100,
    connections=5,
    idle_transaction_s=0,
    waiting_ids=0,
    skew_ms=3,
)


def test_a_sound_server_is_told_and_nothing_is_advised() -> None:
    checks = list(told(SOUND))
    assert {check.status for check in checks} == {"ok"}
    assert not any(check.advice for check in checks)


@pytest.mark.parametrize(
    ("change", "name", "status", "said"),
    [
        ({"fsync": "off"}, "durability", "fail", "fsync off"),
        ({"synchronous_commit": "off"}, "durability", "ok", "and on for what Runline writes"),
        ({"connections": 90}, "connections", "warn", "90 of 100"),
        ({"autovacuum": "off"}, "autovacuum", "warn", "off"),
        ({"idle_transaction_s": 90.0}, "idle", "warn", "90 s old"),
        ({"waiting_ids": 7}, "lag", "ok", "7 events under way"),
        ({"waiting_ids": 7, "idle_transaction_s": 90.0}, "lag", "warn", "7 events"),
        ({"skew_ms": -5000}, "clock skew", "warn", "-5,000 ms"),
    ],
)
def test_each_trouble_with_its_advice(change: dict[str, object], name: str, status: str, said: str) -> None:
    (check,) = (check for check in told(msgspec.structs.replace(SOUND, **change)) if check.name == name)
    assert check.status == status
    assert said in check.value
    assert bool(check.advice) == (status != "ok")
