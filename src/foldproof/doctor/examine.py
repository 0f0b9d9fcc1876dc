"""Examine a project: could a run started now be reproduced? Start reading here."""

from collections.abc import Iterator, Mapping

from foldproof.config.read import ProjectSettings, load_settings
from foldproof.doctor.check import Examination, ProjectCheck, note, ok
from foldproof.doctor.code import check_code, check_folds, check_pipeline
from foldproof.doctor.images import check_images
from foldproof.doctor.machine import check_arithmetic, check_packages, check_room
from foldproof.doctor.tracking import check_mlflow, check_named_trackers
from foldproof.errors import DamagedFile
from foldproof.project import Project
from foldproof.records.store import RunStore


def examine(project: Project, environ: Mapping[str, str]) -> Examination:
    """Look at everything that a reproduction needs. Raises SettingsError where the settings cannot be read."""
    loaded = load_settings(project.settings_file)
    return Examination(tuple(_checks(project, loaded, environ)))


def _checks(project: Project, loaded: ProjectSettings, environ: Mapping[str, str]) -> Iterator[ProjectCheck]:
    count = len(loaded.experiments)
    named = f"{count} experiment{'s' if count > 1 else ''}"
    yield ok("settings", f"{loaded.file.name}: {named}")
    yield from check_code(project, loaded.experiments)
    yield check_folds(project)
    yield from check_pipeline(project, loaded.settings.data)
    yield from check_images(project, loaded.settings.data, loaded.settings.folds)
    yield check_packages()
    yield from check_arithmetic(loaded.experiments)
    yield from check_room(project, loaded.settings.execution, loaded.experiments)
    yield from check_named_trackers(loaded.settings.tracking)
    yield check_mlflow(project, loaded.settings.tracking, environ)
    yield _unfinished(project)


def _unfinished(project: Project) -> ProjectCheck:
    left = []
    for run in RunStore.read(project.run_folders()).of_experiments:
        try:
            if not run.record.complete and not run.worked_on_by():
                left.append(run)
        except DamagedFile:
            continue
    if left:
        said = f"{len(left)} were cut off, the newest {left[-1].run} of {left[-1].experiment}"
        return note("runs", said, "`foldproof run --resume` goes on")
    return ok("runs", "none was cut off")
