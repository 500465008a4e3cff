"""What a recorder needs of a store beside the Store's own methods; the local and the remote one both have it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runline.store.interface import Store

if TYPE_CHECKING:
    from runline.model.limits import Limits
    from runline.model.run import Run
    from runline.store.line import Line


class RecordingStore(Store):
    """A store that takes events without making their sender wait."""

    url: str
    limits: Limits
    look_every_s: float = 0.1
    """How often it may be asked whether a run is to stop."""

    @abstractmethod
    def create_run(
        self,
        name: str,
        *,
        kind: str = "run",
        run_id: str | None = None,
        tenant: str = "default",
        tags: Sequence[str] = (),
        input: Any = None,
        parent_run_id: str | None = None,
        original_run_id: str | None = None,
        plan: Any = None,
        started_at_ms: int | None = None,
        idempotency_key: str | None = None,
        announced: bool = False,
    ) -> Run:
        """`announced`: a recorder in this process tells of it and renews its signs of life."""

    @abstractmethod
    def stream(self, run_id: str, *, announced: bool = True) -> Line:
        """A way to append to a run without waiting; signs of life are renewed while open when `announced`."""

    @abstractmethod
    def flush(self, timeout_s: float) -> bool:
        """Whether everything queued before became durable within the time."""

    @abstractmethod
    def shut(self, timeout_s: float) -> bool:
        """Closes it, and before that stores what is queued, within that time; whether all became durable."""

    @property
    def waiting(self) -> str | None:
        """Where events are kept that the store could not take yet; None: there are none."""
        return None

    @abstractmethod
    def artifacts_folder(self) -> Path:
        """Where copies of a run's files are put."""

    def is_cancelled(self, run_id: str) -> bool:
        """Whether somebody asked the run to stop."""
        return self.get_run(run_id).cancel_requested
