"""What is installed is what was looked at: hashes everywhere, actions by commit, no floor that admits a known hole."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements.lock", "uv.lock.txt", "benchmarks/peers/requirements.txt")
PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==(?P<version>[^ ;\\]+)", re.MULTILINE)
FIRST_WITHOUT_THE_HOLE = {  # docs/decisions/0031
    "filelock": "3.20.3",
    "jinja2": "3.1.6",
    "mlflow": "3.17",
    "pillow": "13",
    "pyarrow": "23.0.1",
    "scikit-learn": "1.5",
}


def floors() -> dict[str, Version]:
    """The least version of each dependency that pyproject.toml admits."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    found = {}
    for text in listed:
        required = Requirement(text)
        (least,) = [Version(one.version) for one in required.specifier if one.operator == ">="]
        found[canonicalize_name(required.name)] = least
    return found


def locked() -> dict[str, list[Version]]:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found: dict[str, list[Version]] = {}
    for match in PINNED.finditer(text):
        found.setdefault(canonicalize_name(match["name"]), []).append(Version(match["version"]))
    return found


def test_what_is_locked_is_what_the_floors_admit():
    versions = locked()
    assert {name: least for name, least in floors().items() if min(versions[name]) < least} == {}


def test_no_floor_admits_a_version_with_a_known_hole():
    least = floors()
    assert {name: least[name] for name, first in FIRST_WITHOUT_THE_HOLE.items() if least[name] < Version(first)} == {}


@pytest.mark.parametrize("name", LOCKS)
def test_everything_that_is_installed_has_its_hash(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    parts = re.split(r"(?m)^(?=[A-Za-z0-9])", re.sub(r"(?m)^ *#.*\n", "", text))
    packages = [part for part in parts if part.strip()]
    assert packages
    for part in packages:
        assert PINNED.match(part), part[:80]
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", part), part[:80]
    assert not re.search(r"://|--index|--find-links|--trusted-host", text)


@pytest.mark.slow
def test_every_file_of_requirements_is_looked_at():
    found = {
        path.relative_to(ROOT).as_posix() for path in ROOT.glob("**/requirements*.txt") if ".venv" not in path.parts
    }
    found = {name for name in found if not name.startswith((".bench/", "shared/"))}
    assert found <= set(LOCKS)


def test_every_action_is_named_by_its_commit_and_says_its_version():
    uses = [
        line.strip()
        for path in (ROOT / ".github" / "workflows").glob("*.y*ml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(r"\s*(?:- )?uses:", line)
    ]
    assert uses
    for line in uses:
        assert re.fullmatch(r"(?:- )?uses: [\w-]+/[\w./-]+@[0-9a-f]{40}  # v\d+(?:\.\d+)*", line), line


def test_nothing_is_installed_without_hashes():
    """But for this project itself, whose build needs what is installed by then."""
    texts = [
        ROOT / "Makefile",
        *(ROOT / ".github" / "workflows").glob("*.y*ml"),
        ROOT / "benchmarks" / "environments.py",
    ]
    lines = [line for path in texts for line in path.read_text(encoding="utf-8").splitlines()]
    installing = [line for line in lines if re.search(r"pip install", line) and "-e ." not in line]
    assert installing
    assert [line for line in installing if "--require-hashes" not in line] == []
    assert '"--require-hashes"' in (ROOT / "benchmarks" / "environments.py").read_text(encoding="utf-8")
