"""Check that git knows the code, the folds and the pipeline that a run depends on."""

from collections.abc import Iterator
from pathlib import Path

from foldproof.config.recorded import own_code
from foldproof.config.schema import DataSettings, ExperimentConfig
from foldproof.config.yaml_lines import parse
from foldproof.data.walk import some
from foldproof.doctor.check import ProjectCheck, bad, note, ok
from foldproof.errors import FoldproofError
from foldproof.project import WRITTEN, Project
from foldproof.provenance.git import absence, git_state
from foldproof.provenance.git_command import filters_left_out
from foldproof.provenance.worktree import known_to_git
from foldproof.storage import read_text
from foldproof.storage.limits import PIPELINE_BYTES


def check_code(project: Project, configs: tuple[ExperimentConfig, ...]) -> Iterator[ProjectCheck]:
    """Commit, changes, and modules of the user's."""
    state = git_state(project.root, apart_from=(project.folds_file.name, *WRITTEN))
    modules = _modules(project.root, configs)
    yield from _of_filters(project)
    if state is None:
        why = absence(project.root)
        said = "no commit to go back to" if modules else "no commit; each run keeps its settings and folds"
        yield ProjectCheck("code", "bad" if modules else "note", f"{said} ({why})", "`git add -A && git commit`")
        return
    if state.untracked and modules:
        lost = [name for name in modules if not known_to_git(project.root, name)]
        if lost:
            yield bad(
                "code",
                f"{some(lost)} is trained with and not known to git: no record would hold it",
                f"`git add {' '.join(lost)}` and commit",
            )
            return
    if state.dirty:
        what = f"{len(state.untracked)} files that git does not know" if state.untracked else "uncommitted changes"
        said = f"{what}: a run keeps changes as a diff, new files not"
        yield note("code", said, "commit before a run that counts")
        return
    yield ok("code", f"clean at commit {state.commit[:12]}")


def _of_filters(project: Project) -> Iterator[ProjectCheck]:
    if names := filters_left_out(project.root):
        said = f"{some(names)} in this repository's git settings is not run: files it applies to may look changed"
        yield note("filters", said, f"`git config --global filter.{names[0]}.clean …` makes it your own")


def check_folds(project: Project) -> ProjectCheck:
    """Whether folds.csv is kept by git: without it, the next machine would cut other folds."""
    if not project.folds_file.exists():
        return ok("folds", "no folds.csv yet: the first run cuts the folds and writes it")
    if git_state(project.root) is not None and not known_to_git(project.root, project.folds_file.name):
        return note("folds", "folds.csv is not in git", "`git add folds.csv` and commit")
    return ok("folds", "folds.csv keeps every image in its fold")


def check_pipeline(project: Project, data: DataSettings) -> Iterator[ProjectCheck]:
    """Whether the stage that `init` wrote into dvc.yaml depends on the images of the settings, or of older ones."""
    try:
        text = read_text(project.root / "dvc.yaml", most_bytes=PIPELINE_BYTES)
        stages = parse(text, name="dvc.yaml").value["stages"].values()
        deps = [dep for one in stages if "foldproof run" in str(one.get("cmd")) for dep in one.get("deps") or []]
    except (FoldproofError, OSError, TypeError, KeyError, AttributeError):  # none, or not one that can be read
        return
    named = [dep for dep in deps if isinstance(dep, str) and "${" not in dep]
    gone = [dep for dep in named if dep != data.path and not (project.root / dep).exists()]
    if gone and data.path not in named:
        said = f"dvc.yaml depends on {gone[0]}, which is not there, and not on data.path, which is {data.path}"
        way = "${data.path}" if project.settings_file.name == "params.yaml" else data.path
        yield note("pipeline", said, f"write `- {way}` in its place, or `dvc repro` fails")


def _modules(root: Path, configs: tuple[ExperimentConfig, ...]) -> list[str]:
    """Files in the project that dotted paths of the settings lead to."""
    names = dict.fromkeys(name.partition(":")[0] for config in configs for name in own_code(config))
    files = [name.replace(".", "/") + ".py" for name in names]
    packages = [name.replace(".", "/") + "/__init__.py" for name in names]
    return [name for name in (*files, *packages) if (root / name).is_file()]
