"""One step of a run, from its start to its last attempt: what it is given, tried again, held to and left behind.

Everything that happens is an event of the run. Nothing here raises: whatever goes wrong is how the step ended.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from runline.model.event import Draft
from runline.pipelines.attempt import Attempt, Outcome
from runline.pipelines.contracts import broken
from runline.pipelines.definition import Adapter, Contract, Exec, Persona, Step
from runline.pipelines.environment import step_environment
from runline.pipelines.inputs import Variables, input_variables, prompt_text
from runline.pipelines.manifest import Manifest
from runline.pipelines.plan import PlannedStep
from runline.pipelines.schedule import Ending
from runline.pipelines.shell_text import shell_text
from runline.record.environment import variables
from runline.record.run import ActiveRun

_SHELL = "/bin/sh"
_ROOM_WAIT_S = 60.0
_MOST_PROMPT_BYTES = 16 * 1024 * 1024


class Work(Struct, frozen=True, kw_only=True):
    """What all steps of a run share. `scratch` is a folder of the run's own; `left` has what steps left, by step and name."""

    run: ActiveRun
    manifest: Manifest
    input: Any
    input_file: Path
    scratch: Path
    force: Callable[[], bool]
    stop: threading.Event
    left: dict[tuple[str, str], Path]
    cleaning: dict[str, Any]


