"""Retention: ended runs leave by age, then by count per tenant, then by size; with everything of them.

Never active, interrupted, pinned or annotated ones: the condition is part of the statement that removes the
run, so it holds at that very moment. A removed run leaves a tombstone. On a full disk the reserve is
released first, because SQLite cannot delete without writing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct

from runline.model.errors import Conflict, Invalid, StoreFull
from runline.store import audit, garbage
from runline.store.engine import Row, Writing
from runline.store.files import OwnedFiles
from runline.store.locate import locate
from runline.store.prune_report import PrunedRun, PruneReport, Reason
from runline.store.turns import Turns

if TYPE_CHECKING:
    from runline.store.sql_store import SqlStore

T = TypeVar("T")
_DAY_MS = 86_400_000
_PAGE = 500
_PRUNABLE = (
    "completed_at IS NOT NULL AND status IN ('completed', 'failed', 'cancelled') AND pinned = 0 "
    "AND note_count = 0 AND (CAST(:tenant AS TEXT) IS NULL OR tenant = :tenant)"
)
_COLUMNS = "run, run_id, tenant, kind, name, status, started_at, completed_at, last_seq"
_BY_RULES = f"""
WITH candidates AS (
  SELECT {_COLUMNS}, CASE WHEN completed_at < :ended_before THEN 1 ELSE 0 END AS aged FROM runs WHERE {_PRUNABLE}
), ranked AS (
  SELECT *, row_number() OVER (PARTITION BY tenant, aged ORDER BY started_at DESC, run_id DESC) AS place
  FROM candidates
)
SELECT {_COLUMNS}, CASE aged WHEN 1 THEN 'age' ELSE 'count' END FROM ranked
WHERE aged = 1 OR place > :keep ORDER BY completed_at, run
"""
_OLDEST = f"""
SELECT {_COLUMNS}, 'size' FROM runs WHERE {_PRUNABLE} AND (completed_at, run) > (:ended, :run)
ORDER BY completed_at, run LIMIT {_PAGE}
"""


class _Chosen(Struct, frozen=True):
    run: int
    view: PrunedRun


def prune(
    store: SqlStore,
    *,
    older_than_days: float | None,
    keep: int | None,
    max_size_bytes: int | None,
    dry_run: bool,
) -> PruneReport:
    """Removes the store's (its tenant's) ended runs; None switches a rule off.

    `older_than_days` counts from the run's end; `keep` newest starts stay of each tenant's removable runs;
    `max_size_bytes` is what the database may hold, its free pages not counted. Garbage that an earlier one
    left behind is removed too. Raises Invalid, StoreFull.
    """
    for field, value in (
        ("older_than_days", older_than_days),
        ("keep", keep),
        ("max_size_bytes", max_size_bytes),
    ):
        if value is not None and not (value >= 0 and math.isfinite(value)):
            raise Invalid(
                f"{field} is a number from 0 up, or none.", fields={field: "not a number from 0 up"}
            )
    pruning = _Pruning(store, older_than_days, keep, max_size_bytes)
    if dry_run:
        chosen = pruning.choose()
        return PruneReport(
            runs=tuple(one.view for one in chosen),
            matched=len(chosen),
            removed=0,
            events=0,
            freed_bytes=0,
            dry_run=True,
        )
    return _with_reserve(store, pruning.perform)


def delete(store: SqlStore, run_id: str) -> None:
    """Removes an ended run with everything of it, pinned and annotated or not. Raises NotFound, Conflict."""
    files, tenant = OwnedFiles(store.engine.artifacts), store.tenant

    def remove(tx: Writing) -> list[Row]:
        found = locate(tx, run_id, tenant, lock=True)
        if not found.ended:
            raise Conflict(f"Run {run_id} has not ended; cancel it before you delete it.", code="not_ended")
        audit.write(store, tx, "delete_run", target=run_id, tenant=found.tenant, events=found.last_seq)
        return tx.execute(f"DELETE FROM runs WHERE run = ? RETURNING {_COLUMNS}", (found.run,))

    removed: list[Row] = []

    def perform(turns: Turns) -> None:
        # On a full disk it is done twice; what the first attempt removed is not there any more.
        if not removed:
            removed.extend(_remove(store, turns, files, remove, "deleted"))
        garbage.collect(store, turns)

    _with_reserve(store, perform)


def _with_reserve(store: SqlStore, perform: Callable[[Turns], T]) -> T:
    """Does it, with the reserve's space should the disk be full: then in one go, before anybody else takes it."""
    engine, writer = store.engine, store.writer
    try:
        return perform(Turns(engine, writer))
    except StoreFull:
        if not engine.reserve.release():
            raise

    def on_full_disk() -> T:
        engine.checkpoint(wait=True)
        return perform(Turns(engine, writer, tight=True))

    try:
        return writer.between(on_full_disk)
    finally:
        engine.reserve.keep()


def _remove(
    store: SqlStore, turns: Turns, files: OwnedFiles, remove: Callable[[Writing], list[Row]], reason: str
) -> list[Row]:
    """One turn: `remove` deletes rows of `runs` and returns them, which are then buried."""
    aside: list[tuple[int, str]] = []

    def turn(tx: Writing, _: int) -> list[Row]:
        removed = remove(tx)
        for _, run_id, *_rest in removed:
            # Whoever shares this transaction must not find the run in the writer's hands.
            store.writer.appender.forget(run_id)
        aside.extend(garbage.bury(tx, files, removed, reason, store.clock.now_ms()))
        return removed

    try:
        removed = turns.take(turn)
    except Exception:
        # Not for an interrupt: the writer's thread goes on, and the next prune knows what became of it.
        for run, run_id in aside:
            files.put_back(run, run_id)
        raise
    store.wake.notify()
    return removed


