"""Load the runs that a command names, and say which cannot be read."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from foldproof.bundle.read import is_bundle, opened
from foldproof.errors import DamagedFile, RunNotFound
from foldproof.project import Project
from foldproof.records.record import RunRecord
from foldproof.records.store import RunStore, read_records, seen_now
from foldproof.reproduce.record_source import RecordSource


def chosen_records(store: RunStore, runs: Sequence[str]) -> tuple[tuple[RunRecord, ...], Mapping[Path, DamagedFile]]:
    """The runs named, or else the newest of each experiment, oldest first, and the runs that cannot be read.

    Raises RunNotFound where nothing has run, and what is wrong with a run that is named.
    """
    if runs:
        return tuple(seen_now(run.record) for run in store.find(runs)), {}
    records, damaged = read_records(store.newest_of_each)
    damaged = {**store.damaged, **damaged}
    if not records and not damaged:
        raise RunNotFound("nothing has run yet", next_step="start with `foldproof run`")
    return records, damaged


@contextmanager
def subject_of(wanted: str, project: Project | None, *, images: Path | None = None) -> Iterator[RecordSource]:
    """The record that is meant: a bundle, the folder of a run from wherever, or a run of the project.

    Raises RunNotFound, and DamagedFile for a record that cannot be read.
    """
    path = Path(wanted)
    if is_bundle(path):
        with opened(path) as bundle:
            yield RecordSource(
                folder=bundle.run_folder,
                is_foreign=True,
                with_company=True,
                images=images or bundle.images,
                wheel=bundle.wheel,
                bundle=path,
            )
    elif (path / "run.json").is_file():
        yield RecordSource(folder=path, is_foreign=not _is_ours(path, project), images=images)
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
        (run,) = RunStore.read(project.run_folders()).find([wanted])
        yield RecordSource(folder=run.folder, is_foreign=not _is_ours(run.folder, project), images=images)


def _is_ours(folder: Path, project: Project | None) -> bool:
    """Whether a run's folder lies among those of the project, and not elsewhere with a link there that leads to it."""
    return project is not None and folder.resolve().parent == project.runs.resolve()
