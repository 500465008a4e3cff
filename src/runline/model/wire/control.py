"""What a run answers when something is done with it, as JSON."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Struct

from runline.model.status import RunStatus
from runline.model.wire.quantity import about


class RunAlive(Struct, frozen=True, kw_only=True):
    """A sign of life was taken note of; what the run's writer should know."""

    run_id: str
    status: RunStatus
    cancel_requested: Annotated[bool, about("It was asked to stop.")]


class RunCancelled(Struct, frozen=True, kw_only=True):
    """What became of the wish to stop a run."""

    run_id: str
    status: Annotated[
        Literal["cancelling", "cancelled"],
        about("`cancelling`: it was asked to stop and runs until it does; `cancelled`: it is over."),
    ]


class RunPinned(Struct, frozen=True, kw_only=True):
    """Whether retention passes a run by."""

    run_id: str
    pinned: bool


class RunDeleted(Struct, frozen=True, kw_only=True):
    """A run is gone with everything of it."""

    run_id: str
    deleted: bool = True
