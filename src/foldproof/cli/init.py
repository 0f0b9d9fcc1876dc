"""`foldproof init`."""

import click

from foldproof.cli.out import echo
from foldproof.storage import cleaned


@click.command("init")
@click.argument("folder", default=".", metavar="[DIR]", type=click.Path(file_okay=False))
def command(folder: str) -> int:
    """Make a folder of images a project: settings, git and DVC. Nothing that is there is changed.

    \b
    foldproof init
    """
    import shlex
    from pathlib import Path

    from foldproof.config.read import load_settings
    from foldproof.data.versions.dvc import is_versioned
    from foldproof.scaffold.make import scaffold

    made = scaffold(Path(folder).expanduser().absolute())
    for line in made.lines:
        echo(cleaned(line, most=2000))
    path = load_settings(made.settings_file).settings.data.path
    steps = [f"cd {shlex.quote(folder)}"] if folder != "." else []
    images = made.settings_file.parent / path
    versioned = is_versioned(images)
    if not images.exists() and not versioned:
        echo(f"put the images of each class into a folder of its own in {path}")
    there = made.settings_file.parent
    records = ("dvc.yaml", "dvc.lock", f"{path}.dvc") if versioned else ("dvc.yaml",)
    ours = " ".join(shlex.quote(name) for name in (*records, ".gitignore") if (there / name).is_file())
    commit = f'git add {made.settings_file.name} {ours} && git commit -m "images and settings"'
    if not versioned:
        steps.append(f"foldproof data add {shlex.quote(path)}")
    elif not images.exists():
        steps.append("foldproof data pull")
    steps += [commit, "foldproof run", "foldproof ui"]
    echo("\nnext:  " + "\n       ".join(steps))
    return 0
