"""`foldproof demo`."""

import os
import shlex
from pathlib import Path

import click

from foldproof.cli.out import echo


@click.command("demo")
@click.argument("folder", default="foldproof-demo", metavar="[DIR]", type=click.Path(file_okay=False))
def command(folder: str) -> int:
    """See the main job on 5,000 real handwritten digits: versioned, pulled, trained three times with five folds.

    \b
    foldproof demo
    foldproof demo ~/digits
    """
    from foldproof.cli.run import train_and_compare
    from foldproof.scaffold.demo import prepare
    from foldproof.trackers.terminal import Terminal

    console = Terminal(stderr=True)
    place = Path(folder).expanduser().absolute()
    prepare(place, say=lambda line: console.print(line, style="dim", markup=False, soft_wrap=True))
    shown = os.path.relpath(place)
    there = "" if shown == "." else f"cd {shlex.quote(shown)} && "
    os.chdir(place)
    code = train_and_compare()
    echo(f"\nsee every fold in MLflow:  {there}foldproof ui")
    return code
