"""Problems name their place, suggest, and stay few."""

from __future__ import annotations

from runline.pipelines.problems import Problem, Problems, nearest, shown


def test_a_problem_names_its_place() -> None:
    assert str(Problem("error", "runline.yaml", 7, "no")) == "runline.yaml:7: no"
    assert str(Problem("warning", "runline.yaml", 0, "no")) == "runline.yaml: no"


def test_errors_are_counted_and_the_first_two_hundred_kept() -> None:
    problems = Problems("a.yaml")
    for line in range(300):
        problems.warning(line, "odd")
        problems.error(line, "wrong")
    assert problems.errors == problems.warnings == 300
    assert len(problems.found) == 400
    assert problems.found[:2] == [
        Problem("warning", "a.yaml", 0, "odd"),
        Problem("error", "a.yaml", 0, "wrong"),
    ]


def test_the_nearest_word_is_suggested() -> None:
    assert nearest("dependancies", ["id", "dependencies"]) == "; did you mean 'dependencies'?"
    assert nearest("zzz", ("id", "dependencies")) == ""


def test_a_long_value_is_cut() -> None:
    assert shown("a") == "'a'"
    assert len(shown("x" * 500)) == 60
