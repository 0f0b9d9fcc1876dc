"""`foldproof doctor`."""

import click

from foldproof.cli.out import echo, echo_json


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(as_json: bool) -> int:
    """Could a run started now be reproduced? Code, images, packages, arithmetic, disk and tracking, each with the next
    step. Exit 1 where something has to be mended first.

    \b
    foldproof doctor
    """
    import os
    from pathlib import Path

    from foldproof.doctor.examine import examine
    from foldproof.project import Project
    from foldproof.storage import cleaned_lines

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
