"""An error as JSON: the answer of every request that could not be met."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from runline.model.errors import RunlineError
from runline.model.wire.quantity import about


class ErrorView(Struct, frozen=True, kw_only=True):
    """What went wrong, for people and for programs."""

    error: Annotated[str, about("A sentence that says what to do next.")]
    code: Annotated[str, about("Stable, snake_case: the exact case.", "not_found")]
    fields: Annotated[
        dict[str, str] | UnsetType, about("The fields that were refused, each with a sentence; else absent.")
    ] = UNSET
    detail: Annotated[str | UnsetType, about("The sentence again; only on `/api/timeline/*`.")] = UNSET


def error_view(error: RunlineError, *, detail: bool = False) -> ErrorView:
    """`detail`: for the Timeline's routes."""
    return ErrorView(
        error=error.message,
        code=error.code,
        fields=error.fields or UNSET,
        detail=error.message if detail else UNSET,
    )
