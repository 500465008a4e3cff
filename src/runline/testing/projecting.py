"""Invariant 6: projections equal the fold of the log, always."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from runline.fold.snapshot import RunState
from runline.model.call import Call
from runline.model.clock import ManualClock
from runline.model.run import Run
from runline.model.status import RunStatus
from runline.store.interface import Store
from runline.testing.place import Place
from runline.testing.streams import BATCHES, ON_ONE_STORE, PLANS, Raw, at, folded, whole

_SAME = sorted(set(Run.__struct_fields__) & set(RunState.__struct_fields__))


def every_call(store: Store, run_id: str, *, status: str | None = None, limit: int = 1000) -> list[Call]:
    """All pages of the run's calls."""
    page = store.calls(run_id, status=status, limit=limit)
    calls = list(page.items)
    while page.next_cursor is not None:
        page = store.calls(run_id, status=status, limit=limit, cursor=page.next_cursor)
        calls += page.items
    return calls


class ProjectionContract:
    """Whatever a run is told, in whatever batches and by whichever handle: rows and events say the same."""

    examples = 200

    def test_random_streams_through_several_handles(self, place: Place) -> None:
        clock = ManualClock()
        handles = [place.open(clock=clock) for _ in range(2)]

        @settings(max_examples=self.examples, suppress_health_check=ON_ONE_STORE)
        @given(
            kind=st.sampled_from(("run", "session")),
            plan=PLANS,
            batches=BATCHES,
            turns=st.lists(st.integers(0, 1), min_size=9, max_size=9),
            end=st.sampled_from((None, "completed", "failed")),
        )
        def told(
            kind: str,
            plan: Any,
            batches: list[tuple[list[Raw], int]],
            turns: list[int],
            end: RunStatus | None,
        ) -> None:
            run_id = handles[0].create_run("random", kind=kind, plan=plan).run_id
            now = clock.now_ms()
            for turn, (events, passed) in zip(turns, batches, strict=False):
                now += passed
                handles[turn].append(run_id, at(now, events))
            if end is not None:
                handles[turns[-1]].end_run(run_id, end, error="no" if end == "failed" else None)
            for store in handles:
                self.agree(store, run_id)

        told()
        assert handles[0].verify().problems == ()

    def agree(self, store: Store, run_id: str) -> None:
        """Everything that the store says about the run is what its events amount to."""
        expected, run, events = folded(store, run_id), store.get_run(run_id), whole(store, run_id)
        assert store.state(run_id) == expected
        assert store.state(run_id, at_seq=expected.seq) == expected
        assert store.list_steps(run_id) == list(expected.steps)
        assert store.histogram(run_id, slots=512) == expected.histogram
        for field in _SAME:
            assert getattr(run, field) == getattr(expected, field), field
        counted = Counter(event.level for event in events)
        assert (run.event_count, run.last_seq) == (len(events), len(events))
        assert (run.warn_count, run.error_count) == (counted["warn"], counted["error"])
        assert run.artifact_count == len(store.list_artifacts(run_id))
        summary = store.summary(run_id)
        assert summary.by_stage == Counter(event.step or "run" for event in events)
        assert {level: n for level, n in summary.by_severity.items() if n} == dict(counted)
        assert (summary.last_message, summary.last_stage) == (events[-1].message, events[-1].step or "run")
        calls = every_call(store, run_id)
        assert [call for call in calls if call.status == "open"] == list(expected.open_calls)
        assert len(calls) == run.call_count

    def test_the_state_as_of_any_event(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("states", plan={"steps": [{"id": "a"}, {"id": "b"}]}).run_id
        for n in range(30):
            store.append(
                run_id,
                [
                    {"type": "step_started", "step": "ab"[n % 2]},
                    {"type": "step_progress", "step": "ab"[n % 2], "data": {"progress": n}},
                    {"type": "log", "message": f"{n}", "level": "warn"},
                ],
            )
        replayed = list(store.replay(run_id))
        assert [state.seq for state in replayed] == list(range(1, 92))
        for seq in (1, 2, 47, 91):
            assert store.state(run_id, at_seq=seq) == replayed[seq - 1]
        assert replayed[-1] == store.state(run_id)
        assert [state.seq for state in store.replay(run_id, to_seq=3)] == [1, 2, 3]

    def test_a_long_run_with_many_steps_and_calls(self, place: Place) -> None:
        store = place.open()
        run_id = store.create_run("long").run_id
        for part in range(5):
            events: list[dict[str, Any]] = []
            for n in range(part * 500, part * 500 + 500):
                events += [
                    {"type": "step_started", "step": f"s{n}"},
                    {
                        "type": "tool_call",
                        "step": f"s{n}",
                        "correlation_id": f"c{n}",
                        "data": {"name": "read"},
                    },
                    {"type": "step_completed", "step": f"s{n - 7}"},
                ]
                if n % 3:
                    events.append(
                        {"type": "tool_result", "correlation_id": f"c{n - 200}", "data": {"ok": True}}
                    )
            store.append(run_id, events)
        self.agree(store, run_id)
        assert store.verify(run_id).problems == ()
        assert every_call(store, run_id, status="open", limit=7) == list(folded(store, run_id).open_calls)

    def test_what_is_told_first_stays_the_plan(self, place: Place) -> None:
        store = place.open()
        plan = {"steps": [{"id": "a"}, {"id": "b", "dependencies": ["a"]}]}
        run_id = store.create_run("planned", plan=plan).run_id
        store.append(run_id, [{"type": "step_failed", "step": "a", "data": {"error": "no"}}])
        steps = store.list_steps(run_id)
        assert [(step.step_id, step.state) for step in steps] == [("a", "failed"), ("b", "blocked")]
        assert store.get_run(run_id).total_steps == 2
        assert msgspec.json.decode(whole(store, run_id)[0].payload)["plan"] == plan
