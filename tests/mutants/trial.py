"""Run tests on a copy of the tree, each time in a fresh process, forked from one that holds the big libraries."""

import compileall
import contextlib
import json
import multiprocessing
import os
import py_compile
import shutil
import signal
import sys
import threading
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
NEEDED = ("src", "tests", "benchmarks", "docs", "pyproject.toml", "README.md", "CHANGELOG.md")
LIBRARIES = (
    *("torch", "torchvision", "numpy", "scipy.stats", "sklearn.metrics", "PIL.Image", "pyarrow.parquet", "pandas"),
    *(
        "safetensors.torch",
        "pydantic",
        "hypothesis",
        "rich.console",
        "click",
        "ruamel.yaml",
        "statsmodels.api",
        "pytest",
    ),
)
PASSED, FAILED, NO_TESTS = 0, 1, 5  # as pytest says it
TIMED_OUT = -1


def copied(to: Path) -> Path:
    """A copy of the tree, as it stands, in which anything may be changed."""
    to.mkdir(parents=True)
    for name in NEEDED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, to / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / name).exists():
            shutil.copy(ROOT / name, to / name)
    compileall.compile_dir(to / "src", quiet=2, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
    return to


@dataclass(frozen=True)
class Trial:
    """What pytest said: its exit code, or TIMED_OUT; the first test that failed; the end of what it printed."""

    code: int
    by: str
    said: str


def context() -> ForkServerContext:
    """Where processes come from: one that has loaded what does not change, and started no thread."""
    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload(list(LIBRARIES))
    return found


def tried(
    processes: ForkServerContext, copy: Path, tests: Sequence[str], *, seconds: float, reach: Path | None = None
) -> Trial:
    """Run `tests`, without the slow ones unless they are named one by one, and stop at the first that fails.

    `reach`: where to write which lines of foldproof were executed.
    """
    log = copy / "log.txt"
    named = any("::" in test for test in tests)
    options = [
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "--tb=line",
        "--no-header",
        "-Wignore::pytest.PytestAssertRewriteWarning",
        f"--basetemp={copy / 'temporary'}",  # else each run would first take away what others left behind
        *([] if named else ["-m", "not slow"]),
    ]
    child: Any = processes.Process(target=_run, args=(str(copy), [*options, *tests], str(log), reach and str(reach)))
    child.start()
    child.join(seconds)
    late = child.is_alive()
    with contextlib.suppress(ProcessLookupError):  # its own group: whatever the tests started ends with it
        os.killpg(child.pid, signal.SIGKILL)
    child.join()
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    by = next((line.split()[1] for line in said.splitlines() if line.startswith(("FAILED ", "ERROR "))), "")
    return Trial(TIMED_OUT if late else child.exitcode, by, said[-2000:])


def _run(copy: str, arguments: list[str], log: str, reach: str | None) -> None:
    os.setsid()
    with open(log, "wb") as file:  # noqa: PTH123 - descriptors are what children inherit
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(copy)
    source = f"{copy}/src"
    sys.path.insert(0, source)
    sys.dont_write_bytecode = True  # what was compiled of a mutant must not outlive it
    os.environ |= {"PYTHONPATH": source, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    import pytest

    lines: defaultdict[str, set[int]] = defaultdict(set)
    if reach is not None:
        _trace(f"{source}/foldproof/", lines)
    code = pytest.main(arguments)
    if reach is not None:
        Path(reach).write_text(json.dumps({file: sorted(found) for file, found in lines.items()}), encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(code))


def _trace(below: str, lines: defaultdict[str, set[int]]) -> None:
    """Note every line below a folder that is executed from now on."""

    def calls(frame: FrameType, event: str, argument: object) -> Any:
        name = frame.f_code.co_filename
        if not name.startswith(below):
            return None
        seen = lines[name.removeprefix(below)]
        seen.add(frame.f_lineno)

        def inside(frame: FrameType, event: str, argument: object) -> Any:
            seen.add(frame.f_lineno)
            return inside

        return inside

    threading.settrace(calls)
    sys.settrace(calls)
