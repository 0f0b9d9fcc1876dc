"""Make a folder a project: write settings, git, DVC and .gitignore, without changing existing files."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from foldproof.config.read import load_settings
from foldproof.config.schema import SETTINGS_FILES, DataSettings, Settings, leaf_keys
from foldproof.config.yaml_lines import parse
from foldproof.data.links import linked_images
from foldproof.data.versions import dvc
from foldproof.data.walk import some
from foldproof.errors import DamagedFile, FoldproofError, ProjectError, SettingsError
from foldproof.provenance import git_command
from foldproof.scaffold.arrays import line_for_arrays
from foldproof.scaffold.choose import choose
from foldproof.scaffold.look import (
    is_images_itself,
    linked_in,
    look,
    pictures_in,
    pointers_in,
    tables_unused,
    unlabelled_in,
    unread_in,
)
from foldproof.scaffold.seen import FolderLook, phrase_counts
from foldproof.scaffold.settings import scalar, settings_text
from foldproof.scaffold.split_by_ids import line_for_split
from foldproof.storage import read_text, write_atomically
from foldproof.storage.limits import SETTINGS_BYTES

IGNORED = ("/runs/", "/.foldproof/", "/mlflow.db*", "/mlartifacts/", "/report.html")
_FOLLOWED = "${data.path}"
_PIPELINE = """\
stages:
  train:                           # `dvc repro`, or `dvc exp run -S train.lr=0.01`
    cmd: foldproof run
    deps:
      - {data}
    params:
{params}
    metrics:
      - metrics.json:              # `dvc metrics diff`
          cache: false
    plots:
      - plots:                     # `dvc plots diff`
          cache: false
          x: epoch
          y: val_accuracy
