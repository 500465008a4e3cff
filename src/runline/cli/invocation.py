"""What holds for one invocation: the global options, the streams, the present, and the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from runline.cli import output
from runline.cli.output import Output
from runline.cli.roles import Span
from runline.model.clock import SystemClock
from runline.model.errors import Invalid

if TYPE_CHECKING:
    from runline.store.recording_store import RecordingStore
    from runline.store.sql_store import SqlStore


class Invocation:
    """One command being run. The global options set `store_url`, `verbose` and `utc` before it starts."""

    def __init__(self) -> None:
        self.store_url: str | None = None
        self.verbose = False
        self.utc = False
        self.clock = SystemClock()
        self.out: Output = output.stdout()
        self.err: Output = output.stderr()

    @staticmethod
    def of(ctx: typer.Context) -> Invocation:
        return ctx.find_root().ensure_object(Invocation)

    def now_ms(self) -> int:
        return self.clock.now_ms()

    @property
    def url(self) -> str:
        """The store that will be used."""
        from runline.store.location import address, store_url

        return address(store_url(self.store_url))

    @contextmanager
    def reading(self) -> Iterator[RecordingStore]:
        """The store, opened so that nothing in it can change. Raises NotFound when there is none."""
        yield from self._opened(read_only=True)

    @contextmanager
    def writing(self) -> Iterator[RecordingStore]:
        """The store, made if need be."""
        yield from self._opened(read_only=False)

    @contextmanager
    def local(self) -> Iterator[SqlStore]:
        """The store on this machine, made if need be. Raises Invalid when `--store` names a server."""
        from runline.store import open_local
        from runline.store.location import is_remote

        if is_remote(self.url):
            raise Invalid(
                f"{self.url} is a server; this needs a store on this machine: name its file with --store.",
                code="not_local",
                fields={"store": "a server"},
            )
        self.say_store()
        with open_local(self.url) as store:
            yield store

    def _opened(self, *, read_only: bool) -> Iterator[RecordingStore]:
        from runline.store import open_store

        self.say_store()
        with open_store(self.url, read_only=read_only) as store:
            yield store

    def say_store(self) -> None:
        """With `-v`: which store is used."""
        if self.verbose:
            self.err.line(Span(f"store: {self.url}", "dim"))

    @property
    def screen(self) -> Output:
        """Where a bar may be shown: with the output when that is a terminal, so that neither draws over the other."""
        return self.out if self.out.on_terminal else self.err

    def hint(self, text: str) -> None:
        """What to do next, beside the output: on standard error, and only for people."""
        if self.err.on_terminal:
            self.err.line(Span(text, "dim"))
