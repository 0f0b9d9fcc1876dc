"""`foldproof sync`."""

import click

from foldproof.cli import complete
from foldproof.cli.out import echo, echo_json


@click.command("sync")
@click.argument("runs", nargs=-1, metavar="[RUN]…", shell_complete=complete.runs)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(runs: tuple[str, ...], as_json: bool) -> int:
    """Bring MLflow up to date with the journals of the runs named, or of all. Nothing is trained.

    \b
    foldproof sync
    foldproof sync FirstRun
    """
    import os
    from dataclasses import asdict
    from pathlib import Path

    from foldproof.config.read import load_settings
    from foldproof.project import Project, choose_folders
    from foldproof.record import experiments_of
    from foldproof.storage import cleaned
    from foldproof.sync import sync
    from foldproof.trackers.mlflow.target import resolve_target

    project = Project.find(Path.cwd())
    tracking = load_settings(project.settings_file).settings.tracking
    target = resolve_target(tracking, project, os.environ)
    folders = project.run_folders()
    if runs:
        folders = choose_folders(runs, *experiments_of(folders))
    report = sync(folders, target)
    if as_json:
        echo_json(asdict(report))
    else:
        same = report.runs - report.created - report.completed - len(report.left) - len(report.problems)
        echo(f"runs: {report.created} new in MLflow, {report.completed} completed, {same} already the same")
        for who in report.left:
            echo(f"note: {who}, which brings it to MLflow", err=True)
        for problem in report.problems:
            echo(f"note: {cleaned(problem, most=1000)}", err=True)
    return 1 if report.problems else 0
