"""Tenants: nobody registers one; a run or a token names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

# From one name to the next along the index: there are few tenants, and many runs.
_NAMED = """
WITH RECURSIVE named(tenant) AS (
  SELECT min(tenant) FROM runs
  UNION ALL
  SELECT (SELECT min(tenant) FROM runs WHERE tenant > named.tenant) FROM named WHERE named.tenant IS NOT NULL
)
SELECT tenant FROM named WHERE tenant IS NOT NULL
UNION SELECT tenant FROM tokens WHERE tenant IS NOT NULL
"""


def listed(store: SqlStore) -> list[str]:
    """In alphabetical order; of a tenant's view, itself alone, once something names it."""
    found = sorted(tenant for (tenant,) in store.engine.query(_NAMED))
    return found if store.tenant is None else [tenant for tenant in found if tenant == store.tenant]
