"""`foldproof report`."""

from pathlib import Path

import click

from foldproof.cli import complete
from foldproof.cli.here import project_here
from foldproof.cli.out import echo
from foldproof.storage import write_atomically

FORMATS = ("html", "md", "json")


@click.command("report")
@click.argument("runs", nargs=-1, metavar="[RUN]…", shell_complete=complete.runs)
@click.option("-o", "--output", metavar="FILE", help="Where to write it; else report.html (.md, .json) in the project.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="html", help="How to write it.")
@click.option("--label-errors", metavar="FILE", help="Also list the probable label errors in this CSV.")
@click.option("--no-images", is_flag=True, help="Show no pictures.")
@click.option("--hash-paths", is_flag=True, help="Show a short hash instead of each path and group.")
def command(
    runs: tuple[str, ...],
    output: str | None,
    form: str,
    label_errors: str | None,
    no_images: bool,
    hash_paths: bool,
) -> int:
    """One page that shows it all: verdict, curves, folds, differences, confusion, mistakes, data.

    Of the runs named, or of the newest run of each experiment. The page is one file that loads and runs nothing; as
    Markdown, its figures lie beside it. With tracking.privacy it has neither pictures nor paths.

    \b
    foldproof report
    foldproof report FirstRun Run_High_LR -o out/report.html
    foldproof report --format md -o report.md
    """
    from foldproof.analysis.candidate import Candidate
    from foldproof.analysis.compare import compare_runs
    from foldproof.analysis.label_errors import find_label_errors, to_csv
    from foldproof.analysis.report.build import write_report
    from foldproof.analysis.report.privacy import Privacy
    from foldproof.cli.chosen import chosen_records
    from foldproof.cli.compare import known_metric
    from foldproof.cli.show import print_damaged
    from foldproof.records.store import RunStore, read_records

    project, loaded = project_here()
    settings = loaded.settings
    private = settings.tracking.privacy
    store = RunStore.read(project.run_folders())
    records, damaged = chosen_records(store, runs)
    candidates = [Candidate.of(record) for record in records]
    if records:
        known_metric(settings.compare.metric, project.root)
        written = write_report(
            records,
            compare_runs(candidates, settings.compare, store),
            Path(output).absolute() if output else project.root / f"report.{form}",
            again=read_records(store.retrained(record.run for record in records))[0],
            tables=[candidate.table for candidate in candidates],
            data_folder=project.path(settings.data.path),
            privacy=Privacy(images=not (no_images or private), hash_paths=hash_paths or private),
            form=form,
        )
        if label_errors:
            found = {
                candidate.summary.run: find_label_errors(candidate.table)
                for candidate in candidates
                if candidate.table is not None
            }
            write_atomically(Path(label_errors), to_csv(found).encode(errors="backslashreplace"))
        echo(f"{_short(written.file)}, {written.bytes / 1000:,.0f} kB: {written.verdict}")
    print_damaged(damaged)
    return 1 if damaged else 0


def _short(file: Path) -> str:
    """The path as it is shortest from here."""
    return str(file.relative_to(Path.cwd())) if file.is_relative_to(Path.cwd()) else str(file)
