from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

import runline
from runline.model.errors import Conflict, Invalid, NotFound, RunlineError
from runline.record import process, tree
from runline.store.sql_store import SqlStore
from tests.record.conftest import only_run, told, types


class Shown(io.BytesIO):
    """Somewhere to show output that is no file."""


def record(*argv: str, **options: Any) -> tuple[int, bytes, bytes]:
    """Exit code, and what was shown on standard output and standard error."""
    out, err = Shown(), Shown()
    code = process.record_command(argv, stdout=out, stderr=err, **options)
    return code, out.getvalue(), err.getvalue()


def sh(script: str, **options: Any) -> tuple[int, bytes, bytes]:
    return record("sh", "-c", script, **options)


def lines(store: SqlStore, source: str = "stdout") -> list[str]:
    return [event.message for event in told(store, only_run(store)) if event.source == source]


def test_a_command_is_recorded_line_by_line_and_shown_as_it_is(store: SqlStore) -> None:
    code, out, err = sh(
        "printf 'one\\ntwo\\r\\n\\nlast'; echo problem >&2", name="greet", tags=["a"], kind="build"
    )
    assert (code, out, err) == (0, b"one\ntwo\r\n\nlast", b"problem\n")
    run = store.get_run(only_run(store))
    assert (run.name, run.tags, run.kind, run.status) == ("greet", ("a",), "build", "completed")
    assert lines(store) == ["one", "two", "", "last"]
    assert lines(store, "stderr") == ["problem"]
    event = next(event for event in told(store, run.run_id) if event.message == "one")
    assert (event.type, event.level, event.step, event.data) == ("log", "info", None, {})
    assert run.input == {"command": ["sh", "-c", run.input["command"][2]], "cwd": str(Path.cwd())}


def test_an_exit_code_makes_one_error_before_the_end(store: SqlStore) -> None:
    script = "for n in $(seq 30); do echo line $n >&2; done; echo >&2; exit 3"
    assert sh(script)[0] == 3
    run_id = only_run(store)
    error, end = told(store, run_id)[-2:]
    assert (error.type, error.level, error.message, error.source) == ("error", "error", "line 30", "runline")
    assert error.data["tail"] == [f"line {n}" for n in range(11, 31)]
    assert (error.data["exit_code"], error.data["name"]) == (3, "exit code 3")
    assert end.data == {"status": "failed", "error": "exit code 3"}
    assert types(store, run_id).count("error") == 1
    assert store.get_run(run_id).status == "failed"


def test_without_standard_error_the_tail_is_of_standard_output(store: SqlStore) -> None:
    assert sh("echo FAILED test_x; exit 1")[0] == 1
    assert told(store, only_run(store))[-2].message == "FAILED test_x"


def test_a_silent_failure_tells_its_exit_code(store: SqlStore) -> None:
    assert record("false")[0] == 1
    error = told(store, only_run(store))[-2]
    assert (error.message, error.data["tail"]) == ("exit code 1", [])


@pytest.mark.parametrize(("number", "name"), [(9, "SIGKILL"), (11, "SIGSEGV"), (40, "signal 40")])
def test_death_by_a_signal(store: SqlStore, number: int, name: str) -> None:
    assert sh(f"kill -{number} $$")[0] == 128 + number
    run = store.get_run(only_run(store))
    assert (run.status, run.error_message) == ("failed", f"killed by {name}")
    assert told(store, run.run_id)[-2].data["signal"] == name


def test_a_command_that_is_not_there(store: SqlStore) -> None:
    code, _, err = record("no-such-command-anywhere", "x")
    assert (code, err) == (127, b"runline: no-such-command-anywhere: command not found\n")
    run = store.get_run(only_run(store))
    assert run.status == "failed"
    assert types(store, run.run_id) == ["run_started", "error", "run_ended"]


