"""`foldproof run`."""

import re
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from foldproof.plan.prepare import Extent


class Folds(click.ParamType[frozenset[tuple[int | None, int]]]):
    """`0,3`: folds of every repeat; `1.3`: fold 3 of repeat 1."""

    name = "folds"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> frozenset[tuple[int | None, int]]:
        chosen = set()
        for part in str(value).split(","):
            match = re.fullmatch(r"\s*(?:([0-9]{1,3})\.)?([0-9]{1,3})\s*", part)
            if match is None:
                self.fail(f"'{value}' names no folds; write it as 2 or 0,3, or 1.3 for fold 3 of repeat 1", param, ctx)
            chosen.add((None if match[1] is None else int(match[1]), int(match[2])))
        return frozenset(chosen)


@click.command("run")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting, as in train.lr=0.01.")
@click.option("--repeats", type=click.IntRange(1, 100), help="Short for --set folds.repeats=N.")
@click.option("--resume", is_flag=True, help="Go on with runs that were cut off; train again only folds that failed.")
@click.option(
    "--fold", "folds", type=Folds(), metavar="N,…", help="Train only these folds, in a run that others share."
)
@click.option("--allow-dirty", is_flag=True, help="Train though images differ from the versioned ones; it is recorded.")
@click.option("--quiet", "-q", is_flag=True, help="Show only what failed, and the result.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(
    names: tuple[str, ...],
    overrides: tuple[str, ...],
    repeats: int | None,
    resume: bool,
    folds: frozenset[tuple[int | None, int]] | None,
    allow_dirty: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Train experiments under cross-validation: those named, or all of the settings file.

    Ctrl-C ends it with a checkpoint; `--resume` goes on from there, to the same bits.

    \b
    foldproof run
    foldproof run FirstRun --set train.lr=0.01
    foldproof run --resume
    """
    from foldproof.plan.prepare import Extent

    if repeats is not None:
        overrides = (*overrides, f"folds.repeats={repeats}")
    extent = Extent(resume=resume, folds=folds)
    return train_and_compare(
        names, overrides=overrides, extent=extent, allow_dirty=allow_dirty, quiet=quiet, as_json=as_json
    )


def train_and_compare(
    names: tuple[str, ...] = (),
    *,
    overrides: tuple[str, ...] = (),
    extent: "Extent | None" = None,
    allow_dirty: bool = False,
    quiet: bool = False,
    as_json: bool = False,
) -> int:
    """Train, then print the comparison of what was trained.

    0 when every fold finished, 1 when one failed, 128 and the signal's number when it was interrupted.
    """
    import json
    import os
    from pathlib import Path

    from rich.console import Console

    from foldproof.analysis.as_json import comparison_json
    from foldproof.analysis.compare import compare
    from foldproof.analysis.contender import Contender
    from foldproof.cli.progress import shown_progress
    from foldproof.cli.show import print_comparison
    from foldproof.cli.signals import stopping_by_signals
    from foldproof.config.read import load_settings
    from foldproof.plan.prepare import ALL_ANEW
    from foldproof.project import Project
    from foldproof.record import RunRecord
    from foldproof.run import run
    from foldproof.storage import cleaned_lines
    from foldproof.trackers.mlflow.target import resolve_target

    project = Project.find(Path.cwd())
    loaded = load_settings(project.settings_file, overrides=overrides)
    tracked = loaded.settings.tracking.enabled
    with stopping_by_signals() as (stopping, interruption), shown_progress(quiet=quiet or as_json) as progress:
        report = run(
            project,
            loaded,
            names=names,
            extent=extent or ALL_ANEW,
            target=resolve_target(loaded.settings.tracking, project, os.environ) if tracked else None,
            trackers=("console", "mlflow") if tracked else ("console",),
            allow_dirty=allow_dirty,
            quiet=quiet or as_json,
            progress=progress,
            stopping=stopping,
        )
    notices = (*(report.notices if quiet or as_json or report.was_done else ()), *report.farewells)
    if interruption.number:
        for notice in notices:
            click.echo(cleaned_lines(f"note: {notice.text}"), err=True)
        click.echo("interrupted; `foldproof run --resume` goes on", err=True)
        return interruption.code
    comparison = compare(
        [Contender.of(RunRecord.read(folder)) for folder in report.statuses],
        metric=loaded.settings.compare.metric,
        rope=loaded.settings.compare.rope / 100,
    )
    if as_json:
        click.echo(json.dumps(comparison_json(comparison), allow_nan=False))
    else:
        console = Console(highlight=False)
        console.print()
        print_comparison(comparison, console)
    for notice in notices:
        click.echo(cleaned_lines(f"note: {notice.text}"), err=True)
    return 0 if report.all_finished else 1