"""
_SECTIONS = ("data", "folds", "train", "experiments")


@dataclass(frozen=True)
class Scaffold:
    """What was made, in lines for a person, and the settings file."""

    settings_file: Path
    lines: tuple[str, ...]


def scaffold(folder: Path, *, settings: str | None = None, label: str = "") -> Scaffold:
    """Make `folder` a project, with `settings` as its settings file or those that suit the images found.

    `label`: the column of a table that holds the label.

    What is there stays: a second call changes nothing. Without git or DVC it goes on and says what is lacking.
    Raises ProjectError where nothing can be written.
    """
    if folder.is_dir() and settings is None and is_images_itself(folder):
        raise ProjectError(
            f"{folder} holds the class folders themselves: a project is the folder around its images",
            next_step=f"`cd {shlex.quote(str(folder.parent))}` and `foldproof init` there",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file, lines = _settings_file(folder, settings, label)
        lines += [*_git(folder), *_dvc(folder), *_ignore(folder / ".gitignore"), *_pipeline(folder, file)]
    except OSError as error:
        raise ProjectError(
            f"cannot make a project of {folder}: {error.strerror}",
            next_step="fix the permissions, or name a different folder",
        ) from error
    return Scaffold(file, tuple(lines))


def _settings_file(folder: Path, settings: str | None, label: str) -> tuple[Path, list[str]]:
    first, second = (folder / name for name in SETTINGS_FILES)
    for file in (first, second):
        if file.exists() and (file is first or _is_ours(file)):
            return file, [f"{file.name} is there and stays as it is"]
    lines = [f"{second.name} is another tool's and stays as it is"] if second.exists() else []
    file = first if second.exists() else second
    text, seen = (settings, []) if settings is not None else _settings_for(folder, label)
    write_atomically(file, text)
    return file, [*seen, *lines, f"wrote {file.name}"]


def _settings_for(folder: Path, label: str) -> tuple[str, list[str]]:
    seen = look(folder, label=label) or FolderLook(path=_only_folder(folder) or DataSettings().path)
    name = folder.resolve().name or "foldproof"
    text = settings_text(choose(seen), experiment=name, candidate=seen.candidate)
    if seen.variants:
        return text, [f"{seen.path} holds {seen.variants}: choose one, by data.path or data.exclude"]
    if not seen.images:
        unread = [f"no images that can be read: {told}" for told in unread_in(folder)]
        return text, [*(_without_class(folder) or unread), *_linked(folder)] or ["no images yet"]
    return text, _told(folder, seen)


def _told(folder: Path, seen: FolderLook) -> list[str]:
    """What was found, what was guessed of it and what is left out."""
    linked = linked_images(folder / seen.path)
    where = f", labelled by {seen.table}" if seen.table else ""
    lines = [f"found {seen.images:,} images in {len(seen.count_by_class)} classes in {seen.path}{where}"]
    lines += seen.in_words
    if linked:
        lines.append(
            f"{some(linked)} in {seen.path} left out: links are not followed, and `foldproof run` refuses them"
        )
    if pointers := pointers_in(folder / seen.path):
        lines.append(f"{pointers:,} of them are pointers of git-lfs: `git lfs pull` brings the pictures")
    if seen.group_by:
        lines.append(f"{seen.grouped}: each stays in one fold; data.group_by says otherwise")
    if seen.test:
        what = f"the {seen.listed:,} images in {seen.test}, called a test, are" if seen.listed else f"{seen.test} is"
        why, which = ("", "them") if seen.listed else (", by its name", "it")
        lines.append(f"{what} kept apart{why}: no fold trains or validates on {which}; data.test says otherwise")
    elif (line := line_for_split(folder, folder / seen.path)) is not None:
        lines.append(line)
    if seen.beside:
        lines.append(f"{', '.join(seen.beside)} beside it: parts of the data set that are not trained on")
    if seen.exclude:
        lines.append(f"{', '.join(seen.exclude)} left out, by data.exclude in the settings")
    if seen.masks:
        lines.append(f"{seen.masks:,} masks of other images left out; data.masks: train takes them")
    if seen.candidate:
        first, second = (path.rpartition("/")[2] for path in seen.candidate.images)
        lines.append(
            f"do {first} and {second} belong together? Then data.group_by, which stands in the settings as a comment, "
            "keeps such images in one fold"
        )
    return lines


def _linked(folder: Path) -> list[str]:
    links = linked_in(folder)
    way = "put what they lead to in their place, or set data.path to the folder it lies in"
    return [f"{some(links)}: links, which are not followed; {way}"] if links else []


def _only_folder(folder: Path) -> str:
    """The one folder of all pictures here, whose classes nothing says or which are not read yet; empty without one."""
    tops = {path.partition("/")[0] if "/" in path else "" for path in pictures_in(folder)}
    return tops.pop() if len(tops) == 1 else ""


def _without_class(folder: Path) -> list[str]:
    there = unlabelled_in(folder)
    if not there:
        return []
    ways = "class folders, or a table with a row an image (data.labels), or a pattern of names (data.label_by)"
    lines = [f"images whose class nothing says: {phrase_counts(there)}; what can say it: {ways}"]
    if len(there) == 1 and (line := line_for_arrays(folder, *there)) is not None:
        lines.append(line)
    lines += [
        f"not used: {'' if Path(name).name in error.what else f'{name}: '}{error.what}; {error.next_step}"
        for name, error in tables_unused(folder)
    ]
    return lines


def _is_ours(file: Path) -> bool:
    """Whether a params.yaml has our shape, be it with mistakes: our version, or only sections that we know."""
    try:
        content = parse(read_text(file, most_bytes=SETTINGS_BYTES), name=file.name).value
    except (SettingsError, DamagedFile):
        return False
    sections = {key.partition(".")[0] for key in leaf_keys(Settings)} | {"experiments"}
    if not isinstance(content, Mapping) or not content:
        return False
    return set(content) <= sections and bool({"version", "experiments"} & set(content))


def _git(folder: Path) -> list[str]:
    if any((path / ".git").exists() for path in (folder, *folder.parents)):
        return []
    if git_command.program() is None:
        return ["git is not installed: runs will not know which code they were made with; install it, then init again"]
    done = git_command.git(folder, "init", "--quiet")
    if not done.is_yes:
        return [f"git init failed: {done.said.strip()}; fix that, then init again"]
    return ["made a git repository", *_identity(folder)]


def _identity(folder: Path) -> list[str]:
    """What to tell git before the first commit."""
    if git_command.git(folder, "var", "GIT_AUTHOR_IDENT").is_yes:
        return []
    fix = "`git config --global user.name NAME` and `git config --global user.email ADDRESS`"
    return [f"git does not know who you are, and will not commit: {fix}"]


def _dvc(folder: Path) -> list[str]:
    if dvc.has_repository(folder):
        return []
    try:
        dvc.init(folder)
    except FoldproofError as error:
        return [f"{error.what}: the images will not be versioned; fix that, then `foldproof init` again"]
    return ["made a DVC repository"]


def _pipeline(folder: Path, settings_file: Path) -> list[str]:
    """A dvc.yaml with the training as a stage, where DVC is at work and has none; runs/ is no output of it."""
    file = folder / "dvc.yaml"
    if file.exists() or not dvc.has_repository(folder):
        return []
    indent = " " * 6
    if settings_file.name == SETTINGS_FILES[0]:
        sections = f"{indent}- {settings_file.name}:\n" + "\n".join(f"{indent}    - {name}" for name in _SECTIONS)
    else:
        sections = "\n".join(f"{indent}- {name}" for name in _SECTIONS)
    write_atomically(file, _PIPELINE.format(data=_data_of(settings_file), params=sections))
    return ["wrote dvc.yaml: `dvc repro` and `dvc exp run` train too"]


def _data_of(settings_file: Path) -> str:
    """The folder of images as dvc.yaml names it: by the setting where it can, so that both change together.

    DVC reads params.yaml by itself; of another file it would take over all names, which params.yaml may have too.
    """
    try:
        written = parse(read_text(settings_file, most_bytes=SETTINGS_BYTES), name=settings_file.name).value
        named = load_settings(settings_file).settings.data.path
    except FoldproofError:
        written, named = None, DataSettings().path
    data = written.get("data") if isinstance(written, Mapping) else None
    follows = settings_file.name != SETTINGS_FILES[0] and isinstance(data, Mapping) and "path" in data
    return _FOLLOWED if follows else scalar(named)


def _ignore(file: Path) -> list[str]:
    """Append what is missing, in the file's own line ends; never through a link, which may lead to any file."""
    if file.is_symlink():
        return [f"{file.name} is a link and stays as it is: add {', '.join(IGNORED)} where git looks for it"]
    content = file.read_bytes() if file.exists() else b""
    present = {line.strip().strip("/") for line in content.decode(errors="replace").splitlines()}
    missing = [line for line in IGNORED if line.strip("/") not in present]
    if not missing:
        return []
    end = "\r\n" if b"\r\n" in content else "\n"
    start = end if content and not content.endswith(b"\n") else ""
    with file.open("ab") as appended:
        appended.write((start + "".join(line + end for line in missing)).encode())
    return ["added what runs write to .gitignore"]
