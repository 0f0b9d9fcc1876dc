"""`foldproof compare`."""

import click


@click.command("compare")
@click.argument("runs", nargs=-1, metavar="[RUN]…")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(runs: tuple[str, ...], as_json: bool) -> int:
    """Put experiments side by side: those named, or the newest run of each.

    \b
    foldproof compare
    foldproof compare FirstRun Run_High_LR
    """
    import json
    from pathlib import Path

    from rich.console import Console

    from foldproof.analysis.compare import compare
    from foldproof.cli.show import print_comparison
    from foldproof.errors import RunNotFound
    from foldproof.project import Project, choose_run
    from foldproof.record import RunRecord, read_facts

    folders = {folder.name: folder for folder in Project.find(Path.cwd()).run_folders()}
    experiments = {run: str(read_facts(folder)["experiment"]) for run, folder in folders.items()}
    if not experiments:
        raise RunNotFound("nothing has run yet", next_step="start with `foldproof run`")
    newest = {experiments[run]: run for run in sorted(experiments)}
    chosen = [choose_run(wanted, experiments) for wanted in runs] or sorted(newest.values())
    comparison = compare([RunRecord.read(folders[run]) for run in dict.fromkeys(chosen)])
    if as_json:
        click.echo(json.dumps(comparison.to_json(), allow_nan=False))
    else:
        print_comparison(comparison, Console(highlight=False))
    return 0
