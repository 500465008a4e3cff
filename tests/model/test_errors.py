from __future__ import annotations

import pytest

from runline.model import errors
from runline.model.errors import Invalid, NotFound, RunlineError

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, RunlineError)]


def test_there_are_eight_kinds_under_one_base() -> None:
    assert {kind.__name__ for kind in KINDS if kind is not RunlineError} == {
        *(
            "NotFound",
            "Conflict",
            "RunEnded",
            "Invalid",
            "Unauthorized",
            "Forbidden",
            "StoreFull",
            "Unavailable",
        )
    }
    assert all(kind.__base__ is RunlineError for kind in KINDS if kind is not RunlineError)


def test_every_kind_has_a_code_of_its_own_a_status_and_a_sentence_of_what_it_is() -> None:
    assert len({kind.code for kind in KINDS}) == len(KINDS)
    assert {kind.status for kind in KINDS} == {500, 404, 409, 400, 401, 403, 507, 503}
    assert all(kind.__doc__ for kind in KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_carries_its_sentence_code_and_fields(kind: type[RunlineError]) -> None:
    plain = kind("It went wrong.")
    assert (plain.message, plain.code, plain.fields) == ("It went wrong.", kind.code, {})
    assert str(plain) == "It went wrong."


def test_the_exact_case_has_its_own_code() -> None:
    assert NotFound("It is gone.", code="pruned").code == "pruned"
    given = {"name": "is blank"}
    refused = Invalid("No.", fields=given)
    given.clear()
    assert refused.fields == {"name": "is blank"}
