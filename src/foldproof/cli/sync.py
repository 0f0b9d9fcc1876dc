"""`foldproof sync`."""

import os
from dataclasses import asdict, replace

import click

from foldproof.cli import complete
from foldproof.cli.here import project_here
from foldproof.cli.out import echo, echo_json
from foldproof.storage import cleaned


@click.command("sync")
@click.argument("runs", nargs=-1, metavar="[RUN]…", shell_complete=complete.runs)
@click.option("--trust-host", is_flag=True, help="The server in the settings is yours: it may have your password.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(runs: tuple[str, ...], trust_host: bool, as_json: bool) -> int:
    """Bring MLflow up to date with the journals of the runs named, or of all. Nothing is trained.

    \b
    foldproof sync
    foldproof sync FirstRun
    """
    from foldproof.records.store import RunStore
    from foldproof.trackers.mlflow.sync import sync
    from foldproof.trackers.mlflow.target import resolve_target
    from foldproof.trackers.mlflow.trust import hosts_file
    from foldproof.trackers.mlflow.trust import trust_host as remember

    project, loaded = project_here()
    target = resolve_target(loaded.settings.tracking, project, os.environ)
    if trust_host and (host := remember(target.uri)):
        echo(f"note: {host} may have your password from now on, from any project ({hosts_file()})", err=True)
        target = replace(target, trusted=True)
    folders = project.run_folders()
    if runs:
        folders = tuple(run.folder for run in RunStore.read(folders).find(runs))
    report = sync(folders, target)
    if as_json:
        echo_json(asdict(report))
    else:
        same = max(report.runs - report.created - report.completed - len(report.left) - len(report.problems), 0)
        echo(f"runs: {report.created} new in MLflow, {report.completed} completed, {same} already the same")
        for who in report.left:
            echo(f"note: {who}, which brings it to MLflow", err=True)
        for note in report.notes:
            echo(f"note: {cleaned(note, most=1000)}", err=True)
        for problem in report.problems:
            echo(f"note: {cleaned(problem, most=1000)}", err=True)
    return 1 if report.problems else 0
