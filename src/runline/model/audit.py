"""An audit entry: one control action, with who did it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from msgspec import Struct

from runline.model.clock import from_ms


class AuditEntry(Struct, frozen=True, kw_only=True):
    """`tenant` None: it was about the store as a whole. `target` is a run's or a token's id, if it had one."""

    id: int
    at_ms: int
    who: str
    tenant: str | None
    action: str
    """`cancel`, `delete_run`, `prune`, `pin`, `rebuild`, `import_run`, `create_token` or `revoke_token`."""
    target: str | None
    detail: dict[str, Any]

    @property
    def at(self) -> datetime:
        return from_ms(self.at_ms)
