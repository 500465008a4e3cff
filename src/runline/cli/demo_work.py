"""The work that `runline demo` records: an archive of Python's own library, made for real.

`archive SOURCE TARGET` takes five steps: scan, hash, compress, verify, publish. `verify` unpacks the archive
and compares every file with its hash; it fails when a source has changed since it was hashed, which is what
`--meddle` sees to. `watchable SECONDS` hashes and compresses the library in rounds, for `tail -f` to follow; `detached SECONDS`
does so in a process that nobody waits for.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
import zipfile
import zlib
from pathlib import Path

import runline

_PACKAGES = (
    "asyncio",
    "email",
    "json",
    "unittest",
    "urllib",
    "xml",
    "http",
    "importlib",
    "logging",
    "concurrent",
)
_LARGE_BYTES = 80_000
_PLAN = [
    {"id": "scan"},
    {"id": "hash", "dependencies": ["scan"]},
    {"id": "compress", "dependencies": ["hash"]},
    {"id": "verify", "dependencies": ["compress"], "max_attempts": 1},
    {"id": "publish", "dependencies": ["verify"]},
]


def library() -> list[Path]:
    """The sources of some packages that come with every Python, in order of name."""
    home = Path(hashlib.__file__).parent
    return sorted(path for name in _PACKAGES for path in (home / name).rglob("*.py") if path.is_file())


def archive(source: Path, target: Path, *, meddle: bool = False) -> None:
    """Archives the files under `source` into `target`, as a recorded run. Raises ValueError when it differs."""
    with runline.run(
        "archive-library", kind="pipeline", tags=["demo"], plan=_PLAN, input={"source": source.name}
    ) as run:
        with run.step("scan"):
            files = sorted(path for path in source.rglob("*.py") if path.is_file())
            run.event("scan_completed", data={"node_count": len(files)})
        hashes: dict[Path, str] = {}
        with run.step("hash", total=len(files)) as step:
            for path in step.track(files):
                hashes[path] = hashlib.sha256(path.read_bytes()).hexdigest()
                run.event("log", f"{hashes[path][:12]}  {path.relative_to(source)}", source="hash")
        if meddle:
            _edit(files[len(files) // 2])
        with run.step("compress", total=len(files)) as step:
            size_bytes = _compress(run, step, source, files, target)
        run.artifact(target.name, path=target, type="archive", step="compress")
        with run.step("verify", total=len(files)) as step:
            _verify(run, step, source, target, hashes)
        with run.step("publish") as step:
            published = target.with_suffix(".published.zip")
            published.write_bytes(target.read_bytes())
            step.progress(100, action=f"{size_bytes:,} bytes in place")


def _compress(
    run: runline.ActiveRun, step: runline.ActiveStep, source: Path, files: list[Path], target: Path
) -> int:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in step.track(files):
            name = str(path.relative_to(source))
            packed.write(path, name)
            size_bytes = path.stat().st_size
            if size_bytes > _LARGE_BYTES:
                run.event("log", f"{name} has {size_bytes:,} bytes", level="warn", source="compress")
    return target.stat().st_size


def _verify(
    run: runline.ActiveRun, step: runline.ActiveStep, source: Path, target: Path, hashes: dict[Path, str]
) -> None:
    with (
        run.call("tool", "unzip -t", data={"args": {"archive": target.name}}) as call,
        zipfile.ZipFile(target) as packed,
    ):
        call.result(f"{len(packed.namelist())} files", ok=packed.testzip() is None)
    with zipfile.ZipFile(target) as packed:
        for path, expected in step.track(hashes.items()):
            name = str(path.relative_to(source))
            found = hashlib.sha256(packed.read(name)).hexdigest()
            if found != expected:
                raise ValueError(
                    f"{name} changed while it was archived: sha256 {found[:12]}, expected {expected[:12]}"
                )


def _edit(path: Path) -> None:
    """What an editor does in the middle of a backup."""
    path.write_text(
        path.read_text(encoding="utf-8") + "\n# edited while the archive was made\n", encoding="utf-8"
    )


def watchable(seconds: float) -> None:
    """Works through the library again and again for about so long, with steps, progress and calls to follow."""
    files = library()
    with runline.run(
        "index-library", kind="pipeline", tags=["demo", "live"], plan=["hash", "compress", "report"]
    ) as run:
        started_s = time.monotonic()
        done = {"hash": 0, "compress": 0}
        for number, (name, share) in enumerate((("hash", 0.4), ("compress", 0.55))):
            with run.step(name) as step:
                until_s = started_s + seconds * (0.4 * number + share)
                done[name] = _rounds(run, step, files, until_s, seconds * share)
        with run.step("report"):
            run.event("log", f"hashed {done['hash']:,} and compressed {done['compress']:,} files")


def _rounds(
    run: runline.ActiveRun, step: runline.ActiveStep, files: list[Path], until_s: float, span_s: float
) -> int:
    done = 0
    while time.monotonic() < until_s:
        path = files[done % len(files)]
        content = path.read_bytes()
        with run.call(
            "tool", step.name, message=f"{step.name} {path.name}", data={"args": {"file": path.name}}
        ) as call:
            if step.name == "hash":
                told = f"blake2b {hashlib.blake2b(content * 20).hexdigest()[:16]}"
            else:
                told = f"{len(content):,} to {len(zlib.compress(content, 9)):,} bytes"
            call.result(told, ok=True)
        done += 1
        left_s = max(0.0, until_s - time.monotonic())
        step.progress(min(99, int(100 * (1 - left_s / span_s))), action=f"{path.parent.name}/{path.name}")
        time.sleep(0.25)  # a machine that runs a demo has other work to do
    return done


if __name__ == "__main__":  # pragma: no cover - run as a process of its own; tests/cli/test_demo.py does
    what, *rest = sys.argv[1:]
    if what == "archive":
        archive(Path(rest[0]), Path(rest[1]), meddle="--meddle" in rest)
    elif what == "watchable":
        watchable(float(rest[0]))
    elif os.fork() == 0:
        os.setsid()
        watchable(float(rest[0]))
