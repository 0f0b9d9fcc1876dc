"""`foldproof data`."""

import click

from foldproof.cli import data_cache, data_check
from foldproof.cli.group import Group


@click.group("data", cls=Group)
def command() -> None:
    """Version images with DVC, bring them back, and check them.

    \b
    foldproof data add data/train
    foldproof data check
    """


command.add_command(data_check.command)


@command.command("add")
@click.argument("path", type=click.Path())
def add(path: str) -> int:
    """Version a folder of images with DVC, and count what is in it.

    \b
    foldproof data add data/train
    """
    import os
    from pathlib import Path

    from foldproof.check import check_images
    from foldproof.cli.progress import shown_progress
    from foldproof.cli.show_data import counted
    from foldproof.data.versions.add import add as version
    from foldproof.data.walk import some
    from foldproof.errors import DataError
    from foldproof.provenance import git

    folder = Path(path).expanduser().absolute()
    added = version(folder, waiting=lambda: click.echo("waiting for another foldproof to end", err=True))
    if added.restored:
        click.echo(f"note: an earlier add was cut off; brought back {some(added.restored)}", err=True)
    written = added.written
    files = " ".join(os.path.relpath(file) for file in written)
    click.echo(f"versioned {path}; {'staged' if git.stage(folder.parent, written) else 'for git to know:'} {files}")
    try:
        with shown_progress(quiet=False) as progress:
            checked = check_images(folder.parent, folder.name, progress=progress)
    except DataError as error:
        click.echo(f"note: not yet a folder to train on: {error}", err=True)
        return 0
    dataset = checked.seen.dataset
    for label, count in sorted(dataset.count_by_class.items()):
        click.echo(f"{count:>8,}  {label}")
    click.echo(f"{len(dataset):>8,}  images in {len(dataset.classes)} classes; {counted(checked)}")
    check = "       foldproof data check\n" if checked.findings else ""
    click.echo(f'\nnext:  git commit -m "images"    nothing is committed yet\n{check}       foldproof run')
    return 0


@command.command("pull")
@click.option("--force", is_flag=True, help="Put files that no version holds aside, and go on.")
def pull(force: bool) -> int:
    """Bring the versioned images back from the DVC remote and check every one of them.

    \b
    foldproof data pull
    foldproof data pull --force    your own changes are put aside first
    """
    from pathlib import Path

    from foldproof.config.read import load_settings
    from foldproof.data.versions.pull import pull as bring_back
    from foldproof.data.walk import some
    from foldproof.project import Project

    project = Project.find(Path.cwd())
    folder = project.path(load_settings(project.settings_file).settings.data.path)
    pulled = bring_back(
        folder,
        force=force,
        aside=project.root / ".foldproof" / "aside",
        waiting=lambda: click.echo("waiting for another foldproof to end", err=True),
    )
    click.echo(f"{pulled.files} files in {folder}, each as it was versioned; {pulled.fetched} fetched")
    if pulled.kept:
        where = ", ".join(str(place) for place in pulled.aside)
        click.echo(
            f"note: {len(pulled.kept)} that no version holds put aside in {where}: {some(pulled.kept)}", err=True
        )
    if pulled.removed:
        click.echo(f"note: {len(pulled.removed)} of other versions removed: {some(pulled.removed)}", err=True)
    if pulled.extra:
        click.echo(f"note: {len(pulled.extra)} not versioned and left alone: {some(pulled.extra)}", err=True)
    return 0


command.add_command(data_cache.command)
