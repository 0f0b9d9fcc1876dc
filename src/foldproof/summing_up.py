"""Runs that have ended in; what they leave for people out: report, figures, table of folds and comparison, as files.

Everything follows from the run folders, so that it can be made again (`foldproof report`, `foldproof compare`).
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from foldproof.analysis.compare import compare
from foldproof.analysis.contender import Contender
from foldproof.analysis.label_errors import FILE_NAME as LABEL_ERRORS
from foldproof.analysis.label_errors import find_label_errors, to_csv
from foldproof.analysis.report.build import write_report
from foldproof.analysis.report.privacy import Privacy
from foldproof.analysis.tables import csv_table, markdown
from foldproof.config.schema import Settings
from foldproof.errors import FoldproofError
from foldproof.events.types import ArtifactAdded, Body, Notice
from foldproof.facts import reseed_of
from foldproof.project import Project
from foldproof.record import REPORT_FOLDER, RunRecord, experiments_of, read_records
from foldproof.storage import write_atomically


def sum_up(project: Project, settings: Settings, ended: Sequence[Path]) -> Iterator[tuple[Path, Body]]:
    """For the folder of each run with a finished fold, a body for every file that was written; a Notice where not."""
    for folder in ended:
        try:
            record = RunRecord.read(folder)
            if not record.finished or reseed_of(record.facts) is not None:
                continue
            files = _write(project, settings, record)
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs a page, not what was trained
            said = str(error) if isinstance(error, FoldproofError) else repr(error)
            yield folder, Notice(code="no-report", text=f"no report was written: {said}".splitlines()[0])
            continue
        for file in files:
            name = file.relative_to(folder).as_posix()
            yield folder, ArtifactAdded(file=name, sha256=hashlib.sha256(file.read_bytes()).hexdigest())


def _write(project: Project, settings: Settings, record: RunRecord) -> list[Path]:
    """The files of `record`'s folder for people, written anew. Raises StorageError."""
    here = record.folder / REPORT_FOLDER
    private = settings.tracking.privacy
    of_run = Contender.of(record)
    others = [Contender.of(other) for other in _newest(project, besides=record)]
    metric, rope = settings.compare.metric, settings.compare.rope / 100
    for form in ("html", "md"):
        write_report(
            [record],
            compare([of_run], metric=metric, rope=rope),
            here / f"report.{form}",
            tables=[of_run.table],
            data_folder=project.path(settings.data.path),
            privacy=Privacy(images=not private, hash_paths=private),
            form=form,
        )
    comparison = compare([of_run, *others], metric=metric, rope=rope)
    write_atomically(here / "folds.csv", csv_table(compare([of_run], metric=metric, rope=rope)).encode())
    write_atomically(here / "comparison.csv", csv_table(comparison).encode())
    write_atomically(here / "comparison.md", markdown(comparison).encode())
    if of_run.table is not None and not private:
        suspected = {record.run: find_label_errors(of_run.table)}
        write_atomically(here / LABEL_ERRORS, to_csv(suspected).encode(errors="backslashreplace"))
    return sorted(path for path in here.rglob("*") if path.is_file())


def _newest(project: Project, *, besides: RunRecord) -> tuple[RunRecord, ...]:
    """The newest run of each other experiment, where a fold of it has finished."""
    experiments, _ = experiments_of(project.run_folders())
    newest = {experiments[folder]: folder for folder in sorted(experiments)}
    newest.pop(besides.experiment, None)
    records, _ = read_records(sorted(newest.values()))
    return tuple(record for record in records if record.finished and reseed_of(record.facts) is None)
