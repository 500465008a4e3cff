"""A store with something for every route to answer about, and the values of the examples' placeholders."""

from __future__ import annotations

from pathlib import Path

from runline.store.sql_store import SqlStore

MANIFEST = """\
metadata: {name: reports}
adapters:
  say: {command: [echo]}
personas:
  writer: {adapter: say, description: Writes reports, permissions: {allowed_tools: [Read], deny: ["Bash(rm *)"]}}
"""
PIPELINE = """\
metadata: {name: nightly-report, description: The report of every night}
steps:
  - {id: extract, exec: {type: command, source: "echo 3 rows"}}
  - {id: write, persona: writer, dependencies: [extract], exec: {type: prompt, source: Summarise the rows}}
"""


def manifest(folder: Path) -> Path:
    """A manifest with one pipeline and one persona."""
    pipelines = folder / ".runline" / "pipelines"
    pipelines.mkdir(parents=True)
    (pipelines / "nightly-report.yaml").write_text(PIPELINE)
    (folder / "runline.yaml").write_text(MANIFEST)
    return folder / "runline.yaml"


def furnish(store: SqlStore, tenant: str = "default") -> dict[str, str]:
    """`$RUN` goes on and left artifacts, `$OTHER` completed, `$FAILED` failed; `$TOKEN_ID` is a token's."""

    def made(name: str) -> str:
        return store.create_run(name, tenant=tenant, tags=["demo"]).run_id

    run, other, failed = made("nightly-report"), made("nightly-report"), made("nightly-report")
    for run_id in (run, other, failed):
        store.append(
            run_id,
            [
                {"type": "step_started", "step": "extract"},
                {
                    "type": "tool_call",
                    "step": "extract",
                    "correlation_id": "c1",
                    "data": {"tool_name": "read"},
                },
            ],
        )
    store.put_artifact(run, "report.txt", b"all well\n")
    store.put_artifact(run, "report.txt", b"all well\n", step="extract")
    store.add_note(run, "watch this")
    store.end_run(other)
    store.append(failed, [{"type": "step_failed", "step": "extract", "data": {"error": "no such table"}}])
    store.end_run(failed, "failed", error="no such table")
    token = store.create_token("demo", scopes=("read",), tenant=tenant)
    return {
        "RUN": run,
        "OTHER": other,
        "FAILED": failed,
        "TOKEN_ID": token.token.id,
        "TOKEN": token.secret,
    }
