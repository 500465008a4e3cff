"""A step as a file has it, in Runline's own keys and in Wave's.

Constructs that are understood and not executed (worktrees, mounts, composition, gates, loops …) are collected in
`unsupported`: the pipeline can be looked at, and starting it is refused with their names.
"""

from __future__ import annotations

from typing import Any

from runline.pipelines.contract_fields import read_contracts
from runline.pipelines.definition import BACKOFFS, Backoff, Exec, Injected, Produced, Retry, Step
from runline.pipelines.exec_fields import Context, note_missing, read_exec
from runline.pipelines.fields import Fields
from runline.pipelines.problems import Problems
from runline.pipelines.references import not_filled_in, whole_reference
from runline.pipelines.yaml_source import Node

_POLICIES: dict[str, tuple[int, Backoff, float, float]] = {
    "none": (1, "fixed", 0.0, 0.0),
    "standard": (3, "exponential", 1.0, 30.0),
    "aggressive": (5, "exponential", 0.2, 30.0),
    "patient": (3, "exponential", 5.0, 90.0),
}
_GOES_ON = ("continue", "skip")
_MOST_ATTEMPTS = 100
_MOST_ITEMS = 1_000
_COMPOSITION = (
    "pipeline",
    "iterate",
    "branch",
    "gate",
    "loop",
    "aggregate",
    "edges",
    "rework_only",
    "sandbox",
)
_WITHOUT_EFFECT = (
    "concurrency",
    "contexts",
    "max_concurrent_agents",
    "max_visits",
    "outcomes",
    "thread",
    "validation",
)


def read_step(node: Node, place: int, context: Context, problems: Problems) -> Step | None:
    """The step at that place in the list, from 0; None when it has no id that others could wait for."""
    fields = Fields(node, f"step {place + 1}", problems)
    name = fields.name("id", required=True)
    if name is None:
        return None
    if name == "run":
        fields.error("id", "`run` stands for the run as a whole; call the step something else")
    fields.where = f"step {name!r}"
    action = _action(fields, context)
    matrix, matrix_from = _matrix(fields, context)
    retry, goes_on = _retry(fields, context)
    persona = _persona(fields, context)
    optional = fields.flag("optional")
    minutes = fields.number("timeout_minutes", least=0, most=10_080)
    timeout_s = fields.span_s("timeout")
    step = Step(
        id=name,
        exec=action or Exec(type="command"),
        persona=persona,
        model=fields.text("model"),
        dependencies=tuple(dict.fromkeys(fields.texts("dependencies"))),
        matrix=matrix,
        matrix_from=matrix_from,
        timeout_s=timeout_s or (minutes * 60 if minutes else None),
        retry=retry,
        optional=optional or goes_on,
        contracts=_contracts(fields, context),
        injected=_injected(fields, context),
        produced=_produced(fields),
        workspace=_workspace(fields, context),
        env=fields.variables("env"),
    )
    _compositions(fields, context)
    fields.finish()
    if action is not None and action.type == "prompt" and "persona" not in fields:
        fields.error("exec", "a prompt needs a `persona` to answer it")
    return step


def _persona(fields: Fields, context: Context) -> str | None:
    missing = not_filled_in(fields.text("persona") or "")
    if missing:
        note_missing(fields.text("persona") or "", context)
        return None
    return fields.name("persona")


def _action(fields: Fields, context: Context) -> Exec | None:
    if "exec" not in fields and any(key in fields for key in _COMPOSITION):
        # Nothing of this pipeline is ever run; it only has to be shown.
        return Exec(type="command", argv=("true",))
    return read_exec(fields, context)


def _matrix(fields: Fields, context: Context) -> tuple[tuple[Any, ...] | None, str | None]:
    if fields.plain("strategy") is not None:
        context.unsupported.append("strategy")
    node = fields.node("matrix")
    if node is None:
        return None, None
    if isinstance(node.value, str):
        found = whole_reference(node.value)
        if found is None or found.root != "input":
            fields.error("matrix", "`matrix` is a list, a map of lists, or {{ input.x }}")
            return None, None
        return None, ".".join(found.path)
    given = node.plain()
    if isinstance(given, dict) and all(isinstance(values, list) for values in given.values()):
        items = _product(given)
    elif isinstance(given, list):
        items = given[: _MOST_ITEMS + 1]
    else:
        fields.error("matrix", "`matrix` is a list, a map of lists, or {{ input.x }}")
        return None, None
    if not 0 < len(items) <= _MOST_ITEMS:
        fields.error("matrix", f"`matrix` stands for no step, or for more than {_MOST_ITEMS:,}")
        return None, None
    return tuple(items), None


