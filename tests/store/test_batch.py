"""One turn: order is kept between streams and jobs, and what is refused hurts nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runline.intake.accept import draft
from runline.intake.redact import Redactor
from runline.model.errors import RunEnded
from runline.model.event import Draft
from runline.store.append import Appender
from runline.store.batch import Batch
from runline.store.jobs import Job
from runline.store.sql_store import SqlStore
from runline.testing.streams import whole


def line(message: str) -> Draft:
    return draft("log", message, None, ts_ms=1_000)


def test_streams_and_jobs_take_their_turn_in_order(store: SqlStore) -> None:
    first, second = store.create_run("first").run_id, store.create_run("second").run_id
    one, two = store.stream(first, announced=False), store.stream(second, announced=False)

    def add(appender: Appender, drafts: Sequence[Draft]) -> int:
        return appender.add(appender.entry(first), drafts).first_seq

    def refuse(appender: Appender, drafts: Sequence[Draft]) -> int:
        raise RunEnded(f"not {appender.entry(first).run} with {len(drafts)}")

    added, refused = Job(add, [line("job")]), Job(refuse, [line("never")])
    batch = Batch(
        [
            (one, line("a")),
            (two, line("x")),
            (one, line("b")),
            added,
            refused,
            (one, line("token=abcdefgh12345678")),
        ],
        Redactor(),
    )

    def turn() -> None:
        appender = store.writer.appender
        with store.engine.transaction() as tx:
            appender.begin(tx, store.clock.now_ms())
            batch.perform(appender)
            appender.flush()
        appender.committed()
        batch.committed()

    store.writer.between(turn)
    assert [event.message for event in whole(store, first)][1:] == ["a", "b", "job", "token=[REDACTED:token]"]
    assert [event.message for event in whole(store, second)][1:] == ["x"]
    assert added.future.result(0) == 4
    with pytest.raises(RunEnded):
        refused.future.result(0)
