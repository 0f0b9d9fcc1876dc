"""Build a report of records and a comparison and write it atomically."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from foldproof.analysis.comparison import Comparison
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.report.assemble import assemble
from foldproof.analysis.report.gather import gather
from foldproof.analysis.report.privacy import Privacy
from foldproof.errors import StorageError
from foldproof.records.record import RunRecord
from foldproof.storage import write_atomically

FORMATS = ("html", "md", "json")


@dataclass(frozen=True)
class WrittenReport:
    """What was written: the file, the bytes of it and of the files beside it, and the verdict in words."""

    file: Path
    bytes: int
    verdict: str


def write_report(
    records: Sequence[RunRecord],
    comparison: Comparison,
    file: Path,
    *,
    tables: Sequence[OutOfFold | None] | None = None,
    again: Sequence[RunRecord] = (),
    data_folder: Path | None = None,
    privacy: Privacy | None = None,
    form: str = "html",
) -> WrittenReport:
    """Write `file`, and for Markdown its figures into a folder beside it, `NAME_files`. Raises StorageError.

    `comparison` is of `records`, in their order; so are `tables`, which are read where they are not given. `again` are
    runs that trained one fold once more with another seed; those of other runs are passed over.
    `data_folder` is where pictures may be read; without it none are shown. `form` is one of FORMATS.
    """
    material = gather(
        records, comparison, tables=tables, again=again, privacy=privacy or Privacy(), data_folder=data_folder
    )
    report = assemble(material)
    beside: dict[str, bytes] = {}
    folder = file.with_name(f"{file.stem}_files")
    if form == "html":
        from foldproof.analysis.report.page import render_page

        text = render_page(report)
    elif form == "md":
        from foldproof.analysis.report.markdown import render_markdown

        text, beside = render_markdown(report, folder=folder.name)
    else:
        from foldproof.analysis.report.structured import render_json

        text = render_json(report)
    content = text.encode(errors="backslashreplace")
    _make(folder if beside else file.parent)
    for name, figure in beside.items():
        write_atomically(folder / name, figure)
    write_atomically(file, content)
    return WrittenReport(
        file,
        len(content) + sum(map(len, beside.values())),
        f"{report.headline} ({report.detail})" if report.detail else report.headline,
    )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"cannot make {folder}: {error.strerror or error}", next_step="name another file with -o"
        ) from error
