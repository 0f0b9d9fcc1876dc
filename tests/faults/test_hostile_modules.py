"""A project's folder holds a file for every module that there is: none of them is imported that no setting names."""

import importlib.machinery
import os
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from conftest import SETTINGS
from journaled import JournaledRun

SCRIPT = Path(sys.executable).with_name("foldproof.exe" if os.name == "nt" else "foldproof")
READING = (
    ("compare",), ("report",), ("runs",), ("config",), ("data", "check"), ("doctor",), ("doctor", "--foreign"),
    ("diff", "First", "Second"), ("run", "--dry-run"), ("verify", "First"), ("bundle", "First", "-o", "First.zip"),
    ("--help",),
)  # fmt: skip


def names() -> set[str]:
    """Top-level names of all modules of Python and of installed packages."""
    known = {*sys.stdlib_module_names, *packages_distributions()}
    return {name for name in known if name.isidentifier()} - {"foldproof"}


def loaded_first(folder: Path) -> set[str]:
    """What `python -m` loads itself, before anything of the package that it is to start: no package can help that."""
    (folder / "shown.py").write_text("import sys\nprint(*sys.modules)\n")
    done = subprocess.run([sys.executable, "-m", "shown"], cwd=folder, capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def is_installed(name: str) -> bool:
    """Whether there is such a module here: own code may bring one that a package would use if it were there."""
    spec = importlib.machinery.PathFinder.find_spec(name)
    return name in sys.builtin_module_names or (spec is not None and spec.origin is not None)


def plant(project: Path, canaries: Path, chosen: set[str]) -> None:
    canaries.mkdir()
    for name in chosen:
        (project / f"{name}.py").write_text(f"open({str(canaries / name)!r}, 'w').close()\n")


@pytest.fixture
def project(tiny_project) -> Path:
    for number, name in enumerate(("First", "Second")):
        run = JournaledRun.make(tiny_project / "runs", f"20260101-00000{number}-aaaaa{number}", experiment=name)
        run.complete()
    return tiny_project


def started(way: str, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(SCRIPT)] if way == "script" else [sys.executable, "-m", "foldproof"]
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=250)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["script", "module"])
def test_what_only_reads_imports_nothing_of_the_project(way, project, tmp_path):
    chosen = names() - (loaded_first(tmp_path) if way == "module" else set())
    plant(project, tmp_path / "canaries", chosen)
    for arguments in READING:
        done = started(way, *arguments, folder=project)
        assert "Traceback" not in done.stderr
        assert done.returncode in (0, 1, 2), (arguments, done.stderr)
        assert sorted(path.name for path in (tmp_path / "canaries").iterdir()) == [], arguments


@pytest.mark.slow
@pytest.mark.parametrize("way", ["script", "module"])
def test_a_run_imports_nothing_of_the_project_in_any_of_its_processes(way, tiny_project, tmp_path):
    chosen = names() - (loaded_first(tmp_path) if way == "module" else set())
    plant(tiny_project, tmp_path / "canaries", chosen)
    for arguments in (("run",), ("verify", "Tiny"), ("reproduce", "Tiny", "--folds", "0"), ("sync",)):
        done = started(way, *arguments, folder=tiny_project)
        print(arguments, done.stdout[-300:], done.stderr[-300:])
        assert "Traceback" not in done.stderr
        assert sorted(path.name for path in (tmp_path / "canaries").iterdir()) == [], arguments
    assert next((tiny_project / "runs").glob("*/fold-0-0/model.safetensors"))


@pytest.mark.slow
def test_own_code_is_found_and_only_it(tiny_project, tmp_path):
    (tiny_project / "own.py").write_text(
        "from foldproof.models.small_cnn import small_cnn as net\n"
        "from foldproof.metrics import accuracy\n\n\n"
        "def measure(probabilities, labels):\n    return accuracy(probabilities, labels)\n\n\n"
        "measure.higher_is_better = True\n"
    )
    (tiny_project / "params.yaml").write_text(
        SETTINGS.replace("small_cnn", "'own:net'") + "\ncompare: {metric: 'own:measure'}\n"
    )
    plant(tiny_project, tmp_path / "canaries", {name for name in names() if is_installed(name)})
    for arguments in (("run",), ("compare",)):
        done = started("script", *arguments, folder=tiny_project)
        assert done.returncode == 0, done.stderr
    assert "measure" in done.stdout
    assert list((tmp_path / "canaries").iterdir()) == []


@pytest.mark.slow
def test_own_code_that_bears_the_name_of_an_installed_module_is_an_error_that_says_so(tiny_project):
    (tiny_project / "torch.py").write_text("raise SystemExit('it ran')\n")
    (tiny_project / "params.yaml").write_text(SETTINGS + "\ncompare: {metric: 'torch:evil'}\n")
    JournaledRun.make(tiny_project / "runs", "20260101-000000-aaaaaa", experiment="First").complete()
    asked = started("script", "compare", folder=tiny_project)
    assert (asked.returncode, "--metric torch:evil" in asked.stderr) == (2, True)
    done = started("script", "compare", "--metric", "torch:evil", folder=tiny_project)
    assert done.returncode == 2
    assert "rename the project's own 'torch'" in done.stderr
    assert "it ran" not in done.stderr + done.stdout
