"""What the writer thread is given to do, beside the events of streams."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from runline.model.event import Draft
from runline.store.append import Appender
from runline.store.stream import Stream

T = TypeVar("T")


class Job(Generic[T]):
    """One thing to do in a transaction: `perform` raises before it changes anything, or does all of it.

    It may be performed again when its transaction failed. `run_id`: the run that it will append to.
    """

    def __init__(
        self,
        perform: Callable[[Appender, Sequence[Draft]], T],
        drafts: Sequence[Draft] = (),
        *,
        run_id: str | None = None,
    ) -> None:
        self.perform = perform
        self.drafts = drafts
        self.run_id = run_id
        self.future: Future[T] = Future()


class Errand(Generic[T]):
    """Something done in the writer's thread between two of its transactions."""

    def __init__(self, perform: Callable[[], T]) -> None:
        self.perform = perform
        self.future: Future[T] = Future()

    def run(self) -> None:
        try:
            self.future.set_result(self.perform())
        except Exception as error:  # noqa: BLE001 - nothing may end the writer thread
            self.future.set_exception(error)


Item = tuple[Stream, Draft] | Job[Any]


def nothing(appender: Appender, drafts: Sequence[Draft]) -> None:
    """A job that only marks a place in the queue."""
    del appender, drafts