class _Pruning:
    """One call of `prune`; on a full disk it is performed twice, and reports what both attempts did."""

    def __init__(
        self, store: SqlStore, older_than_days: float | None, keep: int | None, max_size_bytes: int | None
    ) -> None:
        self._store = store
        self._max_size_bytes = max_size_bytes
        self._size_before_bytes = 0
        self._matched: set[int] = set()
        self._removed: list[PrunedRun] = []
        rules = {"older_than_days": older_than_days, "keep": keep, "max_size_bytes": max_size_bytes}
        self._tally = audit.Tally(store, "prune", detail=rules)
        self._parameters: dict[str, Any] = {
            "tenant": store.tenant,
            "ended_before": None
            if older_than_days is None
            else store.clock.now_ms() - round(min(older_than_days, 1e7) * _DAY_MS),
            "keep": keep,
        }

    def choose(self) -> list[_Chosen]:
        """The runs that go, in the order of their end within each rule."""
        used_bytes = self._used_bytes()
        share = used_bytes / self._events()
        chosen = [_chosen(row, share) for row in self._store.engine.query(_BY_RULES, self._parameters)]
        left_bytes = used_bytes - sum(one.view.size_bytes for one in chosen)
        return chosen + list(self._oldest(left_bytes, share, {one.run for one in chosen}))

    def perform(self, turns: Turns) -> PruneReport:
        store = self._store
        self._size_before_bytes = max(self._size_before_bytes, store.engine.sizes()["size_bytes"])
        chosen = self.choose()
        while True:
            self._matched.update(one.run for one in chosen)
            self._bury(turns, chosen)
            garbage.collect(store, turns)
            # Sizes were estimates; what the store holds now is measured.
            used_bytes = self._used_bytes()
            chosen = list(self._oldest(used_bytes, used_bytes / self._events(), set()))
            if not chosen:
                break
        return PruneReport(
            runs=tuple(self._removed),
            matched=len(self._matched),
            removed=len(self._removed),
            events=sum(view.event_count for view in self._removed),
            freed_bytes=max(0, self._size_before_bytes - store.engine.sizes()["size_bytes"]),
            dry_run=False,
        )

    def _bury(self, turns: Turns, chosen: list[_Chosen]) -> None:
        files = OwnedFiles(self._store.engine.artifacts)
        for reason, same in _by_reason(chosen):
            at = 0
            while at < len(same):
                batch = same[at : at + turns.size]
                at += len(batch)
                gone = {row[0] for row in _remove(self._store, turns, files, self._removing(batch), reason)}
                self._tally.committed()
                self._removed += [one.view for one in batch if one.run in gone]

    def _removing(self, batch: list[_Chosen]) -> Callable[[Writing], list[Row]]:
        tenant = self._store.tenant

        def remove(tx: Writing) -> list[Row]:
            sql = f"DELETE FROM runs WHERE run = :run AND {_PRUNABLE} RETURNING {_COLUMNS}"
            removed = [row for one in batch for row in tx.execute(sql, {"run": one.run, "tenant": tenant})]
            if removed:
                self._tally.add(tx, removed=len(removed), events=sum(row[-1] for row in removed))
            return removed

        return remove

    def _oldest(self, left_bytes: float, share: float, passed: set[int]) -> Iterator[_Chosen]:
        """Runs from the oldest end on until the rest fits; those in `passed` go already."""
        most_bytes = math.inf if self._max_size_bytes is None else self._max_size_bytes
        at = {"ended": -(2**62), "run": 0}
        while left_bytes > most_bytes:
            rows = self._store.engine.query(_OLDEST, {"tenant": self._store.tenant, **at})
            if not rows:
                return
            for row in rows:
                at = {"ended": row[7], "run": row[0]}
                if row[0] not in passed and left_bytes > most_bytes:
                    one = _chosen(row, share)
                    left_bytes -= one.view.size_bytes
                    yield one

    def _used_bytes(self) -> int:
        sizes = self._store.engine.sizes()
        return sizes["size_bytes"] - sizes["free_bytes"]

    def _events(self) -> int:
        return max(1, int(self._store.engine.query("SELECT coalesce(sum(last_seq), 0) FROM runs")[0][0]))


def _chosen(row: Row, share: float) -> _Chosen:
    run, run_id, tenant, _, name, status, started_at, completed_at, last_seq, reason = row
    return _Chosen(
        run,
        PrunedRun(
            run_id=run_id,
            tenant_id=tenant,
            name=name,
            status=status,
            started_at_ms=started_at,
            completed_at_ms=completed_at,
            event_count=last_seq,
            size_bytes=round(last_seq * share),
            reason=reason,
        ),
    )


def _by_reason(chosen: Iterable[_Chosen]) -> Iterator[tuple[Reason, list[_Chosen]]]:
    grouped: dict[Reason, list[_Chosen]] = {}
    for one in chosen:
        grouped.setdefault(one.view.reason, []).append(one)
    yield from grouped.items()
