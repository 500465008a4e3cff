from __future__ import annotations

from collections.abc import Callable

import msgspec

from runline.fold.state import RunFold

Tell = Callable[..., RunFold]


def levels(fold: RunFold) -> list[tuple[object, ...]]:
    return [msgspec.structs.astuple(level) for level in fold.cold.levels]


def test_a_generation_from_start_to_end(tell: Tell) -> None:
    fold = tell(
        (
            "generation_started",
            {"plan_id": "p1", "total_levels": 2, "total_nodes": 5, "target_path": "src", "reason": None},
        )
    )
    assert fold.total_steps == 5
    assert fold.cold.generation == {
        "plan_id": "p1",
        "total_levels": 2,
        "total_nodes": 5,
        "target_path": "src",
        "state": "running",
    }
    tell(("generation_completed", {"total_generated": 4, "total_failed": 1}), onto=fold)
    assert {"generated": 4, "failed": 1, "state": "completed"}.items() <= fold.cold.generation.items()
    tell(("generation_started", {"plan_id": "p2"}), onto=fold)
    assert fold.cold.generation == {"plan_id": "p2", "state": "running"}
    tell(("generation_failed", {"reason": "provider away"}), onto=fold)
    assert {"reason": "provider away", "state": "failed"}.items() <= fold.cold.generation.items()
    assert fold.touched.cold


def test_nodes_are_steps_and_counted_by_their_level(tell: Tell) -> None:
    node = {"level_index": 0, "path": "src/a"}
    fold = tell(
        ("level_started", {"level_index": 0, "total_count": 2}),
        ("node_generation_started", "a", node),
        ("node_generation_completed", "a", node),
        ("node_generation_started", "b", node),
        ("node_generation_failed", "b", node | {"error": "no answer"}),
    )
    assert levels(fold) == [(0, 2, 1, 1, False)]
    a, b = fold.steps["a"], fold.steps["b"]
    assert (a.state, a.path, a.level_index, b.state, b.error) == (
        "completed",
        "src/a",
        0,
        "failed",
        "no answer",
    )
    fold.touched.clear()
    tell(("node_generation_started", "b", node), ("node_generation_completed", "b", node), onto=fold)
    assert levels(fold) == [(0, 2, 2, 0, False)]
    assert fold.touched.cold


def test_what_a_completed_level_says_is_final(tell: Tell) -> None:
    fold = tell(
        ("level_started", {"level_index": 0, "total_count": 3}),
        ("level_completed", {"level_index": 0, "generated_count": 2, "failed_count": 1, "total_count": 4}),
        ("node_generation_completed", "late", {"level_index": 0}),
    )
    assert levels(fold) == [(0, 4, 2, 1, True)]


def test_a_level_completed_without_an_index_is_the_one_under_way(tell: Tell) -> None:
    fold = tell(
        ("level_started", {"level_index": 0, "total_count": 1}),
        ("level_completed", {}),
        ("level_started", {"level_index": 1, "total_count": 1}),
        ("level_completed", {"failed_count": 1}),
        ("level_completed", {"failed_count": 9}),
    )
    assert levels(fold) == [(0, 1, 0, 0, True), (1, 1, 0, 1, True)]


def test_levels_may_come_in_any_order_and_skip_some(tell: Tell) -> None:
    fold = tell(
        ("level_completed", {"level_index": 7, "generated_count": 1}),
        ("level_started", {"level_index": 3, "total_count": 2}),
        ("node_generation_completed", "a", {"level_index": 3}),
        ("node_generation_completed", "b", {"level_index": 4}),
        ("level_started", {"level_index": 10**9}),
        ("level_started", {"level_index": "x", "total_count": 9}),
    )
    assert levels(fold) == [(3, 9, 1, 0, False), (7, 0, 1, 0, True)]


def test_queue_and_scanner_keep_their_latest_figures(tell: Tell) -> None:
    fold = tell(
        ("queue_stats", {"pending": 4, "processing": 1, "completed": 0, "failed": 0}),
        ("queue_stats", {"pending": 3, "processing": "many"}),
        ("scan_started", {}),
        ("scan_progress", {"node_count": 10, "total_nodes": 40}),
    )
    assert fold.cold.queue == {"pending": 3, "processing": 1, "completed": 0, "failed": 0}
    assert fold.cold.scan == {"node_count": 10, "total_nodes": 40}
    assert fold.total_steps == 0
    tell(("scan_completed", {"node_count": 40, "duration_ms": 900}), onto=fold)
    assert fold.cold.scan == {"node_count": 40, "total_nodes": 40, "duration_ms": 900}
    tell(("scan_started", {}), onto=fold)
    assert fold.cold.scan == {}
