"""The sides: a work in, a folder in which each can begin as if it never had, its command and what it did, out."""

import csv
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import peers_python, variables
from benchmarks.others import Other
from benchmarks.outcome import Expected, Outcome, Store, logged
from benchmarks.parts import Part, experiments_of, folds_of
from benchmarks.works import COLD, Way, Work

_SETTINGS = """\
version: 1
data: {{path: {images}, image_size: {work.image_size}, resize: squash, near_duplicates: report}}
folds: {{k: {work.folds}, seed: 42}}
train:
  backbone: {work.backbone}
  pretrained: {frozen}
  freeze_backbone: {frozen}
  optimizer: adam
  batch_size: {work.batch_size}
  seed: 42
experiments:
{experiments}
tracking: {{uri: "sqlite:///mlflow.db", experiment: ours}}
"""
_IMAGES = "data/train"


@dataclass(frozen=True)
class Side(ABC):
    """Who does a work, in a folder of its own."""

    work: Work
    folder: Path

    @property
    @abstractmethod
    def command(self) -> tuple[str, ...]:
        """What is timed, run in `folder`."""

    @abstractmethod
    def forget(self) -> None:
        """Take away whatever the last run left that this one shall not find."""

    @abstractmethod
    def outcome(self) -> Outcome:
        """What the run in `folder` did."""

    @property
    @abstractmethod
    def expected(self) -> Expected:
        """What it was to do."""

    @property
    def environment(self) -> Mapping[str, str]:
        return variables(self.folder.parent)

    @property
    def _store(self) -> Path:
        return self.folder / "mlflow.db"


@dataclass(frozen=True)
class Theirs(Side):
    """Another program on the images in `images`; `more`: arguments that were searched; `part`: None = all of it."""

    images: Path
    other: Other
    more: tuple[str, ...] = ()
    part: Part | None = None

    @property
    def arguments(self) -> tuple[str, ...]:
        return (*self.other.arguments, *self.more)

    @property
    def command(self) -> tuple[str, ...]:
        python = str(peers_python()) if self.other.peer else sys.executable
        named = [f"{one.name}:{one.epochs}:{one.lr}" for one in experiments_of(self.work, self.part)]
        return (
            *(python, str(Path(__file__).parent / self.other.program), str(self.images)),
            *("--backbone", self.work.backbone),
            *(part for name in named for part in ("--experiment", name)),
            *("--image-size", str(self.work.image_size), "--batch-size", str(self.work.batch_size)),
            *("--folds", str(self.work.folds), "--first-folds", str(folds_of(self.work, self.part))),
            *(["--frozen"] if self.work.frozen else []),
            *self.arguments,
        )

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()

    def store(self) -> Store:
        """What its MLflow store holds."""
        return logged(self._store, "usual", param="images_val", metrics=self.other.metrics)

    def outcome(self) -> Outcome:
        found = self.store()
        return Outcome(found.experiments, found.params)

    @property
    def expected(self) -> Expected:
        run = experiments_of(self.work, self.part)
        epochs = {one.name: 1 if self.other.one_fit else one.epochs for one in run}
        return Expected(epochs, folds_of(self.work, self.part))


@dataclass(frozen=True)
class Foldproof(Side):
    """`foldproof run` in one of its ways, in a project, versioned with git and DVC, that `make` has made."""

    way: Way = COLD

    @property
    def images(self) -> Path:
        return self.folder / _IMAGES

    @property
    def command(self) -> tuple[str, ...]:
        changed = (part for setting in self.way.changed for part in ("--set", setting))
        return (sys.executable, "-m", "foldproof", "run", "--quiet", *changed)

    def make(self) -> None:
        """The images in `images` become a project, by the commands that a user types."""
        for command in (("git", "init", "--quiet"), (sys.executable, "-m", "foldproof", "init")):
            self._do(*command)
        experiments = "\n".join(
            f"  {one.name}: {{train: {{epochs: {one.epochs}, lr: {one.lr}}}}}" for one in self.work.experiments
        )
        text = _SETTINGS.format(
            images=_IMAGES, work=self.work, frozen=str(self.work.frozen).lower(), experiments=experiments
        )
        (self.folder / "params.yaml").write_text(text, encoding="utf-8")
        self._do(sys.executable, "-m", "foldproof", "data", "add", _IMAGES)
        self._do("git", "add", "--all")
        named = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
        self._do("git", *named, "commit", "--quiet", "--no-verify", "--message", "images and settings")

    def forget(self) -> None:
        """All that runs leave in the project; warm, its cache stays."""
        kept = ["/.dvc", f"/{_IMAGES}", *(["/.foldproof/cache"] if self.way.warm else [])]
        self._do("git", "clean", "-ffdxq", *(f"--exclude={path}" for path in kept))

    def outcome(self) -> Outcome:
        found = logged(self._store, "ours")
        rows = csv.DictReader((self.folder / "folds.csv").read_text(encoding="utf-8").splitlines())
        sizes = Counter(int(row["fold"]) for row in rows)
        return Outcome(
            found.experiments, dict.fromkeys(found.experiments, tuple(sizes[fold] for fold in sorted(sizes)))
        )

    @property
    def expected(self) -> Expected:
        return Expected(self.work.epochs, self.work.folds)

    def _do(self, *command: str) -> None:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"{' '.join(command[:4])} failed: {done.stderr.strip()[-500:]}")
