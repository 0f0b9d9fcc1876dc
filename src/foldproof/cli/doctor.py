"""`foldproof doctor`."""

import os
from pathlib import Path

import click

from foldproof.cli.out import echo, echo_json
from foldproof.storage import cleaned_lines


@click.command("doctor")
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path())
@click.option("--foreign", is_flag=True, help="Look at a stranger's folder, DIR or this one, before it is used.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(folder: str | None, foreign: bool, as_json: bool) -> int:
    """Could a run started now be reproduced? Code, images, packages, arithmetic, disk and tracking, each with the next
    step. Exit 1 where something has to be fixed first.

    With --foreign: what in a folder that came from somebody else would run programs, connect to hosts or lead out of
    it. Nothing in it is run, and no link is followed. Exit 1 where there is something to look at.

    \b
    foldproof doctor
    foldproof doctor --foreign clone-of-somebody
    """
    if folder is not None and not foreign:
        raise click.UsageError("a folder is named only with --foreign")
    return _look(Path(folder or "."), as_json) if foreign else _examine(as_json)


def _examine(as_json: bool) -> int:

    from foldproof.doctor.examine import examine
    from foldproof.project import Project

    found = examine(Project.find(Path.cwd()), os.environ)
    if as_json:
        echo_json(found.to_json())
        return 0 if found.is_fit else 1
    marks = {"ok": "ok  ", "note": "note", "bad": "BAD "}
    for check in found.checks:
        lines = [f"{marks[check.state]}  {check.name:<11} {check.said}"]
        lines += [f"{'':<18}{check.next_step}"] if check.next_step else []
        echo(cleaned_lines("\n".join(lines)), colour="red" if check.state == "bad" else None)
    echo(found.verdict)
    return 0 if found.is_fit else 1


def _look(folder: Path, as_json: bool) -> int:
    from foldproof.doctor.foreign.look import look_at

    seen = look_at(folder)
    if as_json:
        echo_json(seen.to_json())
        return 0 if seen.is_harmless else 1
    for finding in seen.findings:
        line = f"{finding.kind:<10} {finding.where}: {finding.what} ({finding.effect})"
        echo(line, colour=None if finding.kind == "note" else "red")
    for why in seen.unseen:
        echo(f"{'unseen':<10} {why}", colour="red")
    echo(seen.verdict)
    return 0 if seen.is_harmless else 1
