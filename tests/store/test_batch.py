"""One turn: order is kept between streams and jobs, and what is refused hurts nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import pytest

from runline.intake.accept import draft
from runline.intake.redact import Redactor
from runline.model.errors import RunEnded, RunlineError
from runline.model.event import Draft
from runline.store.append import Appender
from runline.store.batch import Batch
from runline.store.engine import OVERTAKEN
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
    )
    batch.redact(Redactor())

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


def test_what_a_failed_turn_reported_and_refused_is_told_by_the_next(store: SqlStore) -> None:
    run_id = store.create_run("again").run_id
    stream = store.stream(run_id, announced=False)
    stream.dropped = 3
    end = draft("run_ended", "", {"status": "completed"}, ts_ms=1_000)
    nothing_more = Job(lambda appender, _: appender.entry(run_id).fold.last_seq)
    for commits in (False, True):
        batch = Batch([(stream, line("a")), nothing_more, (stream, end), (stream, line("late"))])
        batch.redact(Redactor())

        def turn(batch: Batch = batch, commits: bool = commits) -> None:
            appender = store.writer.appender
            with suppress(ZeroDivisionError), store.engine.transaction() as tx:
                appender.begin(tx, store.clock.now_ms())
                batch.perform(appender)
                appender.flush()
                assert commits or 1 // 0
            if commits:
                appender.committed()
                batch.committed()
            else:
                appender.rolled_back()
                batch.rolled_back()

        store.writer.between(turn)
        assert stream.refused == (1 if commits else 0)
    told = whole(store, run_id)
    assert [event.type for event in told] == ["run_started", "events_dropped", "log", "run_ended"]
    assert told[1].data == {"count": 3}
    assert nothing_more.future.result(0) == 3


@pytest.mark.parametrize(("losses", "attempts"), [(0, 1), (3, 4), (99, 10)])
def test_a_turn_that_another_writer_came_before_is_taken_again(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch, losses: int, attempts: int
) -> None:
    run_id = store.create_run("contended").run_id
    made: list[int] = []

    def append(appender: Appender, drafts: Sequence[Draft]) -> int:
        made.append(appender.add(appender.entry(run_id), drafts).first_seq)
        if len(made) <= losses:
            raise UniqueViolation
        return made[-1]

    class UniqueViolation(Exception):
        """What an engine tells as OVERTAKEN."""

        code = OVERTAKEN

    job = Job(append, [line("once")])
    if losses < attempts:
        assert store.writer.submit(job) == 2
        assert [event.message for event in whole(store, run_id)[1:]] == ["once"]
    else:
        with pytest.raises(RunlineError):
            store.writer.submit(job)
        assert len(whole(store, run_id)) == 1
    assert made == [2] * attempts
    assert store.verify().ok
