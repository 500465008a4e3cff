"""The one vocabulary of run statuses and step states, and what each implies.

Every face shows these words. The only translation is in the `obs_*` views, which say `active` for
`pending` and `running`.
"""

from __future__ import annotations

from typing import Literal

RunStatus = Literal["pending", "running", "completed", "failed", "cancelled", "interrupted"]
EndStatus = Literal["completed", "failed", "cancelled", "interrupted"]
StepStatus = Literal[
    "pending", "running", "completed", "failed", "skipped", "retrying", "cancelled", "blocked"
]
Level = Literal["info", "warn", "error"]

RUN_STATUSES: tuple[RunStatus, ...] = (
    "pending",
    "running",
    "completed",
    "failed",
    "cancelled",
    "interrupted",
)
END_STATUSES: tuple[EndStatus, ...] = ("completed", "failed", "cancelled", "interrupted")
ACTIVE_STATUSES = frozenset({"pending", "running"})
STEP_STATES: tuple[StepStatus, ...] = (
    "pending",
    "running",
    "completed",
    "failed",
    "skipped",
    "retrying",
    "cancelled",
    "blocked",
)
STEP_ACTIVE = frozenset({"running", "retrying"})
STEP_FINISHED = frozenset({"completed", "failed", "skipped", "cancelled"})
STEP_DONE = frozenset({"completed", "skipped"})
"""The states that count in `completed_steps`."""
LEVELS: tuple[Level, ...] = ("info", "warn", "error")

HEARTBEAT_S = 5
"""How often a recorder says that it is alive."""
SILENT_AFTER_MS = 30_000
"""A running run whose announced writer has been silent this long reads `interrupted`."""
UNANNOUNCED_AFTER_MS = 15 * 60_000
"""The same for runs that never announced a writer, judged by their last append."""
