"""The runs that a command is about: what was typed in, their records and what cannot be read out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from foldproof.bundle.read import is_bundle, opened
from foldproof.config.schema import EXPERIMENT_NAME
from foldproof.errors import DamagedFile, RunNotFound
from foldproof.plan.begun import seen_now
from foldproof.project import Project, choose_folders
from foldproof.reproduce.subject import Subject
from foldproof.runs.facts import read_facts, reseed_of
from foldproof.runs.record import RunRecord, experiments_of, read_records


def chosen_records(project: Project, runs: Sequence[str]) -> tuple[tuple[RunRecord, ...], Mapping[Path, DamagedFile]]:
    """The runs named, or else the newest of each experiment, oldest first, and the runs that cannot be read.

    Raises RunNotFound where nothing has run, and what is wrong with a run that is named.
    """
    experiments, damaged = experiments_of(project.run_folders())
    if runs:
        records = tuple(RunRecord.read(folder) for folder in choose_folders(runs, experiments, damaged))
        damaged = {}
    else:
        newest = {
            experiments[folder]: folder
            for folder in sorted(experiments)
            if EXPERIMENT_NAME.fullmatch(experiments[folder])  # not a fold that was trained again
        }
        records, unread = read_records(sorted(newest.values()))
        damaged |= unread
        if not records and not damaged:
            raise RunNotFound("nothing has run yet", next_step="start with `foldproof run`")
    return tuple(map(seen_now, records)), damaged


def known_facts(project: Project) -> Mapping[Path, Mapping[str, Any]]:
    """What run.json says of every run, by its folder; runs that cannot be read are left out."""
    found = {}
    for folder in project.run_folders():
        with suppress(DamagedFile):
            found[folder] = read_facts(folder)
    return found


def scored_on(facts: Iterable[Mapping[str, Any]], records: Sequence[RunRecord]) -> int | None:
    """How many experiments among `facts`, of all runs, have been scored on the images of `records`.

    None where these are not the same images.
    """
    fingerprints = {record.facts["fingerprint"] for record in records}
    if len(fingerprints) != 1:
        return None
    return len({of["identity"] for of in facts if of["fingerprint"] in fingerprints and reseed_of(of) is None})


@contextmanager
def subject_of(wanted: str, project: Project | None, *, images: Path | None = None) -> Iterator[Subject]:
    """The record that is meant: a bundle, the folder of a run from wherever, or a run of the project.

    Raises RunNotFound, and DamagedFile for a record that cannot be read.
    """
    path = Path(wanted)
    if is_bundle(path):
        with opened(path) as bundle:
            yield Subject(
                folder=bundle.run_folder,
                is_foreign=True,
                with_company=True,
                images=images or bundle.images,
                wheel=bundle.wheel,
                bundle=path,
            )
    elif (path / "run.json").is_file():
        yield Subject(folder=path, is_foreign=not _is_ours(path, project), images=images)
    elif path.suffix == ".zip":
        raise RunNotFound(
            f"{wanted} is no bundle" if path.exists() else f"there is no file {wanted}",
            next_step="`foldproof bundle RUN -o FILE.zip` makes one; name it, a run's folder or a run",
        )
    elif project is None:
        raise RunNotFound(
            f"there is no run in '{wanted}', and no project here",
            next_step="name a run's folder or a bundle, or change into the project's folder",
        )
    else:
        experiments, damaged = experiments_of(project.run_folders())
        (folder,) = choose_folders([wanted], experiments, damaged)
        yield Subject(folder=folder, is_foreign=not _is_ours(folder, project), images=images)


def _is_ours(folder: Path, project: Project | None) -> bool:
    """Whether a run's folder lies among those of the project, and not elsewhere with a link there that leads to it."""
    return project is not None and folder.resolve().parent == project.runs.resolve()
