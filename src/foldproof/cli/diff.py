"""`foldproof diff`."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from foldproof.cli import complete
from foldproof.cli.here import project_around
from foldproof.cli.out import echo, echo_json
from foldproof.errors import DamagedFile
from foldproof.storage import Commit, cleaned_lines

if TYPE_CHECKING:
    from foldproof.analysis.causes import Cause
    from foldproof.analysis.difference import Difference, RunSide
    from foldproof.analysis.divergence import Divergence
    from foldproof.project import Project

MOST = 10  # lines of a section


@click.command("diff")
@click.argument("a", metavar="A", shell_complete=complete.runs)
@click.argument("b", metavar="B", shell_complete=complete.runs)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def command(a: str, b: str, as_json: bool) -> int:
    """What was different? Two runs side by side: settings, images, folds, code, packages, machine.

    Then where their trainings part, and which of the differences can explain it. A and B are runs, folders of runs or
    bundles.

    \b
    foldproof diff FirstRun Run_High_LR
    foldproof diff 20261127-190132-2fw5g6 FirstRun.zip
    """
    from foldproof.analysis.causes import probable_causes
    from foldproof.analysis.difference import RunSide, differ
    from foldproof.cli.chosen import subject_of
    from foldproof.reproduce.first_difference import find_first_difference

    project = project_around()
    with subject_of(a, project) as then, subject_of(b, project) as now:
        sides = (RunSide.read(then.folder), RunSide.read(now.folder))
        difference = differ(*sides)
        parting, compared = find_first_difference(then.folder, now.folder)
    causes = probable_causes(difference, parting) if parting or difference.any else ()
    files = _files_between(project, sides) if project and difference.code.commit else None
    if as_json:
        document = {
            "v": 1,
            "a": then.folder.name,
            "b": now.folder.name,
            "difference": asdict(difference),
            "changed_files": None if files is None else list(files),
            "folds_compared": compared,
            "divergence": None if parting is None else asdict(parting),
            "causes": [asdict(cause) for cause in causes],
        }
        echo_json(document)
    else:
        lines = [*_sections(difference, files), "", *_result(parting, compared, causes)]
        echo(cleaned_lines("\n".join(lines).strip("\n"), most=400))
    return 0


def _files_between(project: "Project", sides: "tuple[RunSide, RunSide]") -> tuple[str, ...] | None:
    """The files that differ between the commits of two runs; None where a record names none, or git lacks it."""
    from foldproof.provenance.git import changed_files

    try:
        one, other = (Commit.parse(side.part("git").get("commit")) for side in sides)
    except DamagedFile:
        return None
    return changed_files(project.root, one, other)


def _sections(difference: "Difference", files: Sequence[str] | None) -> list[str]:
    images, folds = difference.images, difference.folds
    kinds = ("added", "removed", "changed", "relabelled", "regrouped")
    seen = [(kind, getattr(images, kind)) for kind in kinds if getattr(images, kind)]
    parts: dict[str, list[str]] = {
        "settings": [str(change) for change in difference.settings],
        "images": [f"{len(paths):,} {kind}: {_some(paths)}" for kind, paths in seen],
        "folds": [f"{folds.moved:,} images in another fold: {_some(folds.paths)}"] if folds.moved else [],
        "code": _code(difference, files),
        "arithmetic": [
            "the same functions give other bits (numeric fingerprint)" if change.name == "fingerprint" else str(change)
            for change in difference.arithmetic
        ],
        "packages": [str(change) for change in difference.packages],
        "machine": [str(change) for change in difference.machine],
    }
    lines: list[str] = []
    for name, said in parts.items():
        lines += [f"{name + ':' if number == 0 else '':<12} {line}" for number, line in enumerate(_bounded(said))]
    same = [name for name, said in parts.items() if not said]
    return [*lines, f"{'the same:':<12} {', '.join(same)}"] if same else lines


def _code(difference: "Difference", files: Sequence[str] | None) -> list[str]:
    code = difference.code
    said = [str(change) for change in (code.commit, code.foldproof) if change]
    said += ["foldproof's training code differs"] if code.training_code else []
    said += ["the modules that the settings name differ"] if code.plugins else []
    if code.commit and files is None:
        said.append("which files differ cannot be told: this repository does not have both commits")
    said += [f"between the commits: {name}" for name in files or ()]
    return [*said, *(f"  {line}" for line in code.hunks)]


def _result(parting: "Divergence | None", compared: int, causes: "Iterable[Cause]") -> list[str]:
    if compared == 0:
        return ["no fold of one has been trained in the other: their results cannot be compared step by step"]
    if parting is None:
        return [f"result: the same, bit for bit, in all {compared} folds that both have"]
    lines = [f"result: they part at {parting.place} ({parting.kind}: {parting.then} then, {parting.now} now)"]
    return [*lines, "can explain it, most probable first:", *(f"  {cause.text}" for cause in causes)]


def _bounded(lines: list[str]) -> list[str]:
    return lines if len(lines) <= MOST else [*lines[:MOST], f"and {len(lines) - MOST} more (--json has all)"]


def _some(paths: Sequence[str]) -> str:
    return ", ".join(paths[:MOST]) + (f" and {len(paths) - MOST} more" if len(paths) > MOST else "")
