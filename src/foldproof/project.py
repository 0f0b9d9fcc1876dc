"""A project on disk: its settings file, data, runs and caches; every path is resolved here."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from foldproof.config.schema import SETTINGS_FILES
from foldproof.errors import DamagedFile, ProjectError, RunNotFound, StorageError, nearest
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
    writes, where it shall leave no trace here.
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
        """Things that can be computed anew."""
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


def choose_run(wanted: str, experiments: dict[str, str]) -> str:
    """The run meant by `wanted`: a run id, an experiment's name (its newest run), or a unique prefix of an id.

    `experiments` maps every run id to its experiment's name. Raises RunNotFound where none or several fit.
    """
    if wanted in experiments:
        return wanted
    named = [run for run, name in experiments.items() if name == wanted]
    if named:
        return max(named)
    fitting = sorted(run for run in experiments if wanted and run.startswith(wanted))
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        shown = ", ".join(fitting[:5]) + (", …" if len(fitting) > 5 else "")
        raise RunNotFound(f"'{wanted}' begins {len(fitting)} run ids", next_step=f"say which: {shown}")
    if not experiments:
        raise RunNotFound(f"no run '{wanted}': nothing has run yet", next_step="start with `foldproof run`")
    hint = nearest(wanted, experiments.values())
    raise RunNotFound(
        f"no run '{wanted}': neither a run id, an experiment's name nor the beginning of an id"
        + (f"; {hint}" if hint else ""),
        next_step="`foldproof runs` lists them",
    )


def choose_folders(
    wanted: Sequence[str], experiments: Mapping[Path, str], damaged: Mapping[Path, DamagedFile]
) -> tuple[Path, ...]:
    """The folders of the runs meant, each once, as `choose_run` understands them; `damaged` runs have no experiment.

    Raises RunNotFound, and what is wrong with a damaged run where its id is meant.
    """
    names = {folder.name: experiments.get(folder, folder.name) for folder in (*experiments, *damaged)}
    folders = {folder.name: folder for folder in (*experiments, *damaged)}
    chosen = tuple(folders[run] for run in dict.fromkeys(choose_run(one, names) for one in wanted))
    for folder in chosen:
        if folder in damaged:
            raise damaged[folder]
    return chosen
