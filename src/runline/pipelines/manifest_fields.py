"""The manifest's own sections: adapters, personas, commands, runtime; Runline's keys and Wave's."""

from __future__ import annotations

import re

from msgspec import Struct

from runline.pipelines.definition import Adapter, Command, Persona, Runtime
from runline.pipelines.fields import Fields
from runline.pipelines.permissions import Permissions
from runline.pipelines.problems import nearest, shown

_MOST_AT_ONCE = 1_000
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ADAPTER_WITHOUT_WORD = ("default_model", "mode", "output_format", "project_files", "tier_models")
_PERSONA_WITHOUT_EFFECT = ("skills", "token_scopes")
_RUNTIME_WITHOUT_EFFECT = (
    "artifacts",
    "audit",
    "circuit_breaker",
    "cost",
    "fallbacks",
    "max_concurrent_workers",
    "meta_pipeline",
    "relay",
    "routing",
    "stall_timeout",
    "timeouts",
)
_RUNTIME_WITHOUT_WORD = ("pipeline_id_hash_length", "workspace_root")


class Sections(Struct, frozen=True, kw_only=True):
    """What pipelines refer to. `unsupported` holds for every pipeline of the manifest."""

    adapters: dict[str, Adapter]
    personas: dict[str, Persona]
    commands: dict[str, Command]
    runtime: Runtime
    unsupported: tuple[str, ...] = ()


def read_sections(fields: Fields) -> Sections:
    """Errors are in the problems of the fields; what has one is left out where nothing could do without it."""
    adapters = dict(_adapters(fields))
    unsupported: list[str] = []
    return Sections(
        adapters=adapters,
        personas=dict(_personas(fields, adapters)),
        commands=dict(_commands(fields)),
        runtime=_runtime(fields, unsupported),
        unsupported=tuple(unsupported),
    )


def _adapters(fields: Fields) -> list[tuple[str, Adapter]]:
    found = []
    for name, one in fields.named("adapters", "adapter"):
        command = one.arguments("command")
        binary = one.fixed("binary")
        if not command and "command" not in one:
            if binary is None:
                one.error(
                    "command", "`command` is missing: the program that answers a prompt, and its arguments"
                )
            else:
                one.warning(
                    "binary", f"{shown(binary)} is run with the prompt on standard input and no arguments"
                )
                command = (binary,)
        env = one.variables("env")
        permissions = _permissions(one, "default_permissions")
        one.unused("hooks_template")
        one.passed_over(*_ADAPTER_WITHOUT_WORD)
        one.finish()
        found.append((name, Adapter(name=name, command=command, env=env, permissions=permissions)))
    return found


def _personas(fields: Fields, adapters: dict[str, Adapter]) -> list[tuple[str, Persona]]:
    found = []
    for name, one in fields.named("personas", "persona"):
        adapter = one.name("adapter", required=True)
        if adapter is not None and adapter not in adapters:
            one.error(
                "adapter", f"{shown(adapter)} is no adapter of the manifest{nearest(adapter, list(adapters))}"
            )
        own = _permissions(one, "permissions")
        usual = adapters[adapter].permissions if adapter in adapters else Permissions()
        unsupported = tuple(key for key in ("hooks", "sandbox") if one.plain(key))
        persona = Persona(
            name=name,
            adapter=adapter or "",
            description=one.text("description"),
            model=one.text("model"),
            temperature=one.number("temperature", least=0, most=10),
            system_prompt_file=one.fixed("system_prompt_file"),
            permissions=Permissions(
                allowed_tools=own.allowed_tools or usual.allowed_tools, deny=(*usual.deny, *own.deny)
            ),
            unsupported=unsupported,
        )
        one.unused(*_PERSONA_WITHOUT_EFFECT)
        one.finish()
        found.append((name, persona))
    return found


def _permissions(fields: Fields, key: str) -> Permissions:
    inner = fields.section(key)
    if inner is None:
        return Permissions()
    found = Permissions(allowed_tools=inner.texts("allowed_tools"), deny=inner.texts("deny"))
    inner.finish()
    return found


def _commands(fields: Fields) -> list[tuple[str, Command]]:
    found = []
    for name, one in fields.named("commands", "command"):
        argv = one.arguments("command")
        if "command" not in one:
            one.error("command", "`command` is missing: the program and its arguments")
        one.finish()
        if argv:
            found.append((name, Command(name=name, argv=argv)))
    return found


def _runtime(fields: Fields, unsupported: list[str]) -> Runtime:
    inner = fields.section("runtime")
    if inner is None:
        return Runtime()
    sandbox = inner.plain("sandbox")
    if isinstance(sandbox, dict) and (sandbox.get("enabled") or sandbox.get("backend") not in (None, "none")):
        unsupported.append("runtime.sandbox")
    minutes = inner.number("default_timeout_minutes", least=0, most=10_080)
    steps = inner.whole("max_concurrency", least=1, most=_MOST_AT_ONCE)
    found = Runtime(
        max_runs=inner.whole("max_runs", least=1, most=_MOST_AT_ONCE) or Runtime().max_runs,
        max_steps=inner.whole("max_steps", least=1, most=_MOST_AT_ONCE) or steps or Runtime().max_steps,
        secrets=_secrets(inner),
        default_timeout_s=minutes * 60 if minutes else None,
    )
    inner.unused(*_RUNTIME_WITHOUT_EFFECT)
    inner.passed_over(*_RUNTIME_WITHOUT_WORD)
    inner.finish()
    return found


def _secrets(fields: Fields) -> tuple[str, ...]:
    names = fields.texts("secrets")
    for name in names:
        if not _VARIABLE.fullmatch(name):
            # A value in the place of a name may be the secret itself; so it is not repeated.
            told = "`secrets` lists names of environment variables; this is none"
            fields.error("secrets", told)
            return ()
    return names
