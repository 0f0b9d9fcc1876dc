"""Python environments of a test's own, beside the one that runs it: a name and requirements in, an interpreter out.

Built by uv once and kept in `.pytest_cache`, or in the folder that FOLDPROOF_TEST_ENVIRONMENTS names. Where no package
index can be reached the test is skipped; whatever else goes wrong in building one is a failure.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from foldproof.storage import locked

ROOT = Path(__file__).parents[1]
HOME = os.environ.get("HOME", "")  # as it was before a test got one of its own: uv's cache and settings lie there
BUILD_SECONDS = 600
_NO_INDEX = re.compile(
    r"error sending request|dns error|failed to fetch|connectivity is disabled|could not connect|timed out|"
    r"not found in the (?:package )?(?:registry|cache)",
    re.IGNORECASE,
)


def environment(name: str, *requirements: str) -> Path:
    """The interpreter of an environment that holds exactly what these requirements ask for."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv is None:
        pytest.skip("there is no uv to make an environment with")
    kept = Path(os.environ.get("FOLDPROOF_TEST_ENVIRONMENTS") or ROOT / ".pytest_cache" / "environments")
    kept.mkdir(parents=True, exist_ok=True)
    folder, wanted = kept / name, "\n".join([sys.version, *requirements])
    with locked(kept / f"{name}.lock", what=f"the environment {name}", wait_seconds=BUILD_SECONDS):
        ready = folder / "ready.txt"
        if not ready.is_file() or ready.read_text(encoding="utf-8") != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            _build(uv, folder, requirements)
            ready.write_text(wanted, encoding="utf-8")
    return python_of(folder)


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _build(uv: str, folder: Path, requirements: tuple[str, ...]) -> None:
    for arguments in (
        ["venv", "--quiet", "--python", sys.executable, str(folder)],
        ["pip", "install", "--quiet", "--python", str(python_of(folder)), *requirements],
    ):
        done = subprocess.run(
            [uv, *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "HOME": HOME},
            timeout=BUILD_SECONDS,
            check=False,
        )
        if done.returncode and _NO_INDEX.search(done.stderr):
            pytest.skip(f"no package index can be reached for the environment {folder.name}")
        assert done.returncode == 0, done.stderr
