"""`foldproof init`."""

import shlex
from pathlib import Path

import click

from foldproof.cli.out import echo
from foldproof.storage import cleaned


@click.command("init")
@click.argument("folder", default=".", metavar="[DIR]", type=click.Path(file_okay=False))
@click.option("--label", metavar="COLUMN", default="", help="Column of a table that holds the label of each image.")
def command(folder: str, label: str) -> int:
    """Make a folder of images a project: settings, git and DVC. Nothing that is there is changed.

    \b
    foldproof init
    foldproof init --label diagnosis
    """
    from foldproof.config.read import load_settings
    from foldproof.data.versions.dvc import is_versioned
    from foldproof.scaffold.make import scaffold

    made = scaffold(Path(folder).expanduser().absolute(), label=label)
    for line in made.lines:
        echo(cleaned(line, most=2000))
    data = load_settings(made.settings_file).settings.data
    path = data.path
    steps = [f"cd {shlex.quote(folder)}"] if folder != "." else []
    images = made.settings_file.parent / path
    versioned = is_versioned(images)
    if not images.exists() and not versioned:
        echo(f"put the images of each class into a folder of its own in {path}")
    root = made.settings_file.parent
    records = ("dvc.yaml", "dvc.lock", f"{path}.dvc") if versioned else ("dvc.yaml",)
    said_by = [one for one in (data.labels, data.test) if one and not Path(one).is_relative_to(path)]
    there = (name for name in (*records, ".gitignore", *said_by) if (root / name).is_file())
    ours = " ".join(map(shlex.quote, there))
    commit = f'git add {made.settings_file.name} {ours} && git commit -m "images and settings"'
    if not versioned:
        steps.append(f"foldproof data add {shlex.quote(path)}")
    elif not images.exists():
        steps.append("foldproof data pull")
    steps += [commit, "foldproof run", "foldproof ui"]
    echo("\nnext:  " + "\n       ".join(steps))
    return 0
