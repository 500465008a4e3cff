"""A group of commands that are imported when they are invoked, so that help stays quick however many there are."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from runline.cli import commands
from runline.cli.argument_help import tell_plainly
from runline.cli.commands import Entry
from runline.cli.values import read_plainly

GLOBAL = ("store_url", "verbose", "utc")
"""Options of the whole command line, which every command takes too."""
HELP_NAMES = {"help_option_names": ["-h", "--help"]}


class CommandGroup(TyperGroup):
    """The commands of `entries`; one that has subcommands is a group in its turn."""

    entries: Mapping[str, Entry] = commands.COMMANDS

    def get_params(self, ctx: Any) -> Any:
        params = super().get_params(ctx)
        read_plainly(params)
        return params

    def list_commands(self, _: Any) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        entry = self.entries.get(cmd_name)
        if entry is None:
            return None
        command = _group(entry) if entry.subcommands else _single(entry)
        command.params.extend(param for param in self.params if param.name in GLOBAL)
        tell_plainly(command.params)
        read_plainly(command.get_params(ctx))
        return command

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        known = not args or args[0].startswith("-") or args[0] in self.entries
        if not known and not ctx.resilient_parsing:
            near = get_close_matches(args[0], self.entries, n=1, cutoff=0.5)
            ctx.fail(
                f"There is no command {args[0][:60]!r}." + (f" Did you mean {near[0]!r}?" if near else "")
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, _: Any, formatter: Any) -> None:
        for section in dict.fromkeys(entry.section for entry in self.entries.values()):
            rows = [(e.name, e.summary) for e in self.entries.values() if e.section == section]
            with formatter.section(section):
                formatter.write_dl(rows, col_max=12)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:
            refused: Any = error
            # What the parser itself refuses does not say which command it was for.
            if getattr(refused, "ctx", refused) is None:
                name = ctx.invoked_subcommand
                refused.ctx = typer.Context(self.get_command(ctx, name), parent=ctx, info_name=name)
            raise


def _single(entry: Entry) -> Any:
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    settings = {"allow_interspersed_args": False} if entry.takes_rest else {}
    app.command(entry.name, context_settings={**HELP_NAMES, **settings})(commands.load(entry))
    return get_command(app)


def _group(entry: Entry) -> CommandGroup:
    group = CommandGroup(
        name=entry.name, help=f"{entry.summary}.", rich_markup_mode=None, context_settings=HELP_NAMES
    )
    group.entries = {one.name: one for one in entry.subcommands}
    return group
