"""`foldproof data`."""

import os
import shlex
from pathlib import Path

import click

from foldproof.cli import data_cache, data_check
from foldproof.cli.group import Group
from foldproof.cli.here import project_here
from foldproof.cli.out import echo
from foldproof.errors import DataError, FoldproofError, ProjectError
from foldproof.storage import cleaned, redact


@click.group("data", cls=Group)
def command() -> None:
    """Version images with DVC, bring them back, and check them.

    \b
    foldproof data add data/train
    foldproof data check
    """


command.add_command(data_check.command)


@command.command("add")
@click.argument("path", required=False, type=click.Path())
@click.option("--to", "target", metavar="DIR", help="Copy it to there first: for images outside the project.")
def add(path: str | None, target: str | None) -> int:
    """Version a folder of images with DVC, and count what is in it; without PATH, that of the settings.

    \b
    foldproof data add data/train
    foldproof data add ~/Pictures/birds --to data/birds
    """
    from foldproof.check import check_images
    from foldproof.cli.progress import shown_progress
    from foldproof.cli.show_data import counted
    from foldproof.data.versions.add import add as version
    from foldproof.data.walk import some
    from foldproof.provenance import git

    path = path or os.path.relpath(_path_of_the_settings()[1])
    folder = Path(os.path.normpath(Path(path).expanduser().absolute()))
    if target is not None or _is_outside(folder):
        folder = _brought_in(folder, target)
        path = os.path.relpath(folder)
    added = version(folder, waiting=lambda: echo("waiting for another foldproof to end", err=True))
    if added.restored:
        echo(f"note: an earlier add was cut off; brought back {some(added.restored)}", err=True)
    written = added.written
    files = cleaned(" ".join(os.path.relpath(file) for file in written), most=1000)
    in_git = any((above / ".git").exists() for above in folder.absolute().parents)
    known = in_git and git.stage(folder.parent, written)
    path = cleaned(path, most=300)
    echo(f"versioned {path}; {'staged' if known else 'for git to know:' if in_git else 'wrote'} {files}")
    try:
        with shown_progress(quiet=False) as progress:
            checked = check_images(folder.parent, folder.name, progress=progress)
    except DataError as error:
        echo(f"note: not yet a folder to train on: {redact(str(error))}", err=True)
        return 0
    dataset = checked.seen.dataset
    for label, count in sorted(dataset.count_by_class.items()):
        echo(f"{count:>8,}  {cleaned(label, most=300)}")
    for told in checked.seen.found.described.told:
        echo(f"          {cleaned(told, most=300)}")
    echo(f"{len(dataset):>8,}  images in {len(dataset.classes)} classes; {counted(checked)}")
    asked = _asked_path()
    if asked is not None and not asked[1].resolve().is_relative_to(folder.resolve()):
        echo(
            f"note: the settings' data.path is {asked[0]}, not {path}: change it if these are to be trained on",
            err=True,
        )
    check = "foldproof data check\n       " if checked.findings else ""
    commit = 'git commit -m "images"    nothing is committed yet\n       ' if in_git else ""
    echo(f"\nnext:  {commit}{check}foldproof run")
    return 0


def _path_of_the_settings() -> tuple[str, Path]:
    """data.path of the project here, as it is written and where it is."""
    project, loaded = project_here()
    path = loaded.settings.data.path
    return path, project.path(path)


def _is_outside(folder: Path) -> bool:
    """Whether the project here cannot version `folder`, since it lies elsewhere."""
    from foldproof.project import Project

    try:
        root = Project.find(Path.cwd()).root
    except ProjectError:
        return False
    return folder.is_dir() and not folder.resolve().is_relative_to(root.resolve())


def _asked_path() -> tuple[str, Path] | None:
    """The same; None without settings that can be read."""
    try:
        return _path_of_the_settings()
    except FoldproofError:
        return None


def _place_for(folder: Path) -> str:
    """Where a copy of `folder` would be found by the settings, or else a place of its name."""
    asked = _asked_path()
    if asked is not None and not asked[1].exists():
        return os.path.relpath(asked[1])
    return f"data/{folder.name}"


def _brought_in(folder: Path, target: str | None) -> Path:
    """A copy inside the project. Raises DataError that says its size where nobody has said where to."""
    from foldproof.cli.progress import shown_progress
    from foldproof.data.versions.bring_in import bring_in, load_of

    if target is None:
        source, to = shlex.quote(str(folder)), shlex.quote(_place_for(folder))
        raise DataError(
            f"{folder} lies outside of the project: {load_of(folder, Path.cwd())}",
            next_step=f"`foldproof data add {source} --to {to}` copies it",
        )
    place = Path(os.path.normpath(Path(target).expanduser().absolute()))
    if _is_outside(place.parent):
        raise DataError(f"{place} lies outside of the project too", next_step="name a folder in it: --to data/images")
    with shown_progress(quiet=False) as progress:
        load = bring_in(folder, place, progress=progress)
    echo(f"copied {folder} to {target}: {load.files:,} files, {load.size / 1e9:.2f} GB")
    return place


@command.command("pull")
@click.option("--force", is_flag=True, help="Put files that no version holds aside, and go on.")
def pull(force: bool) -> int:
    """Bring the versioned images back from the DVC remote and check every one of them.

    \b
    foldproof data pull
    foldproof data pull --force    your own changes are put aside first
    """
    from foldproof.data.versions.pull import pull as bring_back
    from foldproof.data.walk import some

    project, loaded = project_here()
    folder = project.path(loaded.settings.data.path)
    pulled = bring_back(
        folder,
        force=force,
        aside=project.root / ".foldproof" / "aside",
        waiting=lambda: echo("waiting for another foldproof to end", err=True),
    )
    place = cleaned(str(folder), most=1000)
    echo(f"{pulled.files} files in {place}, each as it was versioned; {pulled.fetched} fetched")
    if pulled.kept:
        where = ", ".join(str(place) for place in pulled.aside)
        echo(f"note: {len(pulled.kept)} that no version holds put aside in {where}: {some(pulled.kept)}", err=True)
    if pulled.removed:
        echo(f"note: {len(pulled.removed)} of other versions removed: {some(pulled.removed)}", err=True)
    if pulled.extra:
        echo(f"note: {len(pulled.extra)} not versioned and left alone: {some(pulled.extra)}", err=True)
    return 0


command.add_command(data_cache.command)
