from __future__ import annotations

from runline.cli.store_errors import cannot_write, said
from runline.model.errors import Invalid, RunlineError, StoreFull


def refused(sentence: str, cause: Exception | None, code: str = "cannot_create") -> RunlineError:
    error = Invalid(sentence, code=code)
    error.__cause__ = cause
    return error


def test_the_reason_is_told_once() -> None:
    cause = FileNotFoundError(2, "No such file or directory", "/a")
    error = refused(f"/a/b.db cannot be created: {cause}.", cause)
    assert said(error) == (
        "/a/b.db cannot be created: No such file or directory. Name another place with --store."
    )
    nameless = OSError("odd")
    assert "it is refused." in said(refused(f"x cannot be created: {nameless}.", nameless))


def test_every_other_sentence_stays() -> None:
    cause = OSError(2, "gone")
    for error in (
        refused("x cannot be made: gone.", cause),
        refused("x cannot be made.", ValueError("x")),
        refused(f"x: {cause}", cause, code="bad"),
    ):
        assert said(error) == error.message


def test_whether_there_is_no_place_for_a_store() -> None:
    assert cannot_write(refused("x", None))
    assert not cannot_write(StoreFull("x"))
