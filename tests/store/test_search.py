"""Filters as SQL select exactly what the same filter selects in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runline.model.clock import ManualClock
from runline.model.errors import Invalid
from runline.model.filter import matches, parse
from runline.model.run import Run
from runline.store import open_local
from runline.store.search import EventFilter, Where, like
from runline.store.sql_store import SqlStore
from runline.testing.streams import ON_ONE_STORE, whole

CLOCK = ManualClock()
VALUES = {
    "level": ("info", "warn", "error"),
    "type": ("log", "tool_call", "run_started", "never_heard_of"),
    "step": ("extract", "load", "run", "unheard"),
    "source": ("agent", "stdout", "runline", "nobody"),
    "corr": ("c1", "c2", "c9"),
}
NUMBERS = ("elapsed:>20ms", "elapsed:<=40ms", "tokens:>5", "tokens:<=5", "duration:>1s", "duration:<2s")
TEXTS = (
    '"100%"',
    "a_b",
    '"say \\"hi\\""',
    "größer",
    "GRÖßER",
    "Needle",
    "nothing",
    '"!"',
    "[x]",
    '"back\\\\slash"',
)
TERMS = st.one_of(
    st.sampled_from(sorted(VALUES)).flatmap(
        lambda field: st.lists(st.sampled_from(VALUES[field]), min_size=1, max_size=3, unique=True).map(
            lambda values: f"{field}:{','.join(values)}"
        )
    ),
    st.sampled_from(NUMBERS),
    st.sampled_from(TEXTS),
)
QUERIES = st.lists(st.tuples(st.booleans(), TERMS), min_size=1, max_size=4).map(
    lambda terms: " ".join(f"-{term}" if negated else term for negated, term in terms)
)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SqlStore, str]]:
    with open_local(str(tmp_path_factory.mktemp("search") / "x.db"), clock=ManualClock()) as store:
        run_id = store.create_run("searched").run_id
        texts = ("100%", "1000", "a_b", "axb", 'say "hi"', "größer", "needle", "", "!", "[x]", "back\\slash")
        store.append(
            run_id,
            [
                {
                    "type": ("log", "tool_call", "note")[n % 3],
                    "level": ("info", "warn", "error")[n // 2 % 3],
                    "step": (None, "extract", "load", "other")[n % 4],
                    "source": (None, "agent", "stdout")[n // 3 % 3],
                    "correlation_id": (None, "c1", "c2")[n // 5 % 3],
                    "message": texts[n % len(texts)],
                    "ts": CLOCK.now_ms() + n - 5,
                    "data": {
                        "text": texts[n // 7 % len(texts)],
                        "tokens_used": (None, 5, 5.5, 6, "6", True)[n % 6],
                        "duration_ms": (None, 1500, 10**12, "x")[n % 4],
                    },
                }
                for n in range(120)
            ],
        )
        yield store, run_id


@settings(suppress_health_check=ON_ONE_STORE, max_examples=300)
@given(q=QUERIES)
def test_the_store_finds_what_the_filter_matches(searched: tuple[SqlStore, str], q: str) -> None:
    store, run_id = searched
    query = parse(q, scope="events", now_ms=CLOCK.now_ms())
    expected = [event for event in whole(store, run_id) if matches(query, event)]
    assert store.read(run_id, q=q, limit=1000) == expected
    assert [seq for piece in store.index(run_id, q=q) for seq in piece.seqs] == [
        event.seq for event in expected
    ]


def test_plain_parameters_are_the_same_conditions(searched: tuple[SqlStore, str]) -> None:
    store, run_id = searched
    assert store.read(
        run_id, types=["log"], levels=["warn", "error"], steps=["run", "load"], sources=["agent"], limit=1000
    ) == store.read(run_id, q="type:log level:warn,error step:run,load source:agent", limit=1000)
    assert store.read(run_id, correlation_id="c1") == store.read(run_id, q="corr:c1")
    assert store.read(run_id, types="log", limit=1000) == store.read(run_id, types=["log"], limit=1000)
    assert store.read(run_id, sources=["nobody"]) == []


@pytest.mark.parametrize("levels", [["loud"], ["info", ""], ["INFO"]])
def test_an_unknown_level_is_refused(searched: tuple[SqlStore, str], levels: list[str]) -> None:
    store, run_id = searched
    with pytest.raises(Invalid) as told:
        store.read(run_id, levels=levels)
    assert told.value.fields == {"level": "unknown"}


@pytest.mark.parametrize(
    ("q", "scans"),
    [
        ("level:error step:a -type:b", False),
        ("elapsed:>5s", False),
        ("word", True),
        ("tokens:>5", True),
        ("source:agent", True),
    ],
)
def test_what_no_index_answers_is_a_scan(q: str, scans: bool) -> None:
    assert EventFilter(query=parse(q, scope="events", now_ms=0)).scans is scans


def test_a_step_named_like_the_run_is_found_beside_events_without_a_step(store: SqlStore) -> None:
    run_id = store.create_run("named").run_id
    store.append(run_id, [{"message": "a", "step": "run"}, {"message": "b"}, {"message": "c", "step": "x"}])
    assert [event.message for event in store.read(run_id, steps=["run"])][1:] == ["a", "b"]
    assert [event.message for event in store.read(run_id, q="-step:run")] == ["c"]
    assert [event.message for event in store.read(run_id, q="-step:x")][1:] == ["a", "b"]


def test_nothing_to_match_matches_nothing_and_its_complement_all() -> None:
    where = Where()
    assert where.sql == "1 = 1"
    where.any_of("x", [])
    assert where.sql == "1 = 0"
    assert like("50%_!") == "%50!%!_!!%"


# -- runs


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SqlStore, ManualClock, list[Run]]]:
    clock = ManualClock()
    with open_local(str(tmp_path_factory.mktemp("runs") / "x.db"), clock=clock) as store:
        for n in range(24):
            clock.advance(s=60)
            run_id = store.create_run(
                ("nightly", "hourly")[n % 2],
                run_id=f"run-{n:02d}",
                kind=("run", "pipeline", "session")[n % 3],
                tags=[("prod", "test")[n // 2 % 2], f"t{n}"],
                parent_run_id="run-00" if n in (3, 4) else None,
            ).run_id
            store.append(run_id, [{"message": "m", "data": {"tokens_used": n}}])
            clock.advance(s=n)
            if n % 4 < 3:
                error = "no_space left" if n % 4 == 1 else None
                store.end_run(run_id, ("completed", "failed", "cancelled")[n % 4], error=error)
        yield store, clock, store.list_runs(limit=100).items


RUN_FILTERS: dict[str, Callable[[Run, int], bool]] = {
    "status:failed": lambda run, now: run.status == "failed",
    "status:running,completed": lambda run, now: run.status in ("running", "completed"),
    "status:interrupted": lambda run, now: run.status == "interrupted",
    "pipeline:nightly": lambda run, now: run.name == "nightly",
    "kind:session,pipeline": lambda run, now: run.kind in ("session", "pipeline"),
    "tag:prod": lambda run, now: "prod" in run.tags,
    "tag:t5,t6": lambda run, now: bool({"t5", "t6"} & set(run.tags)),
    "tokens:>10": lambda run, now: run.total_tokens > 10,
    "duration:<10s": lambda run, now: (run.completed_at_ms or now) - run.started_at_ms < 10_000,
    "no_space": lambda run, now: "no_space" in (run.error_message or ""),
    "run-1": lambda run, now: "run-1" in run.run_id,
    "since:10m": lambda run, now: run.started_at_ms >= now - 600_000,
    "until:10m": lambda run, now: run.started_at_ms < now - 600_000,
}


@settings(suppress_health_check=ON_ONE_STORE, max_examples=150)
@given(terms=st.lists(st.tuples(st.booleans(), st.sampled_from(sorted(RUN_FILTERS))), min_size=1, max_size=4))
def test_a_list_of_runs_holds_those_that_match(
    many: tuple[SqlStore, ManualClock, list[Run]], terms: list[tuple[bool, str]]
) -> None:
    store, clock, runs = many
    q = " ".join(f"-{term}" if negated else term for negated, term in terms)
    expected = [
        run
        for run in runs
        if all(RUN_FILTERS[term](run, clock.now_ms()) is not negated for negated, term in terms)
    ]
    assert store.list_runs(q=q, limit=100).items == expected
    assert store.counts(q=q).total == len(expected)


def test_plain_parameters_of_runs_are_the_same_conditions(
    many: tuple[SqlStore, ManualClock, list[Run]],
) -> None:
    store, _, runs = many

    def ids(**filters: Any) -> list[str]:
        return [run.run_id for run in store.list_runs(limit=100, **filters).items]

    assert ids(status="failed", name=["nightly", "hourly"], kind="pipeline", tag=("prod", "test")) == ids(
        q="status:failed pipeline:nightly,hourly kind:pipeline tag:prod,test"
    )
    assert ids(parent_run_id="run-00") == ["run-04", "run-03"]
    middle = runs[12].started_at_ms
    assert ids(since_ms=middle) == [run.run_id for run in runs[:13]]
    assert ids(until_ms=middle) == [run.run_id for run in runs[13:]]
    with pytest.raises(Invalid) as told:
        ids(status="finished")
    assert told.value.fields == {"status": "unknown"}
    with pytest.raises(Invalid) as told:
        ids(since_ms=2**70)
    assert told.value.code == "bad_value"
