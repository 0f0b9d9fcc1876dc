"""Resolve every path of a project: settings file, data, runs and caches."""

import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from foldproof.config.schema import SETTINGS_FILES
from foldproof.errors import ProjectError, StorageError
from foldproof.provenance.committed_links import leading_out
from foldproof.storage import next_step

REPORTS = ("report.html", "report.md", "report.json", "report_files")  # what `foldproof report` writes; no code
METRICS_FILE, PLOTS_FOLDER = "metrics.json", "plots"  # what a run leaves for DVC; no code
WRITTEN = (*REPORTS, METRICS_FILE, PLOTS_FOLDER, "dvc.lock")
_WRITTEN_TO = (".foldproof", "runs", "mlartifacts", "mlruns", PLOTS_FOLDER, "report_files")
_COPIES = (".dvc", "tmp", "exps")  # below which DVC puts the copies in which it runs experiments
_BASE32 = "abcdefghijklmnopqrstuvwxyz234567"


@dataclass(frozen=True)
class Project:
    """The folder of a settings file. Paths in the settings are relative to it, wherever a command is typed.

    In a copy that `dvc exp run --temp` or a queue has made, settings, images and folds are those of the copy; `home` is
    the project that started it, which keeps runs, caches and MLflow's store. `aside`: a folder for all that a run
    writes, if it is to leave no trace here.
    """

    settings_file: Path
    aside: Path | None = None

    @staticmethod
    def find(start: Path) -> "Project":
        """The project that `start` lies in.

        Raises ProjectError where neither it nor a parent has a settings file, and where a folder that is written to is
        a link that came with the repository.
        """
        here = start.resolve()
        for folder in (here, *here.parents):
            for name in SETTINGS_FILES:
                if (folder / name).is_file():
                    _refuse_committed_links(folder)
                    return Project(folder / name)
        raise ProjectError(
            f"no foldproof project in {here}: neither foldproof.yaml nor params.yaml here or above",
            next_step="make one with `foldproof init`, or change into the project's folder",
        )

    @property
    def root(self) -> Path:
        return self.settings_file.parent

    @property
    def home(self) -> Path:
        """Where what outlives a command is kept: `root`, or the project that this is DVC's copy of."""
        parts = self.root.parts
        for at in range(len(parts) - len(_COPIES)):
            if parts[at : at + len(_COPIES)] == _COPIES:
                inner = parts[at + len(_COPIES) :]
                copy = 2 if inner[:1] == ("standalone",) else 1
                return Path(*parts[:at], *inner[copy:])
        return self.root

    @property
    def runs(self) -> Path:
        return (self.aside or self.home) / "runs"

    @property
    def cache(self) -> Path:
        """Things that can be computed again."""
        return self.aside / "cache" if self.aside else self.home / ".foldproof" / "cache"

    @property
    def own_cache(self) -> Path:
        """Things about files of this very folder; a copy has its own."""
        return self.root / ".foldproof" / "cache"

    @property
    def wheels(self) -> Path:
        """The foldproofs that made runs, each in a folder named by its hash."""
        return self.home / ".foldproof" / "wheels"

    @property
    def folds_file(self) -> Path:
        return (self.aside or self.root) / "folds.csv"

    @property
    def for_dvc(self) -> Path:
        """Where a run leaves its figures for DVC."""
        return self.aside or self.root

    @property
    def exclusions_file(self) -> Path:
        """The committed list of images that are not trained on."""
        return self.root / "excluded.csv"

    @property
    def artifacts(self) -> Path:
        """Where MLflow keeps the files of runs when its store is local."""
        return (self.aside or self.home) / "mlartifacts"

    def path(self, relative: str) -> Path:
        """A path of the settings file; an absolute one stays as it is."""
        return self.root / relative

    def run_folders(self) -> tuple[Path, ...]:
        """All runs, oldest first."""
        return tuple(sorted(path.parent for path in self.runs.glob("*/run.json")))

    def new_run_folder(self, *, now: float | None = None) -> Path:
        """A fresh folder and id: UTC `YYYYMMDD-HHMMSS-` and 6 base-32 characters, made with exclusive create."""
        stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
        for _ in range(100):
            folder = self.runs / f"{stamp}-{''.join(secrets.choice(_BASE32) for _ in range(6))}"
            try:
                folder.mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as error:
                raise StorageError(f"cannot make {folder}: {error.strerror}", next_step=next_step(error)) from error
            return folder
        raise StorageError(f"no free run id in {self.runs}", next_step="try again")


def _refuse_committed_links(root: Path) -> None:
    """One's own link may lead to another disk; one that came with the repository leads wherever its author says."""
    home = root / ".foldproof"
    below = home.iterdir() if home.is_dir() and not home.is_symlink() else ()
    for path in (*(root / name for name in _WRITTEN_TO), *below):
        if path.is_symlink() and leading_out(path) is not None:
            raise ProjectError(
                f"{path} is a link that came with the repository and leads out of it: nothing is written through it",
                next_step=f"if it is yours: `git rm --cached {path.relative_to(root)}`; otherwise remove it",
            )
