from __future__ import annotations

import runline
from runline.record.context import CALL, RUN, STEP


def test_what_is_carried_comes_along_and_changes_nothing_here() -> None:
    def seen() -> tuple[object, object, object]:
        found = (RUN.get(), STEP.get(), CALL.get())
        RUN.set(None)
        return found

    with runline.run("r") as run, run.step("s") as step, run.call("tool") as call:
        carried = runline.carry(seen)
    assert carried() == carried() == (run, step, call)
    assert seen() == (None, None, None)
    assert carried.__name__ == "seen"


def test_arguments_and_results_pass_through() -> None:
    def add(left: int, *, right: int) -> int:
        return left + right

    assert runline.carry(add)(1, right=2) == 3
