"""The two sides: a work in, a folder in which each can begin as if it never had, its command and what it did, out."""

import csv
import os
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.outcome import Outcome, logged
from benchmarks.works import Experiment, ScriptSetting, Work

SCRIPT = Path(__file__).with_name("usual_script.py")
_SETTINGS = """\
version: 1
data: {{path: {images}, image_size: {work.image_size}, resize: squash, near_duplicates: report}}
folds: {{k: {work.folds}, seed: 42}}
train:
  backbone: {work.backbone}
  pretrained: {pretrained}
  freeze_backbone: {frozen}
  optimizer: adam
  batch_size: {work.batch_size}
  seed: 42
experiments:
{experiments}
tracking: {{uri: "sqlite:///mlflow.db", experiment: ours}}
"""
_IMAGES = "data/train"
_REMOVED = ("MLFLOW_", "DVC_", "GIT_", "OMP_", "MKL_", "PYTHON")


def environment() -> Mapping[str, str]:
    """What both sides run in: nobody's own settings, no telemetry."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_REMOVED)}
    return {**kept, "MLFLOW_DISABLE_TELEMETRY": "true", "DVC_NO_ANALYTICS": "1"}


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
        """Take away whatever the last run left: caches, runs, MLflow's store."""

    @abstractmethod
    def outcome(self) -> Outcome:
        """What the run in `folder` did."""

    @property
    def _store(self) -> str:
        return f"sqlite:///{self.folder / 'mlflow.db'}"


@dataclass(frozen=True)
class Script(Side):
    """The usual script on the images in `images`."""

    images: Path
    setting: ScriptSetting
    experiments: tuple[Experiment, ...]

    @property
    def command(self) -> tuple[str, ...]:
        named = [f"{one.name}:{one.epochs}:{one.lr}" for one in self.experiments]
        return (
            *(sys.executable, str(SCRIPT), str(self.images), "--backbone", self.work.backbone),
            *(part for name in named for part in ("--experiment", name)),
            *("--image-size", str(self.work.image_size), "--batch-size", str(self.work.batch_size)),
            *("--folds", str(self.work.folds), *(["--frozen"] if self.work.frozen else []), *self.setting.arguments),
        )

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()

    def outcome(self) -> Outcome:
        params = logged(self._store, "usual", param="images_val")
        return Outcome(params.experiments, {name: params.params[name] for name in params.experiments})


@dataclass(frozen=True)
class Foldproof(Side):
    """`foldproof run` in a project, versioned with git and DVC, that `make` has made."""

    @property
    def images(self) -> Path:
        return self.folder / _IMAGES

    @property
    def command(self) -> tuple[str, ...]:
        return (sys.executable, "-m", "foldproof", "run", "--quiet")

    def make(self) -> None:
        """The images in `images` become a project, by the commands that a user types."""
        for command in (("git", "init", "--quiet"), (sys.executable, "-m", "foldproof", "init")):
            self._do(*command)
        experiments = "\n".join(
            f"  {one.name}: {{train: {{epochs: {one.epochs}, lr: {one.lr}}}}}" for one in self.work.experiments
        )
        text = _SETTINGS.format(
            images=_IMAGES,
            work=self.work,
            pretrained=str(self.work.pretrained).lower(),
            frozen=str(self.work.frozen).lower(),
            experiments=experiments,
        )
        (self.folder / "params.yaml").write_text(text, encoding="utf-8")
        self._do(sys.executable, "-m", "foldproof", "data", "add", _IMAGES)
        self._do("git", "add", "--all")
        named = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
        self._do("git", *named, "commit", "--quiet", "--no-verify", "--message", "images and settings")

    def forget(self) -> None:
        self._do("git", "clean", "-ffdxq", "--exclude=/.dvc", f"--exclude=/{_IMAGES}")

    def outcome(self) -> Outcome:
        found = logged(self._store, "ours")
        rows = csv.DictReader((self.folder / "folds.csv").read_text(encoding="utf-8").splitlines())
        sizes = Counter(int(row["fold"]) for row in rows)
        return Outcome(
            found.experiments, dict.fromkeys(found.experiments, tuple(sizes[fold] for fold in sorted(sizes)))
        )

    def _do(self, *command: str) -> None:
        done = subprocess.run(command, cwd=self.folder, env=environment(), capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{' '.join(command[:4])} failed: {done.stderr.strip()[-500:]}")
