"""What a step does, as a file has it: a prompt, an argument list, a script or shell text.

Shell text and programs are the operator's. What a caller gives reaches them as environment variables, and a
definition that would have it otherwise is refused here.
"""

from __future__ import annotations

from msgspec import Struct, field

from runline.pipelines.definition import Exec
from runline.pipelines.fields import Fields
from runline.pipelines.problems import nearest, shown
from runline.pipelines.references import not_filled_in
from runline.pipelines.shell_text import BadReference, shell_text

_EXEC_TYPES = ("prompt", "command", "slash_command")


class Context(Struct):
    """What a step may name, and what its pipeline cannot be started for."""

    commands: dict[str, tuple[str, ...]]
    unsupported: list[str] = field(default_factory=list)


def read_exec(fields: Fields, context: Context) -> Exec | None:
    """What the step does; None, with an error, when it cannot be told."""
    if "exec" not in fields and "script" in fields:
        script = fields.text("script")
        _check_source(fields, "script", script or "", context)
        return Exec(type="command", source=script)
    inner = fields.section("exec")
    if inner is None:
        fields.error(
            "exec", "`exec` is missing: what the step does, like `exec: {type: command, source: make}`"
        )
        return None
    kind = inner.word("type", _EXEC_TYPES)
    if kind is None:
        if "type" not in inner:
            inner.error("type", f"`type` is missing: one of {', '.join(_EXEC_TYPES)}")
        inner.passed_over("source", "source_path", "command", "args")
        return None
    action = _slash_command(inner) if kind == "slash_command" else _action(inner, kind, context)
    inner.finish()
    return action


def _slash_command(inner: Fields) -> Exec | None:
    name, arguments = inner.text("command", required=True), inner.text("args")
    if name is None:
        return None
    return Exec(type="prompt", source=f"/{name.removeprefix('/')}" + (f" {arguments}" if arguments else ""))


def _action(inner: Fields, kind: str, context: Context) -> Exec | None:
    said = [key for key in ("source", "source_path", "command") if key in inner]
    wanted = ("source", "source_path") if kind == "prompt" else ("source", "source_path", "command")
    if len(said) != 1 or said[0] not in wanted:
        found = " and ".join(f"`{key}`" for key in said) or "nothing"
        inner.error(said[-1] if said else "type", f"a {kind} takes one of {', '.join(wanted)}, not {found}")
        inner.passed_over("source", "source_path", "command")
        return None
    source, path = inner.text("source"), inner.fixed("source_path")
    if kind == "command":
        _check_source(inner, "source", source or "", context)
    else:
        note_missing(source or "", context)
        return Exec(type="prompt", source=source, source_path=path)
    argv = _argv(inner, context) if said == ["command"] else ()
    return Exec(type="command", source=source, source_path=path, argv=argv)


def _check_source(fields: Fields, key: str, source: str, context: Context) -> None:
    """Shell text: every reference must stand where a shell reads it."""
    note_missing(source, context)
    try:
        shell_text(source)
    except BadReference as error:
        told = "write it in double quotes or without quotes"
        name = error.reference.variable
        fields.error(key, f"an input stands in {error.place}; {told}, or read ${name} there yourself")


def note_missing(source: str, context: Context) -> None:
    """What Wave would fill in and Runline does not: the pipeline cannot be started with it."""
    context.unsupported += [f"{{{{ {name} }}}}" for name in not_filled_in(source)]


def _argv(inner: Fields, context: Context) -> tuple[str, ...]:
    """An argument list, or the name of one that the manifest has."""
    node = inner.node("command")
    if node is None or not isinstance(node.value, str):
        return inner.arguments("command")
    if node.value not in context.commands:
        told = "is no command of the manifest; shell text goes into `source`"
        inner.error("command", f"{shown(node.value)} {told}{nearest(node.value, list(context.commands))}")
    return context.commands.get(node.value, ())
