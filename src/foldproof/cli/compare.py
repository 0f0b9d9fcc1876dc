"""`foldproof compare`."""

import click


@click.command("compare")
@click.argument("runs", nargs=-1, metavar="[RUN]…")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(runs: tuple[str, ...], as_json: bool) -> int:
    """Put experiments side by side: those named, or the newest run of each.

    A run that cannot be read is an error where it is named; else it is left out, and the exit code is 1.

    \b
    foldproof compare
    foldproof compare FirstRun Run_High_LR
    """
    import json
    from pathlib import Path

    from rich.console import Console

    from foldproof.analysis.compare import compare
    from foldproof.cli.show import print_comparison, print_damaged
    from foldproof.errors import RunNotFound
    from foldproof.plan.begun import seen_now
    from foldproof.project import Project, choose_folders
    from foldproof.record import RunRecord, experiments_of, read_records

    experiments, damaged = experiments_of(Project.find(Path.cwd()).run_folders())
    if runs:
        records = tuple(RunRecord.read(folder) for folder in choose_folders(runs, experiments, damaged))
        damaged = {}
    else:
        newest = {experiments[folder]: folder for folder in sorted(experiments)}
        records, unread = read_records(sorted(newest.values()))
        damaged |= unread
        if not records and not damaged:
            raise RunNotFound("nothing has run yet", next_step="start with `foldproof run`")
    records = tuple(map(seen_now, records))
    if as_json:
        click.echo(json.dumps(compare(records).to_json(), allow_nan=False))
    elif records:
        print_comparison(compare(records), Console(highlight=False))
    print_damaged(damaged)
    return 1 if damaged else 0