def test_a_command_that_cannot_be_executed(store: SqlStore, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("x")
    code, _, err = record(str(tmp_path / "plain"))
    assert code == 126
    assert b"cannot be run (Permission denied)" in err


def test_no_command_is_refused() -> None:
    with pytest.raises(Invalid):
        record()


def test_what_is_wrong_is_said_before_anything_runs(store: SqlStore, tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    with pytest.raises(RunlineError):
        record("touch", str(marker), store=tmp_path / "runline.db" / "impossible.db")
    assert not marker.exists()
    store.create_run("x", run_id="taken")
    with pytest.raises(Conflict):
        record("touch", str(marker), run_id="taken")
    assert not marker.exists()


def test_with_best_effort_the_command_runs_unrecorded(store: SqlStore, tmp_path: Path) -> None:
    code, out, err = sh("echo hi; exit 4", store=tmp_path / "runline.db" / "impossible.db", best_effort=True)
    assert (code, out) == (4, b"hi\n")
    assert err.startswith(b"runline: this command is not recorded: ")
    assert err.count(b"runline:") == 1


def test_the_command_line_is_redacted_everywhere(store: SqlStore) -> None:
    secret = "ghp_" + "a1B2" * 9
    assert record("true", "--token", secret, f"Authorization: Bearer {secret}")[0] == 0
    run = store.get_run(only_run(store))
    assert secret not in f"{run.name} {run.run_id} {run.input_json} {told(store, run.run_id)[0].payload}"
    assert secret.lower() not in run.run_id


def test_bytes_that_are_no_text(store: SqlStore) -> None:
    code, out, _ = sh("printf 'a\\377b\\000c\\n\\342\\202'")
    assert (code, out) == (0, b"a\xffb\0c\n\xe2\x82")
    assert lines(store) == ["a\ufffdb\ufffdc", "\ufffd"]


def test_a_blank_line_beside_an_odd_one_stays_blank(store: SqlStore) -> None:
    assert sh("printf '\\n\\000\\n'")[0] == 0
    assert lines(store) == ["", "\ufffd"]


def test_a_recorded_command_survives_export_and_import_with_its_blank_lines(
    store: SqlStore, tmp_path: Path
) -> None:
    assert sh("echo a; echo; echo '  '; echo b; exit 1")[0] == 1
    events = told(store, only_run(store))
    exported = [msgspec.json.decode(event.to_json()) for event in events]
    with runline.open_store(str(tmp_path / "other.db")) as other:
        other.import_run({"run_id": only_run(store)}, exported)
        assert told(other, only_run(store)) == events
        assert other.verify().ok
    assert lines(store) == ["a", "", "  ", "b"]


def test_a_long_blank_line_is_cut(store: SqlStore) -> None:
    assert sh("printf '%100000s\\n' ''")[0] == 0
    assert [len(line) for line in lines(store)] == [4096]


def test_a_line_of_ten_megabytes_is_one_event_that_says_how_long_it_was(store: SqlStore) -> None:
    source = "import sys; sys.stdout.write('x' * 10_000_000 + '\\n' + 'after\\n')"
    code, out, _ = record(sys.executable, "-c", source)
    assert (code, len(out)) == (0, 10_000_007)
    long, after = (event for event in told(store, only_run(store)) if event.source == "stdout")
    assert len(long.message) <= 16 * 1024
    assert long.data["line_bytes"] == 10_000_000
    assert long.data["_cut"]
    assert after.message == "after"


def test_a_progress_bar_is_no_flood_and_no_giant_line(store: SqlStore) -> None:
    code, out, _ = sh("for n in $(seq 500); do printf '\\r%d%%' $n; done; echo")
    assert (code, out.count(b"\r")) == (0, 500)
    found = lines(store)
    assert found[-1] == "500%"
    assert len(found) < 50


def test_many_lines_are_all_there(store: SqlStore) -> None:
    assert sh("seq 50000")[0] == 0
    assert lines(store) == [str(n) for n in range(1, 50_001)]


def test_a_program_in_it_joins_the_run(store: SqlStore) -> None:
    source = "import runline; runline.event('inside', 'hello'); print('out')"
    assert record(sys.executable, "-c", source)[0] == 0
    assert sorted(types(store, only_run(store))) == ["inside", "log", "run_ended", "run_started"]


def test_exec_inside_a_run_is_its_child(store: SqlStore) -> None:
    with runline.run("outer") as outer:
        assert record("true", run_id="inner")[0] == 0
    assert store.get_run("inner").parent_run_id == outer.id


def test_a_background_process_that_keeps_the_pipe_does_not_hold_it_up(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_GRACE_S", 0.2)
    began_s = time.monotonic()
    assert sh("echo before; sleep 60 >&1 2>/dev/null & printf partial")[0] == 0
    assert time.monotonic() - began_s < 20
    assert lines(store) == ["before", "partial"]
    note = told(store, only_run(store))[-2]
    assert (note.level, note.source) == ("warn", "runline")
    assert note.message.startswith("a background process still holds stdout;")


def test_a_command_that_closes_its_output_is_waited_for(store: SqlStore) -> None:
    assert sh("exec >&- 2>&-; sleep 0.4; exit 5")[0] == 5
    assert store.get_run(only_run(store)).status == "failed"


def test_a_cancelled_run_is_stopped(store: SqlStore) -> None:
    def cancel() -> None:
        while not store.list_runs().items:
            time.sleep(0.01)
        store.cancel(only_run(store))

    canceller = threading.Thread(target=cancel)
    canceller.start()
    assert record("sleep", "60")[0] == 128 + signal.SIGTERM
    canceller.join()
    run = store.get_run(only_run(store))
    assert (run.status, run.error_message) == ("cancelled", "killed by SIGTERM")


def test_a_cancelled_command_that_ignores_it_is_killed(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "_KILL_AFTER_S", 0.2)

    def cancel() -> None:
        while not store.list_runs().items or "log" not in types(store, only_run(store)):
            time.sleep(0.01)
        store.cancel(only_run(store))

    canceller = threading.Thread(target=cancel)
    canceller.start()
    source = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True);"
        "os.close(1); os.close(2); time.sleep(60)"
    )
    assert record(sys.executable, "-c", source)[0] == 128 + signal.SIGKILL
    canceller.join()
    assert store.get_run(only_run(store)).status == "cancelled"


def test_what_could_not_be_stored_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    class Lossy(runline.ActiveRun):
        def end(self, status: str = "completed", *, error: object = None, partial: bool = False) -> bool:
            super().end(status, error=error, partial=partial)
            return False

    monkeypatch.setattr(process, "ActiveRun", Lossy)
    code, _, err = record("true", run_id="lossy")
    assert (code, err) == (0, b"runline: some events of this run could not be stored (run lossy)\n")


def test_a_reader_that_has_gone_is_no_crash(store: SqlStore) -> None:
    class Gone(Shown):
        def write(self, _: object) -> int:
            raise BrokenPipeError

    out = Gone()
    code = process.record_command(["nothing-like-this"], stdout=out, stderr=out)
    assert code == 127


EXEC = "import sys; from runline.record.process import record_command; sys.exit(record_command(sys.argv[1:], run_id='r'))"


def start_exec(tmp_path: Path, *argv: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", EXEC, *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"RUNLINE_STORE": str(tmp_path / "runline.db")},
        **options,
    )


def test_a_closed_pipe_ends_the_command_as_in_any_pipeline(store: SqlStore, tmp_path: Path) -> None:
    running = start_exec(tmp_path, "yes")
    assert running.stdout is not None
    assert running.stdout.read(10) == b"y\ny\ny\ny\ny\n"
    running.stdout.close()
    assert running.stderr is not None
    with running.stderr as stderr:
        assert stderr.read() == b""
    assert running.wait(60) == 128 + signal.SIGPIPE
    assert types(store, "r")[-2:] == ["error", "run_ended"]
    assert store.get_run("r").status == "failed"


def wait_until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.01)