def _product(lists: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Each combination of the lists' members, the last key changing fastest; of too many the first."""
    combinations: list[dict[str, Any]] = [{}] if lists else []
    for key, values in lists.items():
        combinations = [one | {key: value} for one in combinations for value in values][: _MOST_ITEMS + 1]
    return combinations


def _retry(fields: Fields, context: Context) -> tuple[Retry, bool]:
    """How it is tried again, and whether the pipeline goes on when nothing helped."""
    inner = fields.section("retry")
    if inner is None:
        return Retry(), False
    policy = inner.word("policy", tuple(_POLICIES))
    attempts, backoff, delay_s, most_s = _POLICIES[policy] if policy else (1, "linear", 1.0, 30.0)
    own_backoff = inner.word("backoff", BACKOFFS)
    own_delay_s, own_most_s = inner.span_s("base_delay"), inner.span_s("max_delay")
    retry = Retry(
        max_attempts=inner.whole("max_attempts", least=1, most=_MOST_ATTEMPTS) or attempts,
        backoff=own_backoff or backoff,
        delay_s=delay_s if own_delay_s is None else own_delay_s,
        max_delay_s=most_s if own_most_s is None else own_most_s,
    )
    on_failure = inner.word("on_failure", ("fail", *_GOES_ON, "rework"))
    if on_failure == "rework":
        context.unsupported.append("retry.on_failure: rework")
    inner.unused("adapt_prompt")
    inner.passed_over("rework_step")
    inner.finish()
    return retry, on_failure in _GOES_ON


def _contracts(fields: Fields, context: Context) -> tuple[Any, ...]:
    found = read_contracts(fields, context.unsupported)
    handover = fields.section("handover")
    if handover is None:
        return found
    for key in ("on_review_fail", "target_step"):
        if handover.plain(key) is not None:
            context.unsupported.append(f"handover.{key}")
    handover.unused("compaction")
    found += read_contracts(handover, context.unsupported)
    handover.finish()
    return found


def _injected(fields: Fields, context: Context) -> tuple[Injected, ...]:
    memory = fields.section("memory")
    if memory is None:
        return ()
    memory.passed_over("strategy")
    found = []
    for node in memory.items("inject_artifacts"):
        one = Fields(node, f"{fields.where}: an artifact to inject", fields.problems)
        if one.plain("pipeline") is not None:
            context.unsupported.append("inject_artifacts of another pipeline")
            one.passed_over(*one)
            continue
        step, artifact = one.name("step", required=True), one.name("artifact", required=True)
        as_name = one.name("as")
        one.unused("schema_path")
        one.passed_over("type")
        optional = one.flag("optional")
        one.finish()
        if step is not None and artifact is not None:
            found.append(
                Injected(step=step, artifact=artifact, as_name=as_name or artifact, optional=optional)
            )
    memory.finish()
    return tuple(found)


def _produced(fields: Fields) -> tuple[Produced, ...]:
    found: list[Produced] = []
    for node in fields.items("output_artifacts"):
        one = Fields(node, f"{fields.where}: an artifact", fields.problems)
        name = one.name("name", required=True)
        from_output = one.word("source", ("file", "stdout")) == "stdout"
        path = one.fixed("path", required=not from_output)
        kind, required = one.text("type"), one.flag("required")
        one.finish()
        if any(other.name == name for other in found):
            one.error("name", f"{name!r} is produced twice")
        elif name is not None and (path is not None or from_output):
            found.append(
                Produced(name=name, path=None if from_output else path, type=kind, required=required)
            )
    return tuple(found)


def _workspace(fields: Fields, context: Context) -> str | None:
    """The folder that the step works in; None: the manifest's."""
    node = fields.node("workspace")
    if node is None or isinstance(node.value, str):
        return fields.fixed("workspace")
    inner = Fields(node, f"{fields.where}: `workspace`", fields.problems)
    for key in ("mount", "type", "ref"):
        if inner.plain(key) is not None:
            context.unsupported.append(f"workspace.{key}")
    root = inner.fixed("root")
    inner.passed_over("branch", "base")
    inner.finish()
    return root


def _compositions(fields: Fields, context: Context) -> None:
    for key in _COMPOSITION:
        if fields.plain(key) not in (None, False):
            context.unsupported.append(key)
    if fields.plain("type") == "conditional":
        context.unsupported.append("type: conditional")
    fields.passed_over("script", "input")
    fields.unused(*_WITHOUT_EFFECT)
