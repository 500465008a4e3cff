"""A nightly report: steps with progress, an artifact and a note. Run it, then `runline show`."""
# ruff: noqa: INP001 - a file to run

from __future__ import annotations

import runline

PAGES = [{"page": n, "rows": n * 7 % 40} for n in range(1, 121)]


def main() -> None:
    with runline.run("nightly-report", kind="pipeline", tags=["example"], plan=["extract", "report"]) as run:
        rows = 0
        with run.step("extract", persona="reader") as step:
            for page in step.track(PAGES):
                rows += page["rows"]
                if page["rows"] == 0:
                    run.event("log", f"page {page['page']} is empty", level="warn", data=page)
        with run.step("report", after="extract"):
            run.artifact(
                "report.md", content=f"# Report\n\n{rows} rows on {len(PAGES)} pages\n", type="report"
            )
        run.note("Empty pages are expected on weekends.", author="example", labels=["vendor"])


if __name__ == "__main__":
    main()
