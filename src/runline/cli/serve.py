"""`runline serve`: the API of a store on an address of this machine, until Ctrl-C."""

from __future__ import annotations

import os
import secrets
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runline.cli.invocation import Invocation
from runline.cli.roles import Span
from runline.cli.sizes import parse_size
from runline.model.durations import parse_span_ms
from runline.model.errors import Conflict, Invalid

if TYPE_CHECKING:
    from runline.server.serve import Listening
    from runline.server.settings import Retention, Settings
    from runline.store.sql_store import SqlStore

_DAY_MS = 86_400_000


def serve(
    ctx: typer.Context,
    *,
    bind: Annotated[
        str,
        typer.Option(
            "--bind",
            metavar="ADDRESS",
            help="Where to listen; elsewhere than on loopback tokens are asked for.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="0 for any free one.")
    ] = 8080,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            metavar="T",
            envvar="RUNLINE_SERVE_TOKEN",
            help="A token that may do everything; other users of this machine see it on a command line, not in the variable.",
        ),
    ] = None,
    auth: Annotated[bool, typer.Option("--auth", help="Ask for tokens on loopback too.")] = False,
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            "--host-name", metavar="NAME", help="A name in the Host header that is ours; repeatable."
        ),
    ] = None,
    origin: Annotated[
        list[str] | None,
        typer.Option("--origin", metavar="URL", help="A site whose pages may call the API; repeatable."),
    ] = None,
    artifact_root: Annotated[
        list[str] | None,
        typer.Option(
            "--artifact-root",
            metavar="DIR",
            help="Artifacts that were not copied may be read below it; repeatable.",
        ),
    ] = None,
    retention: Annotated[
        str | None,
        typer.Option(
            "--retention",
            metavar="RULES",
            help="Prune every hour: an age, keep=N and max-size=SIZE, as in 14d,keep=500,max-size=2GB.",
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest",
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Where pipelines are defined; else the nearest runline.yaml or wave.yaml from here upwards.",
        ),
    ] = None,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open a browser.")] = False,
) -> None:
    """Serve the store over HTTP: live streams, every reading and writing route, and its documentation at /docs."""
    from runline.pipelines.manifest import find_manifest
    from runline.server.settings import Settings

    settings = Settings(
        bind=bind,
        port=port,
        token=token or None,
        auth=auth,
        hosts=tuple(name.lower() for name in host_name or ()),
        origins=tuple(url.rstrip("/").lower() for url in origin or ()),
        retention=None if retention is None else read_retention(retention),
        manifest=manifest.absolute() if manifest is not None else find_manifest(Path.cwd()),
    )
    invocation = Invocation.of(ctx)
    with invocation.local() as store:
        store.artifact_roots = tuple(Path(root).resolve() for root in artifact_root or ())
        serve_store(invocation, store, settings, open_browser=not no_open)


def serve_store(
    invocation: Invocation, store: SqlStore, settings: Settings, *, open_browser: bool, any_port: bool = False
) -> None:
    """Serves until a signal; `any_port`: rather on another port than not at all."""
    import msgspec

    from runline.server.serve import listen

    generated = settings.token is None and settings.needs_token
    if generated:
        settings = msgspec.structs.replace(settings, token=f"rl_{secrets.token_urlsafe(32)}")
    if settings.token is not None:
        store.mask(settings.token)
    try:
        listening = listen(store, settings)
    except Conflict:
        if not any_port:
            raise
        listening = listen(store, msgspec.structs.replace(settings, port=0))
    _tell(invocation, listening, settings, generated=generated, open_browser=open_browser)
    listening.run()


def read_retention(text: str) -> Retention:
    """`14d,keep=500,max-size=2GB`: an age, a count per tenant, a size; what is not named does not count."""
    from runline.server.settings import Retention

    age_days: float | None = None
    keep: int | None = None
    size_bytes: int | None = None
    for rule in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = rule.partition("=")
        if not equals:
            age_days = parse_span_ms(name) / _DAY_MS
        elif name == "keep" and value.isascii() and value.isdigit():
            keep = int(value)
        elif name == "max-size":
            size_bytes = parse_size(value)
        else:
            raise Invalid(
                f"{rule!r} is no rule; write an age, keep=N or max-size=SIZE, as in 14d,keep=500,max-size=2GB.",
                fields={"retention": "unknown rule"},
            )
    if age_days is None and keep is None and size_bytes is None:
        raise Invalid("--retention names no rule; write 14d, say.", fields={"retention": "empty"})
    return Retention(older_than_days=age_days, keep=keep, max_size_bytes=size_bytes)


def _tell(
    invocation: Invocation, listening: Listening, settings: Settings, *, generated: bool, open_browser: bool
) -> None:
    out, err = invocation.out, invocation.err
    link = listening.url
    out.line("Runline serves ", Span(invocation.url, "bold"), " at ", Span(listening.url, "bold"))
    if generated and settings.token:
        link = f"{listening.url}/signin?code={listening.app.server.sign_in.issue(settings.token)}"
        err.line("A token for this server, shown only now: ", Span(settings.token, "bold"))
        err.line("Sign a browser in, once, within ten minutes: ", Span(link, "bold"))
    out.line(Span("The API is described at /docs. Ctrl-C stops the server; runs go on.", "dim"))
    out.flush()
    if open_browser and _has_desktop():
        webbrowser.open(link)


def _has_desktop() -> bool:
    """Somebody sits before a screen: not a pipe, not a remote shell, not continuous integration."""
    if not sys.stdout.isatty() or os.environ.get("CI") or os.environ.get("SSH_CONNECTION"):
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