def started(store: SqlStore) -> bool:
    try:
        return "log" in types(store, "r")
    except NotFound:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_signals_are_passed_on(store: SqlStore, tmp_path: Path, number: signal.Signals) -> None:
    trapped = f"trap 'echo got it; exit 7' {number.name[3:]}; echo ready; while :; do sleep 0.05; done"
    running = start_exec(tmp_path, "sh", "-c", trapped, start_new_session=True)
    wait_until(lambda: started(store))
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert (out, err, running.returncode) == (b"ready\ngot it\n", b"", 7)
    assert store.get_run("r").status == "cancelled"


def test_a_stop_that_the_command_takes_well_is_a_completion(store: SqlStore, tmp_path: Path) -> None:
    trapped = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.05; done"
    running = start_exec(tmp_path, "sh", "-c", trapped)
    wait_until(lambda: started(store))
    running.terminate()
    assert running.wait(60) == 0
    running.communicate()
    assert store.get_run("r").status == "completed"


def test_a_killed_exec_reads_interrupted_later_and_its_lines_stay(store: SqlStore, tmp_path: Path) -> None:
    running = start_exec(tmp_path, "sh", "-c", "echo ready; exec sleep 60", start_new_session=True)
    wait_until(lambda: started(store))
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert types(store, "r") == ["run_started", "log"]
    assert store.get_run("r").status == "running"  # for the thirty seconds that silence is allowed


def test_what_waits_for_a_server_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNLINE_SPOOL", str(tmp_path / "spool"))
    code, out, err = sh("echo one", store="http://127.0.0.1:1")
    assert (code, out) == (0, b"one\n")
    assert f"wait in {tmp_path / 'spool'} until its store is back".encode() in err
