"""Write the report, figures and tables of runs that have ended.

Everything follows from the run folders, so that it can be made again (`foldproof report`, `foldproof compare`).
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from foldproof.analysis.candidate import Candidate
from foldproof.analysis.compare import compare_runs
from foldproof.analysis.comparison import Comparison
from foldproof.analysis.judged import FILE_NAME as JUDGED
from foldproof.analysis.judged import Judged, state_of
from foldproof.analysis.label_errors import FILE_NAME as LABEL_ERRORS
from foldproof.analysis.label_errors import find_label_errors, to_csv
from foldproof.analysis.report.build import write_report
from foldproof.analysis.report.privacy import Privacy
from foldproof.analysis.tables import csv_table, markdown
from foldproof.config.schema import Settings
from foldproof.errors import FoldproofError
from foldproof.events.types import ArtifactAdded, Body, Notice
from foldproof.executors.stopping import Stopping
from foldproof.project import Project
from foldproof.records.record import PRIVATE_REPORT_FOLDER, REPORT_FOLDER, RunRecord
from foldproof.records.store import RunStore, read_records
from foldproof.storage import write_atomically


def write_reports(
    project: Project, settings: Settings, ended: Sequence[Path], stopping: Stopping
) -> Iterator[tuple[Path, Body]]:
    """For the folder of each run that has ended with a finished fold, a body for every file that was written; a Notice
    where it could not be. Once `stopping` is asked, the rest is left.
    """
    compared: _Compared | None = None
    for folder in ended:
        if stopping.asked:
            return
        try:
            record = RunRecord.read(folder)
            if not record.finished or record.status == "running" or record.reseed is not None:
                continue
            compared = compared or _compared(project, settings)
            bodies = _written(project, settings, record, compared)
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs a page, not what was trained
            said = str(error) if isinstance(error, FoldproofError) else repr(error)
            bodies = [Notice(code="no-report", text=f"no report was written: {said}".splitlines()[0])]
        for body in bodies:
            yield folder, body


@dataclass(frozen=True)
class _Compared:
    """A comparison, and by run what it amounted to."""

    comparison: Comparison
    states: Mapping[str, str]


def _compared(project: Project, settings: Settings) -> _Compared:
    """Of the newest run of each experiment of which a fold has finished."""
    records, _ = read_records(RunStore.read(project.run_folders()).newest_of_each)
    of_experiments = [record for record in records if record.finished]
    comparison = compare_runs([Candidate.of(record) for record in of_experiments], settings.compare)
    return _Compared(comparison, {record.run: state_of(record) for record in of_experiments})


def _written(project: Project, settings: Settings, record: RunRecord, compared: _Compared) -> list[Body]:
    """Write the files of `record`'s folder for people, and say what they are. Raises StorageError."""
    private = settings.tracking.privacy
    folder = PRIVATE_REPORT_FOLDER if private else REPORT_FOLDER
    here = record.folder / folder
    of_run = Candidate.of(record)
    alone = compare_runs([of_run], settings.compare)
    for form in ("html", "md"):
        write_report(
            [record],
            alone,
            here / f"report.{form}",
            tables=[of_run.table],
            data_folder=project.path(settings.data.path),
            privacy=Privacy(images=not private, hash_paths=private),
            form=form,
        )
    judged = Judged(
        metric=settings.compare.metric,
        rope=settings.compare.rope / 100,
        runs=tuple(line.run for line in compared.comparison.lines),
        states={**compared.states, record.run: state_of(record)},
    )
    texts = {
        "folds.csv": csv_table(alone),
        "comparison.csv": csv_table(compared.comparison),
        "comparison.md": markdown(compared.comparison),
        JUDGED: judged.to_json().decode(),
    }
    if of_run.table is not None and not private:
        texts[LABEL_ERRORS] = to_csv({record.run: find_label_errors(of_run.table)})
    for name, text in texts.items():
        write_atomically(here / name, text.encode(errors="backslashreplace"))
    figures = sorted(path.relative_to(here).as_posix() for path in (here / "report_files").glob("*.svg"))
    return [
        ArtifactAdded(file=f"{folder}/{name}", sha256=hashlib.sha256((here / name).read_bytes()).hexdigest())
        for name in ("report.html", "report.md", *figures, *texts)
    ]
