from __future__ import annotations

from runline.model.audit import AuditEntry
from runline.model.clock import from_ms


def test_when_it_was() -> None:
    entry = AuditEntry(id=1, at_ms=1000, who="me", tenant=None, action="prune", target=None, detail={})
    assert entry.at == from_ms(1000)
