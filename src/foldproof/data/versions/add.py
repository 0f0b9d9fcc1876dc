"""Version a folder of images with DVC: exactly the files that would be trained on."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.data.links import leads_to_cache
from foldproof.data.pointers import pointers_among
from foldproof.data.readers import suffixes
from foldproof.data.scan import hash_files
from foldproof.data.unread import why_unread
from foldproof.data.versions import dvc, listing, placing, unfinished
from foldproof.data.versions.astray import refuse_astray
from foldproof.data.versions.lists import Files
from foldproof.data.versions.opening import holding, opened
from foldproof.data.versions.placing import CachedObjects
from foldproof.data.versions.unfinished import Note, Waiting
from foldproof.data.versions.versioned import compare, count_of
from foldproof.data.walk import FolderEntry, Kind, some, walk
from foldproof.errors import DataError
from foldproof.storage import Md5, RelativePath

TRIES = 2  # the first may show that DVC's cache or its memory of hashes is not right


@dataclass(frozen=True, kw_only=True)
class Added:
    """`written`: what git should know now. `restored`: files that an `add` which was cut off had taken out."""

    written: tuple[Path, ...]
    restored: tuple[str, ...] = ()


def add(folder: Path, *, waiting: Waiting | None = None) -> Added:
    """Version `folder`, and compare what DVC recorded with what is there, file by file.

    Raises DataError for what DVC would version differently from what would be trained: links, which DVC follows and
    training does not, pipes, names that are not UTF-8, images that a `.dvcignore` leaves out; where DVC's record has
    another content for a file; and for a folder behind a link that git tracks and that leads out of the repository. An
    `add` that was cut off is completed.
    """
    root = unfinished.root_of(folder)
    if root is None:
        return Added(written=dvc.add(folder))  # which says that there is no repository
    refuse_astray(root, folder)
    name = unfinished.relative(root, folder)
    with unfinished.alone(root, waiting):
        restored = _heal(root, folder, name)
        files = _checked(folder)
        md5 = _hashes(folder, files)
        unfinished.write(root, Note(kind="add", folder=name, files=md5))
        written = _add(folder, files)
        unfinished.erase(root, "add", name)
    return Added(written=written, restored=restored)


def _add(folder: Path, files: tuple[str, ...]) -> tuple[Path, ...]:
    """Let DVC version the folder, and again where its memory of hashes or its cache proved wrong."""
    wrong: tuple[str, ...] = ()
    for _ in range(TRIES):
        written = dvc.add(folder)
        md5 = _hashes(folder, files)
        wrong = _unlike(folder, md5)
        if not wrong:
            return written
        dvc.remember(folder, {path: value for path, value in md5.items() if path in wrong})
    raise DataError(
        f"DVC did not record what is there: {count_of(wrong)} ({some(wrong)})",
        next_step="add it again when nothing else writes there; `dvc diff` shows what DVC took it for",
    )


def _unlike(folder: Path, md5: Files) -> tuple[str, ...]:
    """Files that DVC recorded otherwise, or whose object in its cache is damaged: such an object is removed."""
    with opened(folder, f"cannot check what was versioned of {folder}") as repository:
        listing.drop_damaged_lists(listing.outputs_of(repository, folder))
    known = dvc.recorded(folder)
    if known is None or known.files is None:
        return tuple(sorted(md5))
    difference = compare(known.files, md5)
    images = set(_images(folder, difference.extra))
    damaged: set[str] = set()
    with opened(folder, f"cannot check what was versioned of {folder}") as repository:
        shelf = _shelf(repository)
        for path, oid in known.files.items():
            if not shelf.holds(oid):
                if path in md5:
                    placing.detach(
                        path.below(folder)
                    )  # a link to the object is all there is of an edit made through it
                shelf.remove(oid)
                damaged.add(path)
    return tuple(sorted({*difference.changed, *difference.missing, *images, *damaged}))


def _checked(folder: Path) -> tuple[str, ...]:
    """The files of the folder. Raises DataError for what DVC would take for something else than we do."""
    caches = dvc.cache_folders(folder)
    entries = walk(folder)
    followed = [
        entry.path
        for entry in entries
        if entry.kind is Kind.FOLDER_LINK
        or (entry.kind is Kind.LINK and not leads_to_cache(folder / entry.path, caches))
    ]
    strange = [entry.path for entry in entries if entry.kind in (Kind.SPECIAL, Kind.BROKEN_LINK)]
    unnamed = [entry.path for entry in entries if entry.kind is Kind.NOT_UTF8]
    if unnamed:
        raise DataError(
            f"names that are not UTF-8: {some(unnamed)}", next_step="rename: neither DVC nor a record can hold them"
        )
    if strange:
        raise DataError(
            f"pipes, sockets, devices or broken links: {some(strange)}", next_step="take them out of the folder"
        )
    if followed:
        raise DataError(
            f"links, which DVC would follow and training does not: {some(followed)}",
            next_step="put what they lead to in their place, or take them out of the folder",
        )
    files = tuple(entry.path for entry in entries if entry.kind in (Kind.FILE, Kind.LINK))
    images = _images(folder, files)
    if pointers := pointers_among(folder, images):
        raise DataError(
            f"pointers of git-lfs where pictures would be: {count_of(pointers)} ({some(pointers)})",
            next_step="`git lfs install` and `git lfs pull` bring them; then try again",
        )
    ignored = dvc.ignored(folder, images)
    if ignored:
        raise DataError(
            f"{count_of(ignored)} that would be trained and not versioned: .dvcignore leaves out {some(ignored)}",
            next_step="take the line out of .dvcignore, or the images out of the folder",
        )
    return files


def _heal(root: Path, folder: Path, name: str) -> tuple[str, ...]:
    """Undo what an `add` that was cut off has left: temporary files, a `.dvc` file half written, files taken out.

    DVC replaces files by links into its cache after it has copied them there, each by removing it first.
    """
    note = unfinished.read(root, "add", name)
    if not folder.is_dir():
        return ()
    record = folder.with_name(f"{folder.name}.dvc")
    if note is not None and record.is_file() and not record.is_symlink() and not record.read_bytes().strip():
        record.unlink()
    with opened(folder, f"cannot version {folder}") as repository, holding(repository):
        shelf = _shelf(repository)
        placing.sweep(folder, but=note.files if note else {})
        there = placing.look(folder, shelf)
        if note is None:
            return ()
        taken = {
            path: oid
            for path, oid in note.files.items()
            if path not in there.md5 and path not in there.others and shelf.holds(oid)
        }
        placing.put(folder, taken, shelf, seen={})
    return tuple(sorted(taken))


def _shelf(repository: Any) -> CachedObjects:
    cache = repository.cache.local
    return CachedObjects(cache, legacy=False, links=(Path(cache.path),))


def _hashes(folder: Path, files: tuple[str, ...]) -> Files:
    found = hash_files(folder, files).items()
    return {RelativePath.parse(path): Md5.parse(hashes.md5) for path, hashes in found}


def _images(folder: Path, paths: Iterable[str]) -> list[str]:
    """Those that a reader would be asked for: neither hidden nor of another format."""
    known = suffixes()
    there = [path for path in paths if not FolderEntry(path, Kind.FILE).hidden]
    return [path for path in there if why_unread(folder / path, known) is None]
