"""`foldproof runs`."""

import click


@click.command("runs")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(as_json: bool) -> int:
    """List what has run, oldest first.

    \b
    foldproof runs
    """
    import json
    from pathlib import Path

    from rich.console import Console

    from foldproof.analysis.compare import compare
    from foldproof.cli.show import print_runs
    from foldproof.project import Project
    from foldproof.record import RunRecord

    records = tuple(RunRecord.read(folder) for folder in Project.find(Path.cwd()).run_folders())
    if as_json:
        click.echo(json.dumps(compare(records).to_json()["runs"], allow_nan=False))
    elif records:
        print_runs(records, Console(highlight=False))
    else:
        click.echo("nothing has run yet; start with `foldproof run`")
    return 0
