"""What `runline doctor` finds out about a PostgreSQL server: its promises, its room, its clock."""

from __future__ import annotations

from collections.abc import Iterator

from runline.cli.doctor import Check, runs
from runline.cli.invocation import Invocation
from runline.cli.sizes import format_size
from runline.model.errors import RunlineError
from runline.store.postgres_facts import PostgresFacts, facts

_SCARCE = 0.8
_IDLE_S = 60
_SKEW_MS = 2_000


def database(invocation: Invocation) -> Iterator[Check]:
    """The checks that take the place of those of a file."""
    yield Check("store", "ok", invocation.url)
    try:
        with invocation.local() as store:  # which also brings an older store up to date
            yield from told(facts(store.engine))  # type: ignore[arg-type]
            info = store.info()
            yield Check(
                "size", "ok", f"{format_size(info.size_bytes)}, {format_size(info.free_bytes)} of it free"
            )
            yield from runs(invocation, store)
    except RunlineError as error:
        yield Check("open", "fail", error.message)


def told(found: PostgresFacts) -> Iterator[Check]:
    """Each fact with what to do about it."""
    yield Check("server", "ok", f"PostgreSQL {found.version}")
    unsafe = found.fsync != "on"
    weak = found.synchronous_commit in ("off", "local")
    yield Check(
        "durability",
        "fail" if unsafe else "ok",
        f"fsync {found.fsync}, synchronous_commit {found.synchronous_commit}"
        + (", and on for what Runline writes" if weak else ""),
        "A power cut can destroy the whole database: set fsync = on." if unsafe else "",
    )
    scarce = found.connections > _SCARCE * found.max_connections
    yield Check(
        "connections",
        "warn" if scarce else "ok",
        f"{found.connections} of {found.max_connections}",
        "Raise max_connections, or let programs write through one `runline serve`." if scarce else "",
    )
    cleaned = found.autovacuum == "on"
    yield Check(
        "autovacuum",
        "ok" if cleaned else "warn",
        found.autovacuum,
        "" if cleaned else "Room of removed runs is only used again after `VACUUM`: set autovacuum = on.",
    )
    idle = found.idle_transaction_s > _IDLE_S
    yield Check(
        "idle",
        "warn" if idle else "ok",
        f"the oldest idle transaction is {found.idle_transaction_s:.0f} s old"
        if idle
        else "no idle transactions",
        "It keeps old rows from being removed: set idle_in_transaction_session_timeout." if idle else "",
    )
    yield Check(
        "lag",
        "warn" if found.waiting_ids and idle else "ok",
        f"{found.waiting_ids:,} events under way" if found.waiting_ids else "none",
        "A writer stands still in its transaction; followers of all runs wait for it."
        if found.waiting_ids and idle
        else "",
    )
    skewed = abs(found.skew_ms) > _SKEW_MS
    yield Check(
        "clock skew",
        "warn" if skewed else "ok",
        f"{found.skew_ms:+,} ms against the server",
        "Runs are judged by the server's clock; events carry this machine's: synchronise it."
        if skewed
        else "",
    )
