"""What a manifest defines, whichever files it was read from: pipelines, steps, personas, adapters, commands.

Paths are relative to the manifest's folder. Fields at their defaults are left out of a definition's
fingerprint, so that a field that is added here later does not change the fingerprints of what is there.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

import msgspec
from msgspec import Struct, field

from runline.pipelines.permissions import Permissions

Backoff = Literal["fixed", "linear", "exponential"]
OnFailure = Literal["fail", "retry", "continue"]
BACKOFFS: tuple[Backoff, ...] = ("fixed", "linear", "exponential")
_encode = msgspec.json.Encoder(order="sorted").encode


class Exec(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a step does. Exactly one of the three says it.

    Of a prompt, `source` is its text and `source_path` a file with it. Of a command, `argv` is an argument
    list, `source` shell text and `source_path` a script.
    """

    type: Literal["prompt", "command"]
    source: str | None = None
    source_path: str | None = None
    argv: tuple[str, ...] = ()


class Retry(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often a step is tried, and how long it waits in between."""

    max_attempts: int = 1
    backoff: Backoff = "linear"
    delay_s: float = 1.0
    max_delay_s: float = 30.0

    def wait_s(self, attempt: int) -> float:
        """Seconds to wait after that failed attempt, counted from 1."""
        if self.backoff == "linear":
            return min(self.max_delay_s, self.delay_s * attempt)
        if self.backoff == "exponential":
            return min(self.max_delay_s, self.delay_s * 2.0 ** min(attempt - 1, 60))
        return min(self.max_delay_s, self.delay_s)


class Contract(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must hold when a step has done its work. `source` is the file looked at; None: its first artifact."""

    type: Literal["json_schema", "test_suite", "non_empty_file", "file_exists"]
    source: str | None = None
    schema: Any = None
    schema_path: str | None = None
    argv: tuple[str, ...] = ()
    command: str | None = None
    dir: str | None = None
    on_failure: OnFailure = "fail"
    max_retries: int = 0


class Produced(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A file that a step leaves; without a path it is what the step printed on standard output."""

    name: str
    path: str | None = None
    type: str | None = None
    required: bool = False


class Injected(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An artifact of an earlier step, given to this one under the name `as_name`."""

    step: str
    artifact: str
    as_name: str
    optional: bool = False


class Step(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step. A matrix step runs once for each item of `matrix`, or of the list in the input at `matrix_from`."""

    id: str
    exec: Exec
    persona: str | None = None
    model: str | None = None
    dependencies: tuple[str, ...] = ()
    matrix: tuple[Any, ...] | None = None
    matrix_from: str | None = None
    timeout_s: float | None = None
    retry: Retry = Retry()
    optional: bool = False
    contracts: tuple[Contract, ...] = ()
    injected: tuple[Injected, ...] = ()
    produced: tuple[Produced, ...] = ()
    workspace: str | None = None
    env: dict[str, str] = field(default_factory=dict)


class Input(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a run is given. `schema` is JSON Schema; None: anything will do."""

    source: str | None = None
    schema: Any = None
    example: Any = None


class Pipeline(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pipeline; one with `unsupported` constructs is shown and cannot be started."""

    name: str
    steps: tuple[Step, ...]
    description: str | None = None
    input: Input = Input()
    source: str = ""
    unsupported: tuple[str, ...] = ()

    @property
    def definition_sha256(self) -> str:
        """The same for the same definition, whatever its file is called or how it is laid out."""
        return hashlib.sha256(_encode(msgspec.structs.replace(self, source="", unsupported=()))).hexdigest()


class Adapter(Struct, frozen=True, kw_only=True):
    """A program that answers prompts: the prompt on its standard input."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    permissions: Permissions = Permissions()
    """Of personas that say nothing else."""


class Persona(Struct, frozen=True, kw_only=True):
    """Who answers a prompt step."""

    name: str
    adapter: str
    description: str | None = None
    model: str | None = None
    temperature: float | None = None
    system_prompt_file: str | None = None
    permissions: Permissions = Permissions()
    unsupported: tuple[str, ...] = ()

    def allows(self, tool: str) -> bool:
        """Denied first, then allowed, else blocked: `Read`, or `Bash(git status)` with what it is used on."""
        return self.permissions.allows(tool)


class Command(Struct, frozen=True, kw_only=True):
    """An argument list that steps and automations may run by its name."""

    name: str
    argv: tuple[str, ...]


class Runtime(Struct, frozen=True, kw_only=True):
    """Runs at a time, steps at a time of one run, and the environment names that hold secrets."""

    max_runs: int = 8
    max_steps: int = 4
    secrets: tuple[str, ...] = ()
    default_timeout_s: float | None = None
