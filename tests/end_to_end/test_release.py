"""What is released works: a wheel that holds all foldproof needs, installed in a clean environment, runs the demo."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import foldproof
from environments import ROOT, environment

pytestmark = pytest.mark.slow
PACKAGE = Path(foldproof.__file__).parent
DEMO_SECONDS = 1800


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True, timeout=120)
    (made,) = folder.glob("*.whl")
    return made


def test_the_wheel_holds_the_package_with_its_data_files_and_nothing_else(wheel: Path) -> None:
    files = {path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    expected = {f"foldproof/{path.relative_to(PACKAGE).as_posix()}" for path in files}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert any(name.endswith(".css") for name in expected)
    assert names == expected


def test_the_wheel_has_the_version_that_the_changelog_released_last(wheel: Path) -> None:
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").splitlines() if line[:4] == "## ["]
    assert headings[0] == "## [Unreleased]"
    assert headings[1].startswith(f"## [{foldproof.__version__}] - ")
    assert wheel.name.startswith(f"foldproof-{foldproof.__version__}-")


@pytest.mark.thorough
@pytest.mark.timeout(DEMO_SECONDS)
def test_the_wheel_in_an_environment_of_its_own_runs_the_demo_to_its_end(wheel: Path, tmp_path: Path) -> None:
    pinned = [line.rstrip(" \\") for line in (ROOT / "requirements.lock").read_text().splitlines() if "==" in line]
    constraints = tmp_path / "constraints.txt"
    constraints.write_text("\n".join(pinned) + "\n", encoding="utf-8")
    python = environment("release", "--constraint", str(constraints), "--reinstall-package", "foldproof", str(wheel))
    demo = subprocess.run(
        [python, "-I", "-m", "foldproof", "demo", "digits"],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=DEMO_SECONDS,
        check=False,
    )
    assert demo.returncode == 0, demo.stderr[-3000:]
    assert "verdict:" in demo.stdout
    assert len(list((tmp_path / "digits" / "runs").iterdir())) == 3
