"""Runline records every run of anything as one durable, ordered stream of events.

    import runline

    with runline.run("nightly-report", tags=["prod"]) as run:
        with run.step("extract", total=120) as step:
            for page in step.track(pages):
                ...

Every public name is here; each is loaded when it is first used, so that importing this costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runline.fold.compare import Comparison as Comparison
    from runline.fold.failure import Failure as Failure
    from runline.fold.slots import Histogram as Histogram
    from runline.fold.snapshot import RunState as RunState
    from runline.model import errors as errors
    from runline.model.artifact import Artifact as Artifact
    from runline.model.artifact import ArtifactContent as ArtifactContent
    from runline.model.audit import AuditEntry as AuditEntry
    from runline.model.call import Call as Call
    from runline.model.errors import Conflict as Conflict
    from runline.model.errors import Forbidden as Forbidden
    from runline.model.errors import Invalid as Invalid
    from runline.model.errors import NotFound as NotFound
    from runline.model.errors import RunEnded as RunEnded
    from runline.model.errors import RunlineError as RunlineError
    from runline.model.errors import StoreFull as StoreFull
    from runline.model.errors import Unauthorized as Unauthorized
    from runline.model.errors import Unavailable as Unavailable
    from runline.model.event import Event as Event
    from runline.model.limits import Limits as Limits
    from runline.model.note import Note as Note
    from runline.model.page import Page as Page
    from runline.model.run import Run as Run
    from runline.model.step import Step as Step
    from runline.model.token import NewToken as NewToken
    from runline.model.token import Token as Token
    from runline.record.call import ActiveCall as ActiveCall
    from runline.record.config import configure as configure
    from runline.record.context import carry as carry
    from runline.record.current import close as close
    from runline.record.current import current as current
    from runline.record.current import event as event
    from runline.record.current import flush as flush
    from runline.record.current import run as run
    from runline.record.run import ActiveRun as ActiveRun
    from runline.record.step import ActiveStep as ActiveStep
    from runline.store import open_store as open_store
    from runline.store.events import Hits as Hits
    from runline.store.health import StoreInfo as StoreInfo
    from runline.store.interface import Store as Store
    from runline.store.prune_report import PruneReport as PruneReport
    from runline.store.statistics import Counts as Counts
    from runline.store.statistics import Statistics as Statistics
    from runline.store.summaries import Summary as Summary
    from runline.store.verify import VerifyReport as VerifyReport

    __version__: str

_HOME = {
    "runline.fold.compare": ("Comparison",),
    "runline.fold.failure": ("Failure",),
    "runline.fold.slots": ("Histogram",),
    "runline.fold.snapshot": ("RunState",),
    "runline.model.artifact": ("Artifact", "ArtifactContent"),
    "runline.model.audit": ("AuditEntry",),
    "runline.model.call": ("Call",),
    "runline.model.errors": (
        "Conflict",
        "Forbidden",
        "Invalid",
        "NotFound",
        "RunEnded",
        "RunlineError",
        "StoreFull",
        "Unauthorized",
        "Unavailable",
    ),
    "runline.model.event": ("Event",),
    "runline.model.limits": ("Limits",),
    "runline.model.note": ("Note",),
    "runline.model.page": ("Page",),
    "runline.model.run": ("Run",),
    "runline.model.step": ("Step",),
    "runline.model.token": ("NewToken", "Token"),
    "runline.record.call": ("ActiveCall",),
    "runline.record.config": ("configure",),
    "runline.record.context": ("carry",),
    "runline.record.current": ("close", "current", "event", "flush", "run"),
    "runline.record.run": ("ActiveRun",),
    "runline.record.step": ("ActiveStep",),
    "runline.store": ("open_store",),
    "runline.store.events": ("Hits",),
    "runline.store.health": ("StoreInfo",),
    "runline.store.interface": ("Store",),
    "runline.store.prune_report": ("PruneReport",),
    "runline.store.statistics": ("Counts", "Statistics"),
    "runline.store.summaries": ("Summary",),
    "runline.store.verify": ("VerifyReport",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = ["__version__", "errors", *sorted(_MODULE_OF)]  # noqa: PLE0604 - names, from the table above


def __getattr__(name: str) -> Any:
    """Loads a public name on its first use."""
    from importlib import import_module

    value: Any
    if name == "__version__":
        from importlib.metadata import version

        value = version("runline")
    elif name == "errors":
        value = import_module("runline.model.errors")
    elif name in _MODULE_OF:
        value = getattr(import_module(_MODULE_OF[name]), name)
    else:
        raise AttributeError(f"module 'runline' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
