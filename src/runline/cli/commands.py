"""The table of commands: name, module and one line of help. A module is imported when its command runs."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """A command. `function` in `module` has its options as parameters, its docstring is its help.

    One with subcommands has no function of its own.
    """

    name: str
    section: str
    summary: str
    module: str
    function: str
    takes_rest: bool = False
    """Options stop at the first word that is none: what follows belongs to another program."""
    subcommands: tuple[Entry, ...] = ()


RECORD, READ, KEEP = "Record", "Read", "Keep"
TOKENS = (
    Entry("create", "Commands", "Make a token and print its secret", "token", "create"),
    Entry("ls", "Commands", "List tokens, newest first", "token", "ls"),
    Entry("revoke", "Commands", "Refuse a token from now on", "token", "revoke"),
)

COMMANDS: dict[str, Entry] = {
    entry.name: entry
    for entry in (
        Entry("exec", RECORD, "Run any command and record it", "exec", "exec_command", takes_rest=True),
        Entry("emit", RECORD, "Add events to a run from a script", "emit", "emit"),
        Entry("demo", RECORD, "Record real commands, one left running", "demo", "demo"),
        Entry("serve", READ, "Serve the store over HTTP, live", "serve", "serve"),
        Entry("ls", READ, "List runs, newest first", "ls", "ls"),
        Entry("show", READ, "Show one run, failure first", "show", "show"),
        Entry("why", READ, "Say why a run failed", "why", "why"),
        Entry("tail", READ, "Print a run's events, and follow them with -f", "tail", "tail"),
        Entry("watch", READ, "Watch a run's progress until it ends", "watch", "watch"),
        Entry("search", READ, "Search the events of one run, or of the newest", "search", "search"),
        Entry(
            "compare", READ, "Compare two runs, or a failed one with its last good one", "compare", "compare"
        ),
        Entry("note", KEEP, "Write a note beside a run, or list its notes", "note", "note"),
        Entry("pin", KEEP, "Keep a run from being pruned", "pin", "pin"),
        Entry("cancel", KEEP, "Ask a run to stop", "cancel", "cancel"),
        Entry("export", KEEP, "Write a run as JSON, JSONL or CSV", "export", "export"),
        Entry("import", KEEP, "Take in an exported run", "import_run", "import_run"),
        Entry("prune", KEEP, "Remove old runs", "prune", "prune"),
        Entry("verify", KEEP, "Check every stored event and all that follows from it", "verify", "verify"),
        Entry("backup", KEEP, "Copy the live store into a new file", "backup", "backup"),
        Entry("copy", KEEP, "Copy all runs into another store", "copy", "copy"),
        Entry("rebuild", KEEP, "Make the projections anew from the log", "rebuild", "rebuild"),
        Entry("token", KEEP, "Make, list and revoke tokens for a server", "token", "", subcommands=TOKENS),
        Entry("audit", KEEP, "Say who cancelled, pruned, deleted and the like", "audit", "audit"),
        Entry("doctor", KEEP, "Check this machine and the store, with advice", "doctor", "doctor"),
    )
}


def load(entry: Entry) -> Any:
    """The function behind a command; of one with subcommands, their module."""
    module = import_module(f"runline.cli.{entry.module}")
    return getattr(module, entry.function) if entry.function else module
