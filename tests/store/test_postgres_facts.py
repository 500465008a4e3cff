"""What a real server says of itself."""

from __future__ import annotations

from runline.store.event_ids import EventIds
from runline.store.postgres import PostgresEngine
from runline.store.postgres_facts import facts
from runline.testing.place import PostgresPlace


def test_settings_load_and_lag(place: PostgresPlace) -> None:
    store, other = place.open(), place.open()
    engine = store.engine
    assert isinstance(engine, PostgresEngine)
    found = facts(engine)
    assert (found.fsync, found.synchronous_commit, found.autovacuum) == ("off", "on", "on")
    assert 0 < found.connections < found.max_connections == 200
    assert (found.waiting_ids, found.idle_transaction_s) == (0, 0)
    assert abs(found.skew_ms) < 60_000
    with other.engine.transaction() as tx:
        ids = EventIds()
        ids.begin(tx)
        ids.take(4)
        waiting = facts(engine)
        assert waiting.waiting_ids == 4
        assert waiting.idle_transaction_s > 0
