"""A record with one value that no run writes: whatever reads it takes it, or says what is wrong in an error of ours.

`FOLDPROOF_FAULTS=N` spoils N records in the thorough test.
"""

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from foldproof.cli.main import run_command
from foldproof.errors import FoldproofError
from foldproof.project import Project
from foldproof.reproduce.recorded import Recorded
from foldproof.trackers.mlflow.desired_runs import desired_runs
from foldproof.trackers.mlflow.run_folder import RunReader
from nasty import spoil
from recorded import INLINE, train_inline

COUNT = int(os.environ.get("FOLDPROOF_FAULTS", "0")) or 3000
COMMANDS = (
    ("runs",), ("runs", "--json"), ("compare",), ("compare", "--json"), ("verify", "{run}", "--level", "0"),
    ("verify", "{run}", "--level", "0", "--json"), ("diff", "{run}", "{other}"), ("diff", "{other}", "{run}", "--json"),
    ("bundle", "{run}", "-o", "{out}"), ("bundle", "{run}", "--anonymous", "-o", "{out}"), ("report", "{run}"),
)  # fmt: skip
SLOW = 1  # of them, that are drawn seldom


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """A project with two runs of three folds and their reports."""
    settings = INLINE.replace("version: 1", "version: 1\ntracking: {enabled: false}")
    return train_inline(tmp_path_factory.mktemp("spoiled"), settings)


@pytest.fixture
def kept(trained, tmp_path) -> Iterator[Path]:
    """The same, elsewhere; a run that is spoiled is brought back from it."""
    shutil.copytree(trained, tmp_path / "kept")
    yield tmp_path / "kept"
    for folder in (tmp_path / "kept" / "runs").iterdir():
        shutil.rmtree(trained / "runs" / folder.name)
        shutil.copytree(folder, trained / "runs" / folder.name)


def read_all(folder: Path) -> None:
    """All that `verify`, `reproduce`, `diff` and `sync` read of a record before they do anything."""
    with suppress(FoldproofError):
        Recorded.read(folder)
    with suppress(FoldproofError):
        reader = RunReader(folder)
        reader.look()
        content = reader.content()
        list(desired_runs(content, abandoned=False) if content else ())


def one(project: Path, kept: Path, seed: int) -> tuple[str, int]:
    """Spoil a file of one run, give the project to one command, and bring the run back; the command and its exit."""
    chance = random.Random(seed)
    run, other = (folder.name for folder in chance.sample(sorted((kept / "runs").iterdir()), 2))
    folder = project / "runs" / run
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix in SUFFIXES]
    for path in chance.sample(files, chance.choice([1, 1, 1, 2])):
        spoil(path, chance)
    read_all(folder)
    command = chance.choice(COMMANDS[:-SLOW] if chance.random() < 0.97 else COMMANDS[-SLOW:])
    words = [word.format(run=run, other=other, out=project.parent / "made.zip") for word in command]
    code = run_command(words)
    shutil.rmtree(folder)
    shutil.copytree(kept / "runs" / run, folder)
    return " ".join(command), code


SUFFIXES = (".json", ".jsonl", ".csv", ".parquet", ".f32", ".safetensors")


def drawn(project: Path, kept: Path, seeds: range, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, int]]:
    """The seeds whose command ended in anything but an answer."""
    monkeypatch.chdir(project)
    wrong = []
    for seed in seeds:
        command, code = one(project, kept, seed)
        if code not in (0, 1, 2):
            wrong.append((seed, command, code))
    return wrong


@pytest.mark.slow
def test_a_spoiled_record_gets_an_answer_from_every_command(trained, kept, monkeypatch, capfd):
    assert drawn(trained, kept, range(40), monkeypatch) == []
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.timeout(36_000)
def test_thousands_of_spoiled_records_get_an_answer(trained, kept, monkeypatch):
    assert drawn(trained, kept, range(1000, 1000 + COUNT), monkeypatch) == []


def test_an_honest_project_is_as_it_was(trained):
    assert len(Project(trained / "params.yaml").run_folders()) == 2