class StepRun:
    """Runs a planned step; `run` gives how it ended."""

    def __init__(self, work: Work, planned: PlannedStep) -> None:
        self.work = work
        self.name = planned.name
        self.step: Step = planned.step
        self.item = planned.item
        self.folder = work.manifest.root / (self.step.workspace or "")
        self.scratch = work.scratch / planned.name
        persona = self.step.persona
        self.persona: Persona | None = None if persona is None else work.manifest.personas[persona]
        self._attempt = 0

    def run(self) -> Ending:
        """Attempt after attempt until one holds, or no more are allowed."""
        most = self._most_attempts()
        while True:
            self._attempt += 1
            began_s = time.monotonic()
            self._started(most)
            outcome = self._tried()
            duration_ms = round((time.monotonic() - began_s) * 1000)
            if outcome.error is None:
                self._tell("step_completed", {"duration_ms": duration_ms})
                return "completed"
            if not outcome.final and self._attempt < most:
                self._tell_of_retry(outcome, most)
                if not self.work.stop.wait(self.step.retry.wait_s(self._attempt)):
                    continue
                outcome = msgspec.structs.replace(outcome, cancelled=True)
            return self._failed(outcome, duration_ms)

    def _tried(self) -> Outcome:
        """How the attempt ended, also when it could not begin."""
        try:
            return self._try()
        except Exception as error:  # noqa: BLE001 - a step that fails in an odd way has failed, and the run goes on
            return Outcome(error=str(error) or type(error).__name__, final=True)

    def _most_attempts(self) -> int:
        again = [one.max_retries + 1 for one in self.step.contracts if one.on_failure == "retry"]
        return max(self.step.retry.max_attempts, *again, 1)

    def _started(self, most: int) -> None:
        told: dict[str, Any] = {"attempt": self._attempt}
        if most > 1:
            told["max_attempts"] = most
        if self.persona is not None:
            told["persona"] = self.persona.name
            if (model := self.step.model or self.persona.model) is not None:
                told["model"] = model
        self._tell("step_started", told)

    def _tell_of_retry(self, outcome: Outcome, most: int) -> None:
        told = {
            "attempt": self._attempt + 1,
            "max_attempts": most,
            "error": outcome.error,
            "delay_ms": round(self.step.retry.wait_s(self._attempt) * 1000),
        }
        self._tell("step_retrying", told)

    def _failed(self, outcome: Outcome, duration_ms: int) -> Ending:
        told: dict[str, Any] = {"error": outcome.error, "duration_ms": duration_ms}
        if outcome.tail:
            told["tail"] = list(outcome.tail)
        if outcome.exit_code is not None:
            told["exit_code"] = outcome.exit_code
        if outcome.cancelled:
            told["status"] = "cancelled"
        self._tell("step_failed", told, level="warn" if outcome.cancelled else None)
        return "cancelled" if outcome.cancelled else "failed"

    # -- one attempt

    def _try(self) -> Outcome:
        shutil.rmtree(self.scratch, ignore_errors=True)
        (self.scratch / "in").mkdir(parents=True)
        self._inject()
        captured = self.scratch / "stdout"
        with ExitStack() as files:
            wants_output = any(one.path is None for one in self.step.produced)
            capture = files.enter_context(captured.open("wb")) if wants_output else None
            outcome = self._program(files, capture)
        if outcome.error is not None:
            # Contracts may ask for more attempts than the program itself is given.
            last = self._attempt >= self.step.retry.max_attempts
            return msgspec.structs.replace(outcome, final=outcome.final or last)
        outcome = self._contracts(outcome)
        if outcome.error is None:
            outcome = self._keep(outcome, captured)
        return outcome

    def _inject(self) -> None:
        """What earlier steps left, under the names that it was asked for by."""
        for one in self.step.injected:
            source = self.work.left.get((one.step, one.artifact))
            if source is not None:
                shutil.copyfile(source, self.scratch / "in" / one.as_name)
            elif not one.optional:
                raise FileNotFoundError(f"step {one.step!r} left no artifact {one.artifact!r}")

    def _program(self, files: ExitStack, capture: Any) -> Outcome:
        given = input_variables(self.work.input, self.item)
        manifest = self.work.manifest
        adapter = manifest.adapters[self.persona.adapter] if self._is_prompt and self.persona else None
        env = self._environment(given, adapter)
        stdin = None
        if adapter is not None:
            prompt = self.scratch / "prompt"
            prompt.write_text(self._prompt(), encoding="utf-8")
            stdin = files.enter_context(prompt.open("rb"))
            argv = list(adapter.command)
        else:
            argv = self._argv(self.step.exec, given)
        attempt = self._new_attempt(watched=True)
        timeout_s = self.step.timeout_s or manifest.runtime.default_timeout_s
        return attempt.run(argv, cwd=self.folder, env=env, stdin=stdin, timeout_s=timeout_s, capture=capture)

    @property
    def _is_prompt(self) -> bool:
        return self.step.exec.type == "prompt"

    def _prompt(self) -> str:
        action = self.step.exec
        if action.source_path is None:
            return prompt_text(action.source or "", self.work.input, self.item)
        with (self.work.manifest.root / action.source_path).open("rb") as source:
            text = source.read(_MOST_PROMPT_BYTES).decode("utf-8", "replace")
        return prompt_text(text, self.work.input, self.item)

    def _argv(self, action: Exec, given: Variables) -> list[str]:
        if action.argv:
            return list(action.argv)
        if action.source_path is not None:
            return [str(self.work.manifest.root / action.source_path)]
        given.check(action.source or "")
        return [_SHELL, "-c", shell_text(action.source or "")]

    def _environment(self, given: Variables, adapter: Adapter | None) -> dict[str, str]:
        prompt_file = self.persona.system_prompt_file if self.persona is not None else None
        return step_environment(
            os.environ,
            step=self.step,
            given=given,
            input_file=str(self.work.input_file),
            artifacts_folder=str(self.scratch / "in"),
            adapter=adapter,
            persona=self.persona,
            system_prompt_file=None if prompt_file is None else str(self.work.manifest.root / prompt_file),
        ) | variables(self.work.run.store_url, self.work.run.id, self.name)

    def _new_attempt(self, *, watched: bool) -> Attempt:
        return Attempt(
            self.name,
            record=self._record,
            force=self.work.force,
            noticed=self._noticed,
            permissions=self.persona.permissions if watched and self.persona is not None else None,
            cleaning=self.work.cleaning,
        )

    def _record(self, drafts: list[Draft]) -> None:
        self.work.run.put_all(drafts, timeout_s=_ROOM_WAIT_S)

    def _noticed(self, event: dict[str, Any]) -> bool:
        """A file that the step names is taken into keeping, when it lies in its folder."""
        if event["type"] != "artifact_created":
            return True
        data = event["data"] if isinstance(event.get("data"), dict) else {}
        name, path = data.get("name", event.get("name")), data.get("path", event.get("path"))
        if not isinstance(path, str):
            return True
        try:
            file = (self.folder / path).resolve()
            inside = file.is_relative_to(self.folder.resolve())
        except (OSError, ValueError):
            inside = False
        if not inside:
            told = f"an artifact that does not lie in the step's folder is not kept: {path}"
            self.work.run.event("log", told, level="warn", step=self.name, source="runline")
            return False
        name = name if isinstance(name, str) else file.name
        self.work.run.artifact(name, file, type=data.get("type"), step=self.name)
        return False

    # -- what it is held to, and what it leaves

    def _contracts(self, outcome: Outcome) -> Outcome:
        for contract in self.step.contracts:
            self._tell("contract_validating", {"validation_phase": contract.type})
            why = broken(
                contract, self.step, folder=self.folder, root=self.work.manifest.root, run_tests=self._tests
            )
            if why is None:
                continue
            if contract.on_failure == "continue":
                told = f"the contract {contract.type} does not hold and the step goes on: {why}"
                self.work.run.event("log", told, level="warn", step=self.name, source="runline")
                continue
            again = contract.on_failure == "retry" or self.step.retry.max_attempts > 1
            return Outcome(error=f"contract {contract.type}: {why}", final=not again, tail=outcome.tail)
        return outcome

    def _tests(self, contract: Contract) -> str | None:
        argv = list(contract.argv) or [_SHELL, "-c", contract.command or ""]
        pair = f"{self.name}-tests-{self._attempt}"
        name = contract.command or " ".join(contract.argv)
        run = self.work.run
        run.event("test_started", data={"name": name}, step=self.name, source="runline", correlation_id=pair)
        folder = self.folder if contract.dir is None else self.work.manifest.root / contract.dir
        env = self._environment(input_variables(self.work.input, self.item), None)
        timeout_s = self.step.timeout_s or self.work.manifest.runtime.default_timeout_s
        outcome = self._new_attempt(watched=False).run(argv, cwd=folder, env=env, timeout_s=timeout_s)
        failed = int(outcome.error is not None)
        data = {"passed": 1 - failed, "failed": failed}
        run.event("test_result", data=data, step=self.name, source="runline", correlation_id=pair)
        return outcome.error

    def _keep(self, outcome: Outcome, captured: Path) -> Outcome:
        """Takes what the step was to leave into keeping, and a copy for the steps after it."""
        kept = self.work.scratch / "kept" / self.name
        kept.mkdir(parents=True, exist_ok=True)
        for one in self.step.produced:
            file = captured if one.path is None else self.folder / one.path
            if not file.is_file():
                if one.required:
                    return Outcome(
                        error=f"it left no {one.path}, its artifact {one.name!r}", tail=outcome.tail
                    )
                told = f"the artifact {one.name!r} was not made: there is no {one.path}"
                self.work.run.event("log", told, level="warn", step=self.name, source="runline")
                continue
            shutil.copyfile(file, kept / one.name)
            self.work.left[self.step.id, one.name] = self.work.left[self.name, one.name] = kept / one.name
            self.work.run.artifact(one.name, file, type=one.type, step=self.name)
        return outcome

    def _tell(self, type: str, data: dict[str, Any], *, level: str | None = None) -> None:
        self.work.run.event(type, data=data, step=self.name, source="runline", level=level)
