"""Scan an image folder into a `Dataset`, labelled by rules, and report every file not used with its reason."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

from foldproof.data.dataset import Dataset, Sample
from foldproof.data.depths import odd_by_heads
from foldproof.data.dicom import may_be_dicom, patient_of
from foldproof.data.examine import ExaminedPicture, Hashes, Trouble, examine_file
from foldproof.data.exclusions import Exclusion, Exclusions
from foldproof.data.index import FileIndex
from foldproof.data.labels.describe import describe
from foldproof.data.labels.names import nearest_names
from foldproof.data.labels.said import IN_NO_FOLDER, UNLABELLED, ImageLabel, Labelling, Rules
from foldproof.data.links import leads_to_cache, refuse_linked_images
from foldproof.data.patterns import left_out
from foldproof.data.readers import suffix_of, suffixes
from foldproof.data.survey import Survey, Surveyed, survey
from foldproof.data.unread import Unread, counted, why_unread
from foldproof.data.walk import FolderEntry, Kind, some, walk
from foldproof.errors import DataError

THREADS = 8  # more than cores: a folder may lie on a network drive
CHUNK = 64  # files a thread takes at once

Choice: TypeAlias = Callable[[Mapping[str, str]], Sequence[str]]


@dataclass(frozen=True)
class Ignored:
    """A file or folder that is not part of the dataset, and why. `code` is that of the finding it amounts to."""

    path: str
    reason: str
    code: str = field(default="ignored", compare=False)


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What is in an image folder.

    `dataset`: the images that can be trained on. `md5` and `sha256`: of every regular file that could be read, image or
    not, hidden or not, by path; DVC records the first. `pictures`: of the images of the dataset and of `held_out`, by
    path. `troubles`: of files that were to be read, by path. `excluded`: images that the committed list leaves out;
    they have no trouble. `held_out`: images that are kept apart by rules of labelling, where these say their labels.
    `described`: what was said of the images, trained on or not. `passed_over`: how many images were not chosen, and so
    not read.
    """

    dataset: Dataset
    md5: Mapping[str, str]
    ignored: tuple[Ignored, ...]
    pictures: Mapping[str, ExaminedPicture]
    troubles: Mapping[str, Trouble]
    sha256: Mapping[str, str]
    excluded: tuple[tuple[str, Exclusion], ...]
    held_out: Dataset
    described: Labelling
    passed_over: int = 0


def scan(
    folder: Path,
    *,
    rules: Rules | None = None,
    cache_dirs: tuple[Path, ...] = (),
    excluded: Exclusions | None = None,
    how: Survey | None = None,
    choose: Choice | None = None,
) -> Scan:
    """The images in `folder`, a class a subfolder unless `rules` say otherwise. Each file is read once, and not at all
    where the index of `how` knows it; without `how` everything is read and nothing remembered.

    A link to a file is followed only into a DVC cache (`.dvc/cache`, or one of `cache_dirs`), a link to a folder never:
    where images may stand behind one, that is refused. `choose` makes of the labels of all images, by path, those that
    are looked at; then no other file is read at all.
    Raises DataError where there is nothing to train on, and where the rules do not fit what is there.
    """
    rules = rules or Rules()
    entries = walk(folder)
    files = [entry.path for entry in entries if entry.kind is Kind.FILE] + _cached(folder, entries, cache_dirs)
    unread = _unread(folder, entries, frozenset(files))
    reasons = _reasons(entries, frozenset(files), unread)
    if rules.table is None:
        refuse_linked_images(folder, entries, frozenset(files), exclude=rules.exclude)
    described = describe([path for path in files if path not in reasons], folder, rules)
    if described.lacking or not described.said:
        refuse_linked_images(folder, entries, frozenset(files), exclude=rules.exclude)
    links = [entry.path for entry in entries if entry.kind in (Kind.LINK, Kind.FOLDER_LINK)]
    apart = left_out(links, rules.exclude)
    described = replace(described, idle=tuple(one for one in described.idle if one not in apart.values()))
    reasons.update(described.left)
    images = [path for path in files if path not in reasons]
    if not described.said:
        raise _nothing(folder, entries, described, rules, unread)
    there, held = len(described.said), list(described.held_out)
    if choose is not None:
        images = files = list(choose({path: one.label for path, one in described.said.items()}))
        described = replace(described, said={path: described.said[path] for path in images}, held_out={})
    described = _with_patients(described, folder, rules)
    if how is not None and how.odd is not None and not described.said.keys() <= how.index.stored().keys():
        how.odd(odd_by_heads(folder, sorted(described.said)))
    found = _survey(folder, files, images, how)
    out = _excluded(described.said, found, excluded or {})
    dataset = _dataset({path: said for path, said in described.said.items() if path not in out}, found)
    held_out = _dataset({path: said for path, said in described.held_out.items() if said.label}, found)
    return Scan(
        dataset=dataset,
        md5={path: hashes.md5 for path, hashes in found.hashes.items()},
        ignored=_reported(
            [entry for entry in entries if entry.path not in apart],
            reasons,
            described,
            [*images, *held],
            rules,
            unread,
        ),
        pictures={sample.path: found.pictures[sample.path] for sample in (*dataset.samples, *held_out.samples)},
        troubles={path: trouble for path, trouble in sorted(found.troubles.items()) if path not in out},
        sha256={path: hashes.sha256 for path, hashes in found.hashes.items()},
        excluded=tuple(sorted(out.items())),
        held_out=held_out,
        described=described,
        passed_over=there - len(described.said),
    )


