"""A folder of class folders that was looked at in, the commands to go on with out."""

import shlex
from contextlib import suppress
from pathlib import Path

from foldproof.errors import FoldproofError, OtherTask, ProjectError
from foldproof.project import Project
from foldproof.scaffold.look import look, look_in


def next_steps(folder: Path) -> tuple[str, ...]:
    """Lines to type, each complete: from a look to an experiment. `folder` as a person named it."""
    here = folder.resolve()
    with suppress(ProjectError):
        root = Project.find(here).root
        return (f"cd {shlex.quote(str(root))}", "foldproof data check", "foldproof run")
    with suppress(FoldproofError):
        if (images := _as_project(here)) is not None:
            start = [] if here == Path.cwd() else [f"cd {shlex.quote(str(here))}"]
            return (*start, "foldproof init", f"foldproof data add {shlex.quote(images)}", "foldproof run")
    parent = here.parent
    around = None
    if parent not in (Path(here.anchor), Path.home()):
        with suppress(OtherTask):  # what else lies there is not asked about
            around = look(parent)
    if around is not None and around.path == here.name:
        start = [f"foldproof init {shlex.quote(str(parent))}", f"cd {shlex.quote(str(parent))}"]
        return (*start, f"foldproof data add {shlex.quote(here.name)}", "foldproof run")
    project = parent / f"{here.name}-project"
    return (
        f"foldproof init {shlex.quote(str(project))}",
        f"cd {shlex.quote(str(project))}",
        f"foldproof data add {shlex.quote(str(here))} --to data/train",
        "foldproof run",
    )


def _as_project(folder: Path) -> str | None:
    """Where the images of a project in `folder` lie; None where it holds images itself, and no table is beside them."""
    seen = look_in(folder)
    if seen is not None and seen.path == "." and seen.table and Path(folder / seen.table).parent == folder:
        seen = look(folder)
    return seen.path if seen is not None and seen.path != "." else None
