"""`foldproof predict`."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from foldproof.cli import complete
from foldproof.cli.out import echo

if TYPE_CHECKING:
    from foldproof.data.survey import Progress
    from foldproof.predict.inputs import Inputs
    from foldproof.predict.opened import OpenedModels
    from foldproof.predict.rows import Unlabelled
    from foldproof.predict.table import RowWriter
    from foldproof.project import Project

MOST_SHOWN = 10


@click.command("predict")
@click.argument("run", metavar="RUN|FILE.zip", shell_complete=complete.runs_or_files)
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=click.Path())
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="A .csv, .parquet or .json.")
@click.option("--by", default="folds", show_default=True, metavar="WHICH", help="folds: the mean of all; or fold:N.")
@click.option("--device", default="auto", show_default=True, metavar="DEVICE", help="auto, cpu, cuda or cuda:N.")
@click.option("--trust-code", is_flag=True, help="Let a record from elsewhere run the code that it needs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(
    run: str, paths: tuple[str, ...], output: Path | None, by: str, device: str, trust_code: bool, as_json: bool
) -> int:
    """Label new images with a run's models: class, probabilities, how many folds disagree.

    A PATH is an image, a folder of images, a CSV with a column 'path', or - for paths on stdin, one a line. An image
    gets the same probabilities, bit for bit, whatever stands beside it. The column 'seen' says how many of the models
    trained on it. Images that cannot be read are listed on stderr, and the exit code is 1.

    \b
    foldproof predict FirstRun new_photos/ -o labels.csv
    foldproof predict FirstRun a.jpg b.png --by fold:2
    find . -name '*.jpg' | foldproof predict FirstRun - --json
    """
    from foldproof.cli.chosen import subject_of
    from foldproof.cli.progress import shown_progress
    from foldproof.errors import ProjectError
    from foldproof.executors.memory import keep_freed_memory
    from foldproof.predict.inputs import find_inputs
    from foldproof.predict.opened import opened_models
    from foldproof.predict.table import check_output
    from foldproof.project import Project

    if output is not None:
        if as_json:
            raise click.UsageError("--json prints, and -o writes a file: choose one (-o labels.json)")
        check_output(output, paths)
    try:
        project = Project.find(Path.cwd())
    except ProjectError:
        project = None
    with subject_of(run, project) as source:
        inputs = find_inputs(paths)
        keep_freed_memory()
        quiet = output is None and sys.stdout.isatty()
        with (
            opened_models(
                source,
                by=by,
                project=project,
                device=device,
                trust_code=trust_code,
                most_pixels=most_pixels(project),
            ) as models,
            shown_progress(quiet=quiet) as progress,
            writer_for(output, models, as_json=as_json) as writer,
        ):
            told = label(models, inputs, writer, progress)
    tell(told, [*inputs.notes, *models.notes], output)
    return 1 if told.unlabelled else 0


def most_pixels(project: "Project | None") -> int:
    """What a picture may have: as the settings of the current project say, where there are any."""
    from foldproof.config.read import load_settings
    from foldproof.data.readers import MOST_PIXELS
    from foldproof.errors import SettingsError

    if project is None:
        return MOST_PIXELS
    try:
        return load_settings(project.settings_file).settings.data.max_megapixels * 1_000_000
    except SettingsError:
        return MOST_PIXELS


@contextmanager
def writer_for(output: Path | None, models: "OpenedModels", *, as_json: bool) -> "Iterator[RowWriter]":
    """Into a file, which is there when all is done, or line by line on stdout."""
    from foldproof.predict.table import CsvRows, JsonRows, writing

    if output is not None:
        with writing(output, models.classes, models.about) as writer:
            yield writer
        return

    def put(text: str) -> None:
        echo(text, nl=False)

    printed = JsonRows(put, models.classes, models.about) if as_json else CsvRows(put, models.classes)
    yield printed
    printed.close()


@dataclass
class Told:
    """What a table does not say: how many images it has, how many the models know, and the first without a label."""

    labelled: int = 0
    trained_on: int = 0
    unlabelled: int = 0
    first: "list[Unlabelled]" = field(default_factory=list)


def label(models: "OpenedModels", inputs: "Inputs", writer: "RowWriter", progress: "Progress") -> Told:
    """Write a row for every image as it comes."""
    from itertools import chain

    from foldproof.predict.rows import Labelled

    told = Told()
    rows = chain(inputs.unlabelled, models.labeller.label(inputs.images))
    total = len(inputs.unlabelled) + len(inputs.images)
    for done, row in enumerate(rows, 1):
        writer.write(row)
        if isinstance(row, Labelled):
            told.labelled += 1
            told.trained_on += bool(row.seen)
        else:
            told.unlabelled += 1
            told.first += [row] if len(told.first) < MOST_SHOWN else []
        progress("images", done, total)
    return told


def tell(told: Told, notes: Sequence[str], output: Path | None) -> None:
    """Say what could not be labelled and what a reader of the table has to know, on stderr; then what was written."""
    from foldproof.storage import cleaned

    for row in told.first:
        echo(cleaned(f"{row.path}: {row.reason}", most=500), err=True)
    if told.unlabelled > len(told.first):
        echo(f"and {told.unlabelled - len(told.first):,} more that cannot be read", err=True)
    for note in notes:
        echo(cleaned(f"note: {note}", most=500), err=True)
    if told.trained_on:
        echo(
            f"note: these models trained on {told.trained_on:,} of the images (column seen): they know them too well",
            err=True,
        )
    if output is not None:
        left = f", {told.unlabelled:,} without a label" if told.unlabelled else ""
        images = "image" if told.labelled == 1 else "images"
        echo(f"wrote {output}: {told.labelled:,} {images}{left}")