def _with_patients(described: Labelling, folder: Path, rules: Rules) -> Labelling:
    """Where nothing else says groups, images of one patient are one, by the heads of their DICOM files."""
    everything = {**described.said, **described.held_out}
    files = [path for path in everything if may_be_dicom(path)]
    if not files or rules.group_by is not None or any(one.group for one in everything.values()):
        return described
    patients = {path: patient for path in files if (patient := patient_of(folder / path))}
    if not patients:
        return described
    note = (
        f"{len(set(patients.values())):,} patients by the PatientID of {len(patients):,} DICOM files: each stays in"
        " one fold; data.group_by says otherwise"
    )
    return replace(
        described,
        said={path: one._replace(group=patients.get(path, "")) for path, one in described.said.items()},
        held_out={path: one._replace(group=patients.get(path, "")) for path, one in described.held_out.items()},
        notes=(*described.notes, note),
    )


def _dataset(said: Mapping[str, ImageLabel], found: Surveyed) -> Dataset:
    return Dataset.of(
        [
            Sample(found.hashes[path].sha256, one.label, path, one.group)
            for path, one in said.items()
            if path not in found.troubles
        ]
    )


def _survey(folder: Path, files: Sequence[str], images: Sequence[str], how: Survey | None) -> Surveyed:
    if how is not None:
        return survey(folder, files, images, how)
    with FileIndex(None) as index:
        return survey(folder, files, images, Survey(index=index))


def _excluded(said: Mapping[str, ImageLabel], found: Surveyed, excluded: Exclusions) -> dict[str, Exclusion]:
    """Images that the list names by their content and class. A file that is no longer what it was is not left out."""
    return {
        path: excluded[key]
        for path, one in said.items()
        if path in found.hashes and (key := (found.hashes[path].sha256, one.label)) in excluded
    }


def _cached(folder: Path, entries: Sequence[FolderEntry], cache_dirs: Sequence[Path]) -> list[str]:
    """Links to files of a DVC cache: what `cache.type symlink` makes of every image."""
    links = (entry.path for entry in entries if entry.kind is Kind.LINK)
    return [path for path in links if leads_to_cache(folder / path, cache_dirs)]


def _unread(folder: Path, entries: Sequence[FolderEntry], files: frozenset[str]) -> Mapping[str, Unread]:
    """Files that are no images which can be read, by path."""
    known = suffixes()
    doubtful = (entry for entry in entries if suffix_of(entry.path) not in known)
    there = (entry.path for entry in doubtful if entry.path in files and not entry.hidden)
    return {path: why for path in there if (why := why_unread(folder / path, known)) is not None}


def _reasons(entries: Sequence[FolderEntry], files: frozenset[str], unread: Mapping[str, Unread]) -> dict[str, str]:
    """Why an entry is no image of the dataset; folders on the way to images, and images, are not in it."""
    reasons: dict[str, str] = {}
    for entry in entries:
        if reason := _reason(entry, read=entry.path in files, unread=unread.get(entry.path)):
            reasons[entry.path] = reason
    return reasons


def _reason(entry: FolderEntry, *, read: bool, unread: Unread | None) -> str:
    if entry.hidden:
        return "hidden"
    if entry.kind is Kind.FOLDER:
        return ""
    if not read:
        return str(entry.kind)
    return unread.reason if unread else ""


def _reported(
    entries: Sequence[FolderEntry],
    reasons: Mapping[str, str],
    described: Labelling,
    images: Sequence[str],
    rules: Rules,
    unread: Mapping[str, Unread],
) -> tuple[Ignored, ...]:
    """A hidden folder stands for all that is in it, as does a class folder without images.

    What the rules leave out on purpose is no finding; what they say nothing of is one. Pictures that are not read are
    one for each format, what a system left is one for each kind of it.
    """
    on_purpose = {path for path, why in described.left.items() if why not in (IN_NO_FOLDER, UNLABELLED)}
    ignored = [
        Ignored(entry.path, reasons[entry.path], _code(entry, reasons[entry.path]))
        for entry in entries
        if entry.path in reasons
        and entry.path not in on_purpose
        and not entry.furniture
        and not (entry.path in unread and unread[entry.path].format)
        and not any(part.startswith(".") for part in entry.parts[:-1])
    ]
    tops = {path.partition("/")[0] for path in (*images, *on_purpose)}
    empty = [
        Ignored(entry.path, "a class folder without images")
        for entry in entries
        if entry.kind is Kind.FOLDER and "/" not in entry.path and not entry.hidden and entry.path not in tops
    ]
    found = [*ignored, *_furniture(entries), *_formats(unread), *(empty if rules.table is None else [])]
    return tuple(sorted(found, key=lambda item: item.path))


