"""What a store can do: the one interface behind every face, whatever holds the data.

Each method is one noun of the HTTP API. Methods are synchronous and safe from any thread. Instants are
milliseconds since 1970 UTC; ids that are unknown, or another tenant's, raise NotFound alike.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Self

if TYPE_CHECKING:
    from runline.fold.compare import Comparison
    from runline.fold.failure import Failure
    from runline.fold.slots import Histogram
    from runline.fold.snapshot import RunState
    from runline.model.artifact import Artifact, ArtifactContent
    from runline.model.audit import AuditEntry
    from runline.model.call import Call
    from runline.model.event import Event
    from runline.model.note import Note
    from runline.model.page import Page
    from runline.model.run import Run
    from runline.model.step import Step
    from runline.model.token import NewToken, Token
    from runline.store.events import Hits
    from runline.store.health import StoreInfo
    from runline.store.prune_report import PruneReport
    from runline.store.statistics import Counts, Statistics
    from runline.store.summaries import Summary
    from runline.store.verify import VerifyReport

Order = Literal["asc", "desc"]


class Store(ABC):
    """Runs, their events, and everything derived from them."""

    # -- writing

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
    ) -> Run:
        """A new running run with its start event as seq 1. Raises Invalid, Conflict (the id is taken)."""

    @abstractmethod
    def append(
        self, run_id: str, events: Iterable[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[Event]:
        """Stores the events in order, all or none; durable when it returns.

        The stored events in request order; those beyond the run's event limit are not among them.
        Raises NotFound, RunEnded, Conflict, Invalid, StoreFull, Unavailable.
        """

    @abstractmethod
    def end_run(
        self,
        run_id: str,
        status: str = "completed",
        *,
        error: str | None = None,
        idempotency_key: str | None = None,
    ) -> Event:
        """Appends the end event; nothing follows it. Raises RunEnded when it has one.

        With a key, a repetition gets the end event of the first time.
        """

    @abstractmethod
    def heartbeat(self, run_id: str) -> None:
        """Says that the run's writer is alive."""

    @abstractmethod
    def cancel(self, run_id: str, *, force: bool = False) -> str:
        """Asks the run to stop (`cancelling`), or ends it (`cancelled`) when forced or nobody is there to ask."""

    @abstractmethod
    def add_note(
        self,
        run_id: str,
        note: str,
        *,
        author: str | None = None,
        labels: Sequence[str] = (),
        actions: Sequence[str] = (),
        event_seq: int | None = None,
    ) -> Note:
        """A note beside the run, or anchored to one event; at any time."""

    @abstractmethod
    def put_artifact(
        self,
        run_id: str,
        name: str,
        content: bytes | BinaryIO,
        *,
        step: str | None = None,
        type: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Artifact:
        """Copies the content into keeping and registers it with an `artifact_created` event; all or nothing.

        At most 256 MiB, read piece by piece. `data` is told beside what is found out about it. Raises
        NotFound, RunEnded, Invalid (`artifact_too_large`), StoreFull.
        """

    @abstractmethod
    def pin(self, run_id: str, on: bool = True) -> None:  # noqa: FBT002 - the contract's signature
        """A pinned run is never pruned."""

    @abstractmethod
    def delete_run(self, run_id: str) -> None:
        """Removes an ended run with everything of it. Raises Conflict while it is active."""

    @abstractmethod
    def import_run(
        self,
        run: Mapping[str, Any],
        events: Iterable[Mapping[str, Any]],
        notes: Iterable[Mapping[str, Any]] = (),
        *,
        as_id: str | None = None,
    ) -> Run:
        """Takes in an exported run: id, seqs and times are kept, event ids are new. Raises Conflict, Invalid."""

    # -- reading one run

    @abstractmethod
    def get_run(self, run_id: str) -> Run:
        """The run with its input."""

    @abstractmethod
    def read(
        self,
        run_id: str,
        *,
        after_seq: int = 0,
        before_seq: int | None = None,
        after_id: int | None = None,
        types: Sequence[str] = (),
        levels: Sequence[str] = (),
        steps: Sequence[str] = (),
        sources: Sequence[str] = (),
        correlation_id: str | None = None,
        q: str | None = None,
        order: Order = "asc",
        limit: int = 100,
    ) -> list[Event]:
        """A page of at most 1000 events (`limit` is clamped). All filters must hold; bounds are exclusive.

        `q` is the filter language. The step `run` stands for events without a step. `desc` gives the
        newest first.
        """

    @abstractmethod
    def index(
        self,
        run_id: str,
        *,
        after_seq: int = 0,
        types: Sequence[str] = (),
        levels: Sequence[str] = (),
        steps: Sequence[str] = (),
        sources: Sequence[str] = (),
        correlation_id: str | None = None,
        q: str | None = None,
    ) -> Iterator[Hits]:
        """The seqs of all matching events, ascending, in pieces as they are found, each with the progress."""

    @abstractmethod
    def count_events(
        self,
        run_id: str,
        *,
        types: Sequence[str] = (),
        levels: Sequence[str] = (),
        steps: Sequence[str] = (),
        sources: Sequence[str] = (),
        correlation_id: str | None = None,
        q: str | None = None,
    ) -> int:
        """How many events match; all of the run's without a filter."""

    @abstractmethod
    def follow(
        self,
        run_id: str,
        *,
        after_seq: int = 0,
        after_id: int | None = None,
        timeout_s: float | None = None,
        types: Sequence[str] = (),
        levels: Sequence[str] = (),
        steps: Sequence[str] = (),
        sources: Sequence[str] = (),
        correlation_id: str | None = None,
        q: str | None = None,
    ) -> Iterator[Event]:
        """Events as they are committed, each once, in order; stops after the end event.

        With `timeout_s` it also stops after that many seconds without an event. The end event comes
        whatever the filters are.
        """

    @abstractmethod
    def state(self, run_id: str, *, at_seq: int | None = None) -> RunState:
        """Everything the run amounts to, now or as of event `at_seq`."""

    @abstractmethod
    def replay(self, run_id: str, *, to_seq: int | None = None) -> Iterator[RunState]:
        """The state after each event, from the first on."""

    @abstractmethod
    def summary(self, run_id: str) -> Summary:
        """Counts by stage and severity, last message."""

    @abstractmethod
    def list_steps(self, run_id: str) -> list[Step]:
        """Plan order first, then order of appearance."""

    @abstractmethod
    def list_artifacts(self, run_id: str) -> list[Artifact]:
        """In the order they were registered."""

    @abstractmethod
    def read_artifact(self, run_id: str, step: str | None, name: str) -> ArtifactContent:
        """The text of the newest artifact of that name in that step, redacted, cut at 1 MB.

        A step of None or `_run` stands for the run as a whole. Raises NotFound (`artifact_not_found`: never
        registered; `artifact_gone`: its file is not there), Forbidden (it lies where nothing is served from).
        """

    @abstractmethod
    def open_artifact(self, run_id: str, step: str | None, name: str) -> tuple[BinaryIO, Artifact]:
        """The same one's file as it is, unredacted, to be closed by the caller. Raises like `read_artifact`."""

    @abstractmethod
    def list_notes(self, run_id: str, *, limit: int = 100) -> list[Note]:
        """Newest first."""

    @abstractmethod
    def calls(
        self,
        run_id: str,
        *,
        status: str | Sequence[str] | None = None,
        kind: str | Sequence[str] | None = None,
        step: str | Sequence[str] | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Call]:
        """Requests paired with their responses, in the order of the requests, at most 1000 a page."""

    @abstractmethod
    def histogram(self, run_id: str, *, slots: int = 160) -> Histogram:
        """Events, warnings and errors over the run's time, in at most `slots` equal slots."""

    @abstractmethod
    def failure(self, run_id: str) -> Failure:
        """Why it failed: first error and its chain, what it blocked, open calls, seen before, last good run."""

    @abstractmethod
    def compare(self, left: str, right: str) -> Comparison:
        """Two runs: the first divergence, durations of steps, errors that only the right one has."""

    # -- reading many

    @abstractmethod
    def list_runs(
        self,
        *,
        status: str | Sequence[str] | None = None,
        name: str | Sequence[str] | None = None,
        kind: str | Sequence[str] | None = None,
        tag: str | Sequence[str] | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        parent_run_id: str | None = None,
        q: str | None = None,
        limit: int = 25,
        cursor: str | None = None,
    ) -> Page[Run]:
        """Newest start first, at most 100 a page; stable while runs are added. Raises Invalid for a bad cursor."""

    @abstractmethod
    def counts(
        self,
        *,
        status: str | Sequence[str] | None = None,
        name: str | Sequence[str] | None = None,
        kind: str | Sequence[str] | None = None,
        tag: str | Sequence[str] | None = None,
        since_ms: int | None = None,
        until_ms: int | None = None,
        q: str | None = None,
    ) -> Counts:
        """Totals over the same filters as `list_runs`."""

    @abstractmethod
    def statistics(self, *, range: str = "7d") -> Statistics:
        """Success rates and durations over `24h`, `7d`, `30d` or `all`."""

    @abstractmethod
    def follow_all(
        self, *, cursor: str | None = None, timeout_s: float | None = None
    ) -> Iterator[tuple[str, Event]]:
        """Events of all runs in commit order, each with the opaque cursor after it; without one, from now on."""

    @abstractmethod
    def follow_runs(self, *, timeout_s: float | None = None) -> Iterator[Run]:
        """Each run whenever it changed: the active ones first, then live."""

    # -- the store itself

    @abstractmethod
    def scoped(self, tenant: str) -> Store:
        """The same store as one tenant sees it."""

    @abstractmethod
    def acting_as(self, who: str) -> Store:
        """The same store as somebody uses it: the audit names them. Combines with `scoped` in either order.

        Without it, `user@host` of the process. A server knows who asks by the token, whatever is said here.
        """

    @abstractmethod
    def tenants(self) -> list[str]:
        """Tenants that a run or a token names, in alphabetical order; of a tenant's view, itself alone."""

    @abstractmethod
    def create_token(
        self,
        name: str,
        *,
        scopes: Sequence[str],
        tenant: str | None = None,
        expires_in_days: float | None = None,
    ) -> NewToken:
        """A new token with its secret, which nobody can see again. Without a tenant it is good for all of them.

        `scopes` are of `ingest`, `read`, `operate`, `admin`. A tenant's view makes tokens of its own tenant.
        Raises Invalid, Forbidden.
        """

    @abstractmethod
    def list_tokens(self) -> list[Token]:
        """Newest first, the expired and the revoked ones too."""

    @abstractmethod
    def revoke_token(self, token_id: str) -> Token:
        """Refused from the next request on. Revoking again changes nothing. Raises NotFound."""

    @abstractmethod
    def list_audit(self, *, limit: int = 100, cursor: str | None = None) -> Page[AuditEntry]:
        """Control actions, newest first, at most 1000 a page; of a tenant's view, what was about that tenant."""

    @abstractmethod
    def info(self) -> StoreInfo:
        """Versions, sizes and counts; of a tenant's view, sizes are the whole store's and counts its own."""

    @abstractmethod
    def prune(
        self,
        *,
        older_than_days: float | None = 14,
        keep: int | None = 500,
        max_size_bytes: int | None = None,
        dry_run: bool = False,
    ) -> PruneReport:
        """Removes ended runs by age, then by count per tenant, then by size.

        Active, interrupted, pinned and annotated ones stay.
        """

    @abstractmethod
    def verify(
        self, run_id: str | None = None, *, on_progress: Callable[[int], None] | None = None
    ) -> VerifyReport:
        """Checks every event's checksum, the sequence, and that projections equal the fold of the log.

        `on_progress` is told how many events have been checked so far.
        """

    @abstractmethod
    def rebuild(self, run_id: str | None = None, *, on_progress: Callable[[int], None] | None = None) -> int:
        """Makes the projections anew from the log; how many runs. `on_progress` is told the events folded so far."""

    @abstractmethod
    def backup(self, destination: str) -> None:
        """A consistent copy of the live store in a new file."""

    @abstractmethod
    def close(self) -> None:
        """Commits what is queued and lets go of everything."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
