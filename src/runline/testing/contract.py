"""What every engine must keep: one suite, run over each.

A subclass gives a fixture `place` (see `place.Place`): an empty store, to be opened as often as wanted. Each
class proves the invariants of docs/store-requirements.md that its docstring names.
"""

from __future__ import annotations

from runline.testing.accepting import CleanContract, RetryContract
from runline.testing.appending import DurableContract, EndContract, OrderContract
from runline.testing.following import FollowAllContract, FollowContract
from runline.testing.living import LivenessContract, TenantContract
from runline.testing.projecting import ProjectionContract
from runline.testing.retaining import RetentionContract
from runline.testing.sessions import SessionContract
from runline.testing.timeline import TimelineContract, TraceContract


class StoreContract(
    OrderContract,
    DurableContract,
    EndContract,
    CleanContract,
    RetryContract,
    FollowContract,
    FollowAllContract,
    ProjectionContract,
    LivenessContract,
    TenantContract,
    RetentionContract,
    SessionContract,
    TimelineContract,
    TraceContract,
):
    """The whole contract. Name the subclass `Test…` and add the fixture."""