def _furniture(entries: Sequence[FolderEntry]) -> Iterator[Ignored]:
    """Each kind of what systems and editors left, once, where only one place has it by its path."""
    places: defaultdict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for entry in entries:
        if (name := entry.furniture) is not None:
            parts = entry.parts
            at = "/".join(parts[: parts.index(name) + 1]) if name in parts else entry.path
            places[name][at] += entry.kind is not Kind.FOLDER
    for name, counts in places.items():
        files = sum(counts.values())
        where = f" in {len(counts):,} places" if len(counts) > 1 else ""
        subject = name if len(counts) > 1 else next(iter(counts))
        yield Ignored(subject, f"{files:,} file{'s' if files != 1 else ''}{where}", "editor-checkpoint")


def _formats(unread: Mapping[str, Unread]) -> Iterator[Ignored]:
    """Each format of pictures that are not read, once."""
    for suffix, (count, why, example) in counted(unread).items():
        yield Ignored(example, f"{count:,} {suffix or 'without suffix'}: {why.reason}", "not-read")


def _code(entry: FolderEntry, reason: str) -> str:
    """Of the finding that an entry without a use amounts to."""
    if reason == UNLABELLED:
        return "unlabelled"
    match entry.kind:
        case Kind.NOT_UTF8:
            return "name-not-utf8"
        case Kind.SPECIAL | Kind.BROKEN_LINK:
            return "not-a-file"
        case Kind.LINK | Kind.FOLDER_LINK:
            return "link"
    return "ignored"


def _nothing(
    folder: Path, entries: Sequence[FolderEntry], described: Labelling, rules: Rules, unread: Mapping[str, Unread]
) -> DataError:
    if not entries:
        return DataError(
            f"no images in {folder}: it is empty",
            next_step="`foldproof data pull` fetches versioned images, `foldproof data add PATH` versions new ones",
        )
    if rules.table is not None and described.lacking:
        nearest = nearest_names(described.lacking[0], [entry.path for entry in entries if entry.kind is Kind.FILE])
        return DataError(
            f"none of the {len(described.lacking):,} images of {rules.table.name} is in {folder}, such as "
            f"{described.lacking[0]}",
            next_step=f"fix data.path, or the paths in the table; nearest in the folder: {', '.join(nearest)}",
        )
    on_purpose = [why for why in described.left.values() if why != IN_NO_FOLDER]
    if on_purpose or described.held_out:
        why = next(iter(on_purpose), "held out")
        return DataError(
            f"no image in {folder} is left to train on: {len(on_purpose) + len(described.held_out)} are {why}",
            next_step="fix data.labels, data.label_by, data.classes or data.test; or one folder a class",
        )
    if formats := counted({path: why for path, why in unread.items() if why.format}):
        often = sorted(formats.items(), key=lambda item: -item[1][0])
        named = [f"{count:,} {suffix or 'without suffix'} ({why.format})" for suffix, (count, why, _) in often]
        return DataError(f"no images in {folder} that can be read: {some(named)}", next_step=often[0][1][1].way)
    name = folder.resolve().name
    return DataError(
        f"no images in {folder}: expected a folder for each class, with images in it",
        next_step=f"for instance {name}/cat/1.jpg; files that count end in {', '.join(sorted(suffixes()))}.\n"
        "  Where a spreadsheet says the classes: data.labels names it, as CSV",
    )


def hash_files(folder: Path, paths: Sequence[str]) -> Mapping[str, Hashes]:
    """Both hashes of each file, by its path relative to `folder`. Raises DataError for one that cannot be read."""
    chunks = [paths[start : start + CHUNK] for start in range(0, len(paths), CHUNK)]
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(lambda chunk: {path: hash_file(folder / path) for path in chunk}, chunks)
        return {path: hashes for some in found for path, hashes in some.items()}


def hash_file(path: Path) -> Hashes:
    """Both hashes of one file. Raises DataError where it cannot be read."""
    examined = examine_file(path)
    if examined.trouble is not None or examined.hashes is None:
        said = examined.trouble.text if examined.trouble else "cannot be read"
        raise DataError(f"{path} {said}", next_step="fix its permissions, or try again")
    return examined.hashes
