"""Stage a clean project with the code, images and folds of a record, ready for training."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from foldproof.config.read import load_settings, resolved_experiment
from foldproof.config.schema import SETTINGS_FILES, ExecutionConfig, ExperimentConfig
from foldproof.data.survey import Progress, no_progress
from foldproof.data.versions.borrow import borrow_settings, forget_settings, refuse_imports
from foldproof.data.versions.pull import pull
from foldproof.data.versions.unfinished import root_of
from foldproof.data.versions.versioned import DataVersion
from foldproof.errors import DataError, ProjectError, UnknownName, nearest
from foldproof.project import Project
from foldproof.provenance import worktree
from foldproof.records.facts import range_in_use
from foldproof.reproduce import images
from foldproof.reproduce.images import Source
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.recorded import Recorded
from foldproof.reproduce.worktree import commit_here, place_current_code, place_recorded_code, place_recorded_versions
from foldproof.storage import Commit, RelativePath, leads_astray, mapping_in, write_atomically
from foldproof.training_data.load import TrainingData, load_training_data

MOST_PIXELS = 10**10  # what was trained on once is not refused for its size


@dataclass(frozen=True, kw_only=True)
class Staged:
    """`project` holds the code and will hold the run; `config` and `training_data` are what is trained."""

    project: Project
    config: ExperimentConfig
    training_data: TrainingData


def stage_as_recorded(recorded: Recorded, subject: RecordSource, project: Project | None, place: Path) -> Staged:
    """Everything as the record has it; `refuse_untrusted` must not have objected. Raises CannotCheck for what cannot
    be had.
    """
    root = place_recorded_code(place, project, recorded, is_foreign=subject.is_foreign)
    path = str(recorded.record.facts.get("data_path") or "data")
    folder = place / "images"
    folder.mkdir()
    dataset = images.place(recorded.dataset, folder, list(_sources(recorded, subject, project, place, path)))
    dvc_hash = mapping_in(recorded.environment, "data").get("dvc_hash")
    version = DataVersion(state="clean" if dvc_hash else "unversioned", dvc_hash=dvc_hash)
    within = range_in_use(recorded.record.facts)
    training_data = TrainingData(
        path, folder, dataset, version, notices=(), card={}, most_pixels=MOST_PIXELS, within=within
    )
    write_atomically(root / "folds.csv", recorded.folds_table)
    return _staged(root, recorded.config, training_data)


def _sources(
    recorded: Recorded, subject: RecordSource, project: Project | None, place: Path, path: str
) -> Iterator[Source]:
    """Where images of the record may be, the nearest first."""
    if subject.images is not None:
        given = subject.images
        yield Source("the images given", lambda: given)
    if project is None:
        return
    own = load_settings(project.settings_file).settings.data.path
    places = (own,) if subject.is_foreign else (own, path)  # a foreign record does not say where to look
    yield from (Source(f"{one} as it is now", partial(project.path, one)) for one in dict.fromkeys(places))
    if (commit := commit_here(project, recorded, is_foreign=subject.is_foreign)) is not None:
        yield Source("DVC", lambda: _pulled(place, project, commit, path, is_foreign=subject.is_foreign))


def stage_as_it_is(
    recorded: Recorded, project: Project | None, place: Path, progress: Progress = no_progress
) -> Staged:
    """The experiment of the record's name as the project has it now. Raises FoldproofError."""
    if project is None:
        raise ProjectError("--as-is needs a project", next_step="change into the project's folder")
    loaded = load_settings(project.settings_file)
    named = {config.name: config for config in loaded.experiments}
    name = recorded.config.name
    if name not in named:
        hint = nearest(name, named)
        raise UnknownName(
            f"the settings have no experiment '{name}' any more{'; ' + hint if hint else ''}",
            next_step=f"they have: {', '.join(named)}",
        )
    root = place_current_code(place, project)
    if project.folds_file.exists():
        shutil.copyfile(project.folds_file, root / "folds.csv")
    return _staged(root, named[name], load_training_data(project, loaded.settings, allow_dirty=True, progress=progress))


def execution_like(recorded: Recorded, project: Project | None) -> ExecutionConfig:
    """How to train here: as the project does, on the kind of device that the run had."""
    execution = load_settings(project.settings_file).execution if project is not None else ExecutionConfig()
    on_cpu = mapping_in(recorded.environment, "numeric_class").get("device", "cpu") == "cpu"
    return replace(execution, device="cpu" if on_cpu else "auto")


def _staged(root: Path, config: ExperimentConfig, training_data: TrainingData) -> Staged:
    """With a settings file, in JSON, which is YAML too, of the one experiment as it is trained."""
    sections = resolved_experiment(config)
    sections["data"]["path"] = str(training_data.folder)
    content = {"version": 1, **sections, "experiments": {config.name: {}}, "tracking": {"enabled": False}}
    file = write_atomically(root / SETTINGS_FILES[0], json.dumps(content, indent=1).encode() + b"\n")
    return Staged(project=Project(file), config=config, training_data=training_data)


def _pulled(place: Path, project: Project, commit: Commit, path: str, *, is_foreign: bool) -> Path:
    """The images as the recorded commit has them, brought by DVC into a checkout. Raises DataError, DamagedFile.

    Where somebody else named the commit, only settings of the project itself say whom to ask.
    """
    top = place_recorded_versions(place, project, commit)
    name = RelativePath.parse(worktree.prefix(project.root) + path)
    folder = name.below(top)
    borrower = root_of(folder)
    if borrower is None or not borrower.is_relative_to(top):
        raise DataError(f"which knew nothing of {path} at commit {commit[:12]}")
    for one in (name, RelativePath.parse((borrower / ".dvc").relative_to(top).as_posix())):
        if leads_astray(top, one) is not None:
            raise DataError(f"{one} is reached through a link at commit {commit[:12]}")
    if is_foreign:
        forget_settings(borrower)
    lender = root_of(project.root)
    if lender is not None and lender != borrower:
        borrow_settings(lender, borrower)
    if is_foreign:
        refuse_imports(folder)
    pull(folder)
    return folder
