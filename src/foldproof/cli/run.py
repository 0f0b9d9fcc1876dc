"""`foldproof run`."""

import signal
import sys
from types import FrameType

import click


@click.command("run")
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting, as in train.lr=0.01.")
@click.option("--repeats", type=click.IntRange(1, 100), help="Short for --set folds.repeats=N.")
@click.option("--allow-dirty", is_flag=True, help="Train though images differ from the versioned ones; it is recorded.")
@click.option("--quiet", "-q", is_flag=True, help="Show only what failed, and the result.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(
    names: tuple[str, ...],
    overrides: tuple[str, ...],
    repeats: int | None,
    allow_dirty: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Train experiments under cross-validation: those named, or all of the settings file.

    \b
    foldproof run
    foldproof run FirstRun --set train.lr=0.01
    """
    signal.signal(signal.SIGTERM, _terminated)
    if repeats is not None:
        overrides = (*overrides, f"folds.repeats={repeats}")
    return train_and_compare(names, overrides=overrides, allow_dirty=allow_dirty, quiet=quiet, as_json=as_json)


def train_and_compare(
    names: tuple[str, ...] = (),
    *,
    overrides: tuple[str, ...] = (),
    allow_dirty: bool = False,
    quiet: bool = False,
    as_json: bool = False,
) -> int:
    """Train, then print the comparison of what was trained. 0 when every fold finished, else 1."""
    import json
    import os
    from pathlib import Path

    from rich.console import Console

    from foldproof.analysis.compare import compare
    from foldproof.cli.progress import shown_progress
    from foldproof.cli.show import print_comparison
    from foldproof.config.read import load_settings
    from foldproof.project import Project
    from foldproof.record import RunRecord
    from foldproof.run import run
    from foldproof.trackers.mlflow.target import resolve_target

    project = Project.find(Path.cwd())
    loaded = load_settings(project.settings_file, overrides=overrides)
    tracked = loaded.settings.tracking.enabled
    with shown_progress(quiet=quiet or as_json) as progress:
        report = run(
            project,
            loaded,
            names=names,
            target=resolve_target(loaded.settings.tracking, project, os.environ) if tracked else None,
            trackers=("console", "mlflow") if tracked else ("console",),
            allow_dirty=allow_dirty,
            quiet=quiet or as_json,
            progress=progress,
        )
    comparison = compare([RunRecord.read(folder) for folder in report.statuses])
    if as_json:
        click.echo(json.dumps(comparison.to_json(), allow_nan=False))
    else:
        console = Console(highlight=False)
        console.print()
        print_comparison(comparison, console)
    for notice in (*(report.notices if quiet or as_json else ()), *report.farewells):
        click.echo(f"note: {notice.text}", err=True)
    return 0 if report.all_finished else 1


def _terminated(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    sys.exit(143)
