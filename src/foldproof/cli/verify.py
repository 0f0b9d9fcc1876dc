"""`foldproof verify`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from foldproof.cli import complete
from foldproof.cli.here import project_around
from foldproof.cli.out import echo, echo_json
from foldproof.storage import cleaned_lines

if TYPE_CHECKING:
    from foldproof.verify.level import Level


@click.command("verify")
@click.argument("run", metavar="RUN|FILE.zip", shell_complete=complete.runs_or_files)
@click.option("--level", type=click.IntRange(0, 2), default=2, show_default=True, help="Highest level to check.")
@click.option("--images", type=click.Path(path_type=Path), metavar="DIR", help="Look for the images here too.")
@click.option("--trust-code", is_flag=True, help="Let a record from elsewhere run the code that it needs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(run: str, level: int, images: Path | None, trust_code: bool, as_json: bool) -> int:
    """Is the record sound? Checks level by level, as far as the files allow; `reproduce` is the last level.

    \b
    L0  only the record: journals, folds and every number, in seconds
    L1  weights and images give the stored predictions again
    L2  one fold trained again for an epoch: equal bits
    \b
    foldproof verify FirstRun
    foldproof verify FirstRun.zip --level 0
    """
    from foldproof.cli.chosen import subject_of
    from foldproof.cli.progress import shown_progress
    from foldproof.verify.levels import verify

    project = project_around()
    with subject_of(run, project, images=images) as subject, shown_progress(quiet=as_json) as progress:
        found = verify(
            subject,
            project,
            highest=level,
            trust_code=trust_code,
            heard=(lambda _: None) if as_json else show,
            progress=progress,
        )
    if as_json:
        echo_json(found.to_json())
    else:
        echo(found.verdict)
    return 0 if found.is_sound else 1


def show(level: "Level") -> None:
    """A line for the level, one for each check, and one for each problem."""
    marks = {"holds": "holds", "broken": "BROKEN", "not here": "not here"}
    lines = [f"L{level.number} {level.title}: {marks[level.state]} ({level.seconds:.1f} s)"]
    for check in level.checks:
        lines.append(f"   {check.name:<12} {check.said if check.state != 'broken' else 'does not hold'}")
        lines += [f"     ! {problem}" for problem in check.problems[:10]]
        if len(check.problems) > 10:
            lines.append(f"     ! and {len(check.problems) - 10} more")
    echo(cleaned_lines("\n".join(lines)))
