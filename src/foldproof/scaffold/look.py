"""A folder in; where its images are, how they are labelled and how large they are, out. Decodes nothing."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import PIL.Image

from foldproof.data.furniture import is_furniture
from foldproof.data.labels.parts import Part, are_parts, part_of, parts_of
from foldproof.data.pointers import pointers_among
from foldproof.data.readers import suffix_of, suffixes
from foldproof.data.unread import counted, why_unread
from foldproof.data.walk import Kind, walk
from foldproof.errors import DamagedFile, FoldproofError, OtherTask
from foldproof.scaffold.by_folders import by_folders, by_names
from foldproof.scaffold.by_table import by_table
from foldproof.scaffold.other_tasks import refuse_other_tasks
from foldproof.scaffold.seen import Look
from foldproof.storage import read_file
from foldproof.storage.limits import DVC_FILE_BYTES

LIKELY = ("data/train", "train", "data", "images", "photos", "dataset")
NOT_DATA = frozenset({"runs", "mlruns", "mlartifacts", "venv", "node_modules", "__pycache__", "report_files", "plots"})
_SAMPLED = 200  # images whose size is read


def look(folder: Path) -> Look | None:
    """The images of a project in `folder`; None where there are none yet.

    Raises OtherTask where nothing but a table or a layout for another task says what they are.
    """
    everything: list[str] = []
    for path in _candidates(folder):
        below = list(_images(folder / path)) if (folder / path).is_dir() else []
        everything += [f"{path}/{one}" for one in below]
        seen = _labelled(folder, path, below)
        if seen is not None:
            others = {name: count for name, count in _others(folder, path) if seen.table and count}
            return replace(
                _with_parts_beside(seen, folder),
                sizes=tuple(_sizes(folder / path, below)),
                left_alone={**seen.left_alone, **others},
            )
        if Path(f"{folder / path}.dvc").is_file():
            return Look(path=path)
    _refuse_other_tasks(folder, everything)
    return None


def _with_parts_beside(seen: Look, folder: Path) -> Look:
    """Where the images are the training part, a test beside them is kept apart; other parts are only named."""
    if part_of(seen.path) is not Part.TRAINING or seen.table or seen.test:
        return seen
    parts = parts_of({path.name for path in folder.glob("*/") if _may_hold_data(path)})
    labelled = {name for name in parts if name != seen.path and _classes_in(folder / name) & seen.count_by_class.keys()}
    test = next((name for name in sorted(labelled) if parts[name] is Part.TESTING), None)
    return replace(seen, test=test, beside=tuple(name for name in parts if name not in (seen.path, test)))


def _classes_in(folder: Path) -> set[str]:
    return {path.partition("/")[0] for path in _images(folder) if "/" in path}


def look_at(folder: Path) -> Look | None:
    """How the images directly in and below `folder` are labelled; its path is ".". Raises OtherTask, as `look`."""
    below = list(_images(folder))
    seen = _labelled(folder, ".", below)
    if seen is None:
        _refuse_other_tasks(folder, below)
    return seen


def _others(folder: Path, path: str) -> Iterator[tuple[str, int]]:
    """The folders beside that of the images, such as that of a test set, and how many images are in each."""
    if path == ".":
        return
    for other in sorted(one for one in folder.glob("*/") if _may_hold_data(one)):
        if not f"{path}/".startswith(f"{other.name}/"):
            yield other.name, len(list(_images(other)))


def _labelled(folder: Path, path: str, below: Sequence[str]) -> Look | None:
    """By a table, by folders or by names, whichever says it first."""
    with suppress(OtherTask):
        if (seen := by_table(folder, path, below)) is not None:
            return seen
    return by_folders(path, below) or by_names(path, below)


def _refuse_other_tasks(folder: Path, images: Sequence[str]) -> None:
    if images:
        by_table(folder, ".", images)
        refuse_other_tasks(folder, images, _own_files(folder))


def unlabelled_in(folder: Path) -> Mapping[str, int]:
    """Images below `folder`, whose classes nothing may say, by the folder that they lie in."""
    paths = [path for path in _images(folder) if path.partition("/")[0] not in NOT_DATA]
    return Counter(path.partition("/")[0] if "/" in path else "this folder" for path in paths)


def pointers_in(folder: Path) -> int:
    """How many images below `folder` are pointers of git-lfs."""
    return len(pointers_among(folder, _images(folder)))


def unread_in(folder: Path) -> tuple[str, ...]:
    """Pictures below `folder` that are of a format that is not read: their number, and what to do."""
    known, files = suffixes(), _own_files(folder)
    found = counted({path: why for path in files if (why := why_unread(folder / path, known)) is not None})
    return tuple(
        f"{count:,} {suffix or 'without suffix'} ({why.format}); {why.way}" for suffix, (count, why, _) in found.items()
    )


def _own_files(folder: Path) -> list[str]:
    """Every file below, but for hidden ones and what tools keep there."""
    with suppress(FoldproofError):
        own = (entry for entry in walk(folder) if entry.kind is Kind.FILE and not entry.hidden)
        return [entry.path for entry in own if entry.parts[0] not in NOT_DATA]
    return []


def is_images_itself(folder: Path) -> bool:
    """Whether the class folders lie directly in `folder`, which then is no place for a project.

    Not where a table there labels the images: such folders are parts of a set, as those of a competition.
    """
    found = {path.name for path in folder.glob("*/") if _may_hold_data(path) and _holds_images(path.glob("*.*"))}
    is_project = any((folder / name).exists() for name in (".git", ".dvc"))
    return len(found) > 1 and not is_project and not _is_labelled_by_table(folder)


def _is_labelled_by_table(folder: Path) -> bool:
    try:
        return by_table(folder, ".", list(_images(folder))) is not None
    except OtherTask:
        return True


def _candidates(folder: Path) -> Iterator[str]:
    below = sorted(path for path in folder.glob("*/") if _may_hold_data(path))
    deeper = sorted(path for parent in below for path in parent.glob("*/") if _may_hold_data(path))
    versioned = sorted(path.with_suffix("") for path in folder.glob("*.dvc") if _records_a_folder(path))
    whole = [path for path in below if are_parts({part.name for part in path.glob("*/")})]
    likely = [folder / name for name in LIKELY]
    parts = parts_of({path.name for path in below})
    trained = [path for path in below if parts.get(path.name) is Part.TRAINING]
    held = {path for path in below if parts.get(path.name, Part.TRAINING) is not Part.TRAINING} if trained else set()
    ordered = [path for path in (*whole, *likely, *trained, *below, *deeper, *versioned) if path not in held]
    for path in dict.fromkeys([*ordered, *held]):
        if path.is_dir() or Path(f"{path}.dvc").is_file():
            yield path.relative_to(folder).as_posix()


def _records_a_folder(file: Path) -> bool:
    """Whether a `.dvc` file is of a folder and not of a file: DVC ends the hash of one with `.dir`."""
    try:
        content = read_file(file, most_bytes=DVC_FILE_BYTES)
    except (OSError, DamagedFile):
        return False
    return bool(re.search(rb"^\W*md5:\s*[0-9a-f]{32}\.dir\s*$", content, re.MULTILINE))


def _may_hold_data(path: Path) -> bool:
    is_own = not path.name.startswith(".") and not is_furniture(path.name)
    return is_own and path.name not in NOT_DATA and not path.is_symlink()


def _holds_images(files: Iterable[Path]) -> bool:
    known = suffixes()
    return any(suffix_of(file.name) in known for file in files)


def _images(folder: Path) -> Iterator[str]:
    known = suffixes()
    with suppress(FoldproofError):
        for entry in walk(folder):
            is_file = entry.kind in (Kind.FILE, Kind.LINK) and not entry.hidden
            if is_file and why_unread(folder / entry.path, known) is None:
                yield entry.path


def _sizes(folder: Path, below: Sequence[str]) -> Iterator[tuple[int, int]]:
    step = max(1, len(below) // _SAMPLED)
    for path in below[::step][:_SAMPLED]:
        with suppress(Exception), PIL.Image.open(folder / path) as picture:  # a bad file is the check's to name
            yield picture.size
