"""Look at a folder: where its images are, how they are labelled, how large they are. Decodes nothing."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shlex import quote

import PIL.Image

from foldproof.data.furniture import is_furniture
from foldproof.data.labels.masks import masks_among
from foldproof.data.labels.parts import Part, are_parts, original_among, part_of, parts_of
from foldproof.data.labels.variants import told, variants_in
from foldproof.data.labels.wrapping import around_all, strip_wrapping, wrapping
from foldproof.data.links import linked_images
from foldproof.data.pointers import pointers_among
from foldproof.data.readers import suffix_of, suffixes
from foldproof.data.unread import counted, why_unread
from foldproof.data.walk import Kind, walk
from foldproof.errors import DamagedFile, DataError, FoldproofError, OtherTask, TablesOfParts, UnclearTable
from foldproof.scaffold.by_folders import guess_by_folders, guess_by_names
from foldproof.scaffold.by_table import groups_unused, guess_by_table, refuse_groups, why_unused
from foldproof.scaffold.listed_tests import add_listed_test
from foldproof.scaffold.other_tasks import are_outlines, refuse_other_tasks
from foldproof.scaffold.pixel_tables import pixel_table_in
from foldproof.scaffold.seen import FolderLook, phrase_counts
from foldproof.storage import read_file
from foldproof.storage.limits import DVC_FILE_BYTES

LIKELY = ("data/train", "train", "data", "images", "photos", "dataset")
NOT_DATA = frozenset({"runs", "mlruns", "mlartifacts", "venv", "node_modules", "__pycache__", "report_files", "plots"})
_SAMPLED = 200  # images whose size is read


def look(folder: Path, *, label: str = "") -> FolderLook | None:
    """The images of a project in `folder`; None where there are none yet. `label`: the column of a table that says it.

    Raises OtherTask or UnclearTable where nothing but a layout for another task or a table that is not clear says what
    they are, and DataError where no table has the column `label`, or one labels images of several folders.
    """
    unsaid: dict[str, list[str]] = {}
    for path in _candidates(folder):
        below = list(_images(folder / path)) if (folder / path).is_dir() else []
        unsaid[path] = below
        seen = _labelled(folder, path, below, label)
        if seen is not None:
            _refuse_a_part(folder, seen, label)
            others = {name: count for name, count in _others(folder, path) if seen.table and count}
            seen = _with_listed_test(seen, folder, path, below)
            return replace(
                _with_parts_beside(seen, folder),
                sizes=tuple(_sizes(folder / path, below)),
                left_alone={**seen.left_alone, **others},
            )
        if Path(f"{folder / path}.dvc").is_file():
            return FolderLook(path=path)
    for path, below in unsaid.items():
        _refuse_table(folder, path, below, label)
    _refuse(folder, [f"{path}/{one}" for path, below in unsaid.items() for one in below], label)
    return None


def _refuse_table(folder: Path, path: str, below: Sequence[str], label: str) -> None:
    """Raises what stands against a table that lies in the folder at `path` or beside it."""
    if below and not label:
        guess_by_table(folder, path, below)


def _refuse_a_part(folder: Path, seen: FolderLook, label: str) -> None:
    """Raises DataError where the table of these images labels others too, in folders beside theirs."""
    everything = list(_images(folder)) if seen.table and "/" not in seen.path else []
    whole = None
    with suppress(DataError):
        whole = guess_by_table(folder, ".", everything, label) if everything else None
    if whole is None or whole.table != seen.table or whole.images <= seen.images:
        return
    counts = Counter(path.partition("/")[0] for path in everything if "/" in path)
    labelled = {top: count for top, count in counts.items() if count > whole.left_alone.get(top, 0)}
    folders = " ".join(map(quote, labelled))
    raise DataError(
        f"{seen.table} labels images of several folders: {phrase_counts(labelled)}; the images of a project lie in one",
        next_step=f"`mkdir images && mv {folders} images/`, then `foldproof init` again",
    )


def _with_parts_beside(seen: FolderLook, folder: Path) -> FolderLook:
    """Where the images are the training part, a test beside them is kept apart; other parts are only named."""
    own = seen.path.partition("/")[0]
    if part_of(own) is not Part.TRAINING or seen.table or seen.test:
        return seen
    parts = parts_of({path.name for path in folder.glob("*/") if _may_hold_data(path)})
    classes = {name: _classes_in(folder, name) for name in sorted(parts) if name != own}
    tests = (name for name in classes if parts[name] is Part.TESTING and classes[name][1] & seen.count_by_class.keys())
    test = next(tests, None)
    return replace(seen, test=test and classes[test][0], beside=tuple(name for name in classes if name != test))


def _classes_in(folder: Path, name: str) -> tuple[str, set[str]]:
    """The folder in `name` that holds class folders, and their names."""
    images = [path for path in _images(folder / name) if "/" in path]
    wrap = wrapping(images)
    return f"{name}/{wrap}".rstrip("/"), {path.partition("/")[0] for path in strip_wrapping(wrap, images)}


def look_at(folder: Path, *, label: str = "") -> FolderLook | None:
    """How the images directly in and below `folder` are labelled; its path is ".". Raises as `look` does."""
    below = list(_images(folder))
    seen = _labelled(folder, ".", below, label)
    if seen is None:
        _refuse(folder, below, label)
    return seen and _with_listed_test(seen, folder, ".", below)


def _with_listed_test(seen: FolderLook, folder: Path, path: str, below: Sequence[str]) -> FolderLook:
    """`below`: the images in the folder at `path`, in which those of `seen` may lie deeper."""
    return add_listed_test(seen, folder, below if seen.path == path else list(_images(folder / seen.path)))


def look_in(folder: Path, *, label: str = "") -> FolderLook | None:
    """The images in `folder`, as `look_at` sees them, or else as `look` does, for which it is a project around them.

    Raises OtherTask and DataError, as these do.
    """
    tops = {path.partition("/")[0] if "/" in path else "." for path in _images(folder)}
    try:
        seen = None if len(tops - {"."}) == 1 else look_at(folder, label=label)
    except OtherTask:
        if (inside := look(folder, label=label)) is not None:
            return inside
        raise
    return seen or look(folder, label=label) or look_at(folder, label=label)


def _others(folder: Path, path: str) -> Iterator[tuple[str, int]]:
    """The folders beside that of the images, such as that of a test set, and how many images are in each."""
    if path == ".":
        return
    for other in sorted(one for one in folder.glob("*/") if _may_hold_data(one)):
        if not f"{path}/".startswith(f"{other.name}/"):
            yield other.name, len(list(_images(other)))


def _labelled(folder: Path, path: str, below: Sequence[str], label: str) -> FolderLook | None:
    """By a table, by folders or by names, whichever says it first; only by a table where its column is named.

    Of folders, by those in what only wraps them. Raises what stands against a table of the images where only their
    names say a class, or where the folders are its patients.
    """
    refused: DataError | None = None
    try:
        if (seen := _by_table(folder, path, below, label)) is not None:
            return seen
    except DataError as error:
        refused = error
    if label:
        return None
    masks = masks_among(below)
    images = [one for one in below if "/" in one and one not in masks]
    wrap = wrapping(images)
    inside = f"{path}/{wrap}".removeprefix("./") if wrap else path
    classes = strip_wrapping(wrap, images)
    if original_among(classes) is None and (found := variants_in(folder / inside, classes)):
        return FolderLook(path=inside, variants=told(found))
    if (seen := guess_by_folders(inside, strip_wrapping(wrap, below))) is not None:
        refuse_groups(folder, inside, seen.count_by_class, refused)
        return seen if seen.group_by else replace(seen, lost=groups_unused(folder, inside, strip_wrapping(wrap, below)))
    with suppress(DataError):
        for_some = None if isinstance(refused, TablesOfParts) else guess_by_table(folder, path, below, for_some=True)
        if for_some is not None:
            return for_some
    if (seen := guess_by_names(path, below)) is not None and isinstance(refused, OtherTask | UnclearTable):
        raise refused
    return seen


def _by_table(folder: Path, path: str, below: Sequence[str], label: str) -> FolderLook | None:
    """By a table beside the images or in a folder around all of them. Raises DataError, as `guess_by_table` does."""
    refused: list[DataError] = []
    for wrap in ("", *around_all(below)):
        inside = f"{path}/{wrap}".removeprefix("./") if wrap else path
        try:
            if (seen := guess_by_table(folder, inside, strip_wrapping(wrap, below), label)) is not None:
                return seen
        except DataError as error:
            refused.append(error)
    if refused:
        raise next((error for error in refused if isinstance(error, OtherTask | UnclearTable)), refused[0])
    return None


def _refuse(folder: Path, images: Sequence[str], label: str) -> None:
    if not images and (pixels := pixel_table_in(folder)) is not None:
        raise OtherTask(pixels.said, next_step=f"make them, in this folder, then go on:\n  {pixels.way}")
    if images or label:
        _by_table(folder, ".", images, label)
        refuse_other_tasks(folder, images, _own_files(folder))


def tables_unused(folder: Path) -> Sequence[tuple[str, FoldproofError]]:
    """Tables that name the images below `folder`, and why they label none."""
    return list(why_unused(folder, _own_images(folder)))


def _own_images(folder: Path) -> list[str]:
    return [path for path in _images(folder) if path.partition("/")[0] not in NOT_DATA]


def unlabelled_in(folder: Path) -> Mapping[str, int]:
    """Images below `folder`, whose classes nothing may say, by the folder that they lie in."""
    paths = _own_images(folder)
    return Counter(path.partition("/")[0] if "/" in path else "this folder" for path in paths)


def pictures_in(folder: Path) -> Sequence[str]:
    """Pictures below `folder`, be they of a format that is read or not."""
    known = suffixes()
    why = {path: why_unread(folder / path, known) for path in _own_files(folder)}
    return [path for path, unread in why.items() if unread is None or unread.format]


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


def linked_in(folder: Path) -> tuple[str, ...]:
    """Links in the folders of a project that images may stand behind; they are not followed."""
    places = sorted(path for path in folder.glob("*/") if _may_hold_data(path))
    return tuple(f"{place.name}/{link}" for place in places for link in linked_images(place))


def _own_files(folder: Path) -> list[str]:
    """Every file below, but for hidden ones and what tools keep there."""
    with suppress(FoldproofError):
        own = (entry for entry in walk(folder) if entry.kind is Kind.FILE and not entry.hidden)
        return [entry.path for entry in own if entry.parts[0] not in NOT_DATA]
    return []


def is_images_itself(folder: Path) -> bool:
    """Whether the class folders lie directly in `folder`, which then is no place for a project.

    Not where they are parts of a set by their names, or by a table there that labels images, as a competition's.
    """
    found = {path.name for path in folder.glob("*/") if _may_hold_data(path) and _holds_images(path.glob("*.*"))}
    is_project = any((folder / name).exists() for name in (".git", ".dvc"))
    if len(found) < 2 or is_project or are_parts(found):
        return False
    return not are_outlines(list(_images(folder))) and not _is_labelled_by_table(folder)


def _is_labelled_by_table(folder: Path) -> bool:
    try:
        return guess_by_table(folder, ".", list(_images(folder))) is not None
    except DataError:
        return True


def _candidates(folder: Path) -> Iterator[str]:
    below = sorted(path for path in folder.glob("*/") if _may_hold_data(path))
    deeper = sorted(path for parent in below for path in parent.glob("*/") if _may_hold_data(path))
    versioned = sorted(path.with_suffix("") for path in folder.glob("*.dvc") if _records_a_folder(path))
    whole = [path for path in below if are_parts({part.name for part in path.glob("*/")})]
    likely = [folder / name for name in LIKELY]
    parts = parts_of({path.name for path in below})
    trained = [path for path in below if parts.get(path.name) is Part.TRAINING]
    held = {one for around in dict.fromkeys((folder, *below)) for one in _beside_training(around)}
    ordered = [path for path in (*whole, *likely, *trained, *below, *deeper, *versioned) if path not in held]
    for path in dict.fromkeys([*ordered, *sorted(held)]):
        if path.is_dir() or Path(f"{path}.dvc").is_file():
            yield path.relative_to(folder).as_posix()


def _beside_training(folder: Path) -> list[Path]:
    """The folders in one that are parts of a set, where another of them is the training part."""
    parts = parts_of({path.name for path in folder.glob("*/") if _may_hold_data(path)})
    others = [folder / name for name, part in parts.items() if part is not Part.TRAINING]
    return others if len(others) < len(parts) else []


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
