"""Projects to break: how many trials, what was versioned, and what counts as lost."""

import hashlib
import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from conftest import draw, draw_classes
from foldproof.config.read import load_settings
from foldproof.data.versions import dvc
from foldproof.errors import DataError
from foldproof.project import Project
from foldproof.training_data.load import load_training_data

SOURCE = Path(__file__).parents[2] / "src"
SETTINGS = "version: 1\ndata: {path: data/train, image_size: 8}\n"


def trials(usual: int, *, share: int = 1) -> int:
    """How many: `usual`, or a share of FOLDPROOF_FAULTS, which `make faults` sets."""
    asked = os.environ.get("FOLDPROOF_FAULTS")
    return max(1, int(asked) // share) if asked else usual


class Campaign:
    """What was tried and what came of it: a row a trial. With FOLDPROOF_FAULTS it is kept, so that a campaign that was
    cut off goes on where it was; for other source code it begins anew.
    """

    def __init__(self, name: str) -> None:
        source = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(SOURCE.rglob("*.py")))).hexdigest()[:12]
        self._file = SOURCE.parent / ".faults" / source / f"{name}.jsonl" if "FOLDPROOF_FAULTS" in os.environ else None
        self.rows: dict[str, list[str]] = {}
        if self._file is not None and self._file.exists():
            lines = self._file.read_text().splitlines()
            self.rows = dict(map(json.loads, lines))
        self._title = name

    def todo(self, points: Iterable[object]) -> Iterator[str]:
        """The trials that are not done yet, by name."""
        return (str(point) for point in points if str(point) not in self.rows)

    def note(self, point: str, *row: object) -> None:
        self.rows[point] = [str(part) for part in row]
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("a") as file:
                file.write(json.dumps([point, self.rows[point]]) + "\n")

    def report(self) -> None:
        report(f"{self._title}: {len(self.rows)} trials", Counter(tuple(row) for row in self.rows.values()))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by its path in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@dataclass(frozen=True)
class Place:
    """A project with a DVC remote inside it, and the images of the version that is current."""

    root: Path
    versioned: dict[str, bytes]

    @property
    def images(self) -> Path:
        return self.root / "data" / "train"

    @property
    def cache(self) -> Path:
        return self.root / ".dvc" / "cache"

    @property
    def remote(self) -> Path:
        return self.root / "backup"

    def judged(self) -> str:
        """What the check before every run says: `refused`, or the state of what it accepts; exact where it is clean."""
        project = Project(self.root / "params.yaml")
        settings = load_settings(project.settings_file).settings
        try:
            training_data = load_training_data(project, settings, allow_dirty=False)
        except DataError as error:
            return "refused" if len(str(error).splitlines()) <= 3 else f"refused at length: {error}"
        if training_data.version.state == "clean":
            trained = {sample.path for sample in training_data.dataset.samples}
            there = contents(self.images)
            assert {path: there[path] for path in trained} == self.versioned
        return training_data.version.state


def make_place(root: Path, *, each: int) -> Place:
    """A project with an older version too: three images other, one gone, one more."""
    draw_classes(root / "data" / "train", each=each)
    (root / "params.yaml").write_text(SETTINGS)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    dvc.init(root)
    dvc.add_local_remote(root, "backup", root / "backup")
    for number in (0, 1, 2):
        draw(root / "data" / "train" / "cat" / f"{number:03d}.png", label=0, number=900 + number)
    draw(root / "data" / "train" / "dog" / "older.png", label=1, number=910)
    (root / "data" / "train" / "eel" / "000.png").unlink()
    dvc.add(root / "data" / "train")
    dvc.push(root)
    (root / "data" / "train" / "dog" / "older.png").unlink()
    draw_classes(root / "data" / "train", each=each)
    dvc.add(root / "data" / "train")
    dvc.push(root)
    return Place(root, contents(root / "data" / "train"))


def report(title: str, counts: Counter[tuple[str, ...]]) -> None:
    """A table on the terminal, for `pytest -s`."""
    print(f"\n{title}")
    for row, count in sorted(counts.items()):
        print(f"{count:>7}  {'  '.join(row)}")


def restore(pristine: Path, root: Path) -> None:
    """Put a project back as it was, times and links included."""
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(pristine, root, symlinks=True)
