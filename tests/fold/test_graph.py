from __future__ import annotations

import itertools
from collections.abc import Callable

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from runline.fold.graph import NODE_HEIGHT_PX, NODE_WIDTH_PX, Graph, blocked_steps, lay_out, matrix_name
from runline.fold.state import RunFold
from runline.model.step import Step

Tell = Callable[..., RunFold]


def graph(dependencies: dict[str, tuple[str, ...]]) -> Graph:
    return lay_out(
        [
            Step(run_id="r", step_id=name, state="pending", index=index, dependencies=before)
            for index, (name, before) in enumerate(dependencies.items())
        ]
    )


def planned(tell: Tell, *steps: dict[str, object]) -> RunFold:
    return tell(("run_started", {"plan": {"steps": steps}}, 0))


def test_everything_downstream_of_a_failure_is_blocked(tell: Tell) -> None:
    fold = planned(
        tell,
        {"id": "a"},
        {"id": "b", "dependencies": ["a"]},
        {"id": "c", "dependencies": ["b", "z"]},
        {"id": "d"},
        {"id": "e", "dependencies": ["d"]},
    )
    tell(("step_failed", "a"), ("step_completed", "d"), ("log", "stage"), onto=fold)
    assert blocked_steps(fold.steps.values()) == ("b", "c")
    tell(("step_started", "a"), onto=fold)
    assert blocked_steps(fold.steps.values()) == ()


def test_a_step_that_ran_all_the_same_passes_nothing_on(tell: Tell) -> None:
    fold = planned(tell, {"id": "a"}, {"id": "b", "dependencies": ["a"]}, {"id": "c", "dependencies": ["b"]})
    tell(("step_failed", "a"), onto=fold)
    assert blocked_steps(fold.steps.values()) == ("b", "c")
    tell(("step_completed", "b"), onto=fold)
    assert blocked_steps(fold.steps.values()) == ()


def test_an_optional_failure_blocks_nothing(tell: Tell) -> None:
    fold = planned(tell, {"id": "a", "optional": True}, {"id": "b", "dependencies": ["a"]})
    tell(("step_failed", "a"), onto=fold)
    assert blocked_steps(fold.steps.values()) == ()


def test_a_failed_matrix_step_blocks_what_waits_for_the_whole(tell: Tell) -> None:
    fold = planned(tell, {"id": "build[0]"}, {"id": "build[1]"}, {"id": "ship", "dependencies": ["build"]})
    tell(("step_completed", "build[0]"), ("step_failed", "build[1]"), onto=fold)
    assert blocked_steps(fold.steps.values()) == ("ship",)


def test_matrix_names() -> None:
    assert matrix_name("build[12]") == "build"
    assert [matrix_name(name) for name in ("build", "[1]", "build[x]", "build[1]x", "build[٣]")] == [None] * 5


def test_a_diamond_is_laid_out_in_columns() -> None:
    drawn = graph({"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")})
    places = {node.id: (node.x, node.y) for node in drawn.nodes}
    assert places["a"] == (0, 0)
    assert places["b"][0] == places["c"][0] == places["d"][0] / 2
    assert places["b"][0] >= NODE_WIDTH_PX
    assert places["c"][1] - places["b"][1] >= NODE_HEIGHT_PX
    assert [(edge.source, edge.to) for edge in drawn.edges] == [
        ("a", "b"),
        ("a", "c"),
        ("b", "d"),
        ("c", "d"),
    ]
    assert msgspec.json.encode(drawn.edges[0]) == b'{"from":"a","to":"b"}'


def test_rows_follow_the_rows_of_what_they_wait_for() -> None:
    drawn = graph({"a": (), "b": (), "y": ("b",), "x": ("a",)})
    rows = {node.id: node.y for node in drawn.nodes}
    assert (rows["x"], rows["y"]) == (0, rows["b"])


def test_unknown_dependencies_are_left_out() -> None:
    assert graph({"a": ("nowhere",)}).edges == ()


def test_a_cycle_is_reported_with_its_path_and_still_drawn() -> None:
    drawn = graph({"a": ("c",), "b": ("a",), "c": ("b",), "d": ("d",)})
    assert drawn.cycles == (("a", "c", "b", "a"), ("d", "d"))
    assert len(drawn.nodes) == 4
    assert len(drawn.edges) == 4


@given(st.lists(st.lists(st.integers(0, 11), max_size=4), max_size=12))
def test_no_two_boxes_overlap_and_lines_go_right(waits: list[list[int]]) -> None:
    drawn = graph({str(n): tuple(str(m) for m in before) for n, before in enumerate(waits)})
    places = {node.id: (node.x, node.y) for node in drawn.nodes}
    assert len(set(places.values())) == len(waits)
    back = [edge for edge in drawn.edges if places[edge.source][0] >= places[edge.to][0]]
    closing = {pair for cycle in drawn.cycles for pair in itertools.pairwise(cycle)}
    assert all((edge.to, edge.source) in closing for edge in back)
    assert bool(back) <= bool(drawn.cycles)


def test_ten_thousand_steps_in_a_chain() -> None:
    drawn = graph({str(n): (str(n - 1),) for n in range(10_000)})
    assert max(node.x for node in drawn.nodes) == drawn.nodes[1].x * 9_999
