"""`foldproof runs`."""

from dataclasses import asdict
from pathlib import Path

import click

from foldproof.cli.out import echo, echo_json


@click.command("runs")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(as_json: bool) -> int:
    """List what has run, oldest first. A run that cannot be read is named on stderr, and the exit code is 1.

    \b
    foldproof runs
    """
    from foldproof.analysis.repeats import find_repeats
    from foldproof.analysis.summary import Summary
    from foldproof.cli.show import print_damaged, print_runs
    from foldproof.project import Project
    from foldproof.records.store import RunStore, read_records
    from foldproof.trackers.terminal import Terminal

    store = RunStore.read(Project.find(Path.cwd()).run_folders())
    records, unread = read_records(store.runs)
    damaged = {**store.damaged, **unread}
    repeated = find_repeats({record.run: record for record in records})
    if as_json:
        told = [
            {
                **Summary.of(record).to_json(),
                "folds_expected": record.expected_folds,
                "reseed_of": record.facts.get("reseed_of"),
                "again": _again(repeated.get(record.run)),
                "begins_with": [asdict(reuse) for reuse in dict.fromkeys(record.reused.values())],
            }
            for record in records
        ]
        echo_json(told)
    elif records:
        print_runs(records, Terminal())
        for run, (first, same) in repeated.items():
            echo(f"{run} is {first} once more: {'the same bits' if same else 'other bits, see `foldproof diff`'}")
        for record in records:
            if record.reused:
                echo(f"{record.run} begins with the {record.begins_with}")
    elif not damaged:
        echo("nothing has run yet; start with `foldproof run`")
    print_damaged(damaged)
    return 1 if damaged else 0


def _again(found: tuple[str, bool] | None) -> dict[str, object] | None:
    return None if found is None else {"of": found[0], "same": found[1]}
