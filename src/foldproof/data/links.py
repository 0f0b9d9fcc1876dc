"""Find links in a folder of images, and refuse them by name.

What a link leads to could be changed, or be anything, without a trace here: it is no image of this folder. Left out
with a warning, a class or a part of one would be missing from the training.
"""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from shlex import quote

from foldproof.data.patterns import left_out
from foldproof.data.readers import suffix_of, suffixes
from foldproof.data.walk import FolderEntry, Kind, some, walk
from foldproof.errors import DataError, FoldproofError


def refuse_linked_images(
    folder: Path, entries: Sequence[FolderEntry], files: frozenset[str], *, exclude: Sequence[str] = ()
) -> None:
    """Raises DataError where images would be missing since a link stands for them. `files`: those that are read."""
    linked = _linked(folder, entries, files)
    linked = [path for path in linked if path not in left_out(linked, exclude)]
    if linked:
        raise _refusal(folder, linked, alone=not _images(files))


def linked_images(folder: Path) -> Sequence[str]:
    """The links in `folder` that `refuse_linked_images` would name; nothing is read but names."""
    try:
        entries = walk(folder)
    except FoldproofError:
        return ()
    return _linked(folder, entries, frozenset(entry.path for entry in entries if entry.kind is Kind.FILE))


def leads_to_cache(path: Path, caches: Sequence[Path]) -> bool:
    """Whether a link is one of DVC's, into its cache or one of `caches`, be the object there or not."""
    target = Path(os.path.realpath(path))
    inside = any(target.is_relative_to(os.path.realpath(cache)) for cache in caches)
    return inside or (".dvc", "cache") in zip(target.parts, target.parts[1:], strict=False)


def _linked(folder: Path, entries: Sequence[FolderEntry], files: frozenset[str]) -> list[str]:
    folders = [entry.path for entry in entries if entry.kind is Kind.FOLDER_LINK and not entry.hidden]
    images = {path.partition("/")[0] for path in _images(files)}
    behind = _images([entry.path for entry in entries if entry.kind is Kind.LINK and not entry.hidden])
    lacking = {top for path in behind if path not in files and (top := path.partition("/")[0]) not in images}
    own = Path(os.path.realpath(folder))
    return sorted({*(path for path in folders if _leads_to_others(folder / path, own, path)), *lacking})


def _leads_to_others(link: Path, own: Path, path: str) -> bool:
    """Whether a link to a folder is no loop, and no other name for what lies in a class here."""
    target = Path(os.path.realpath(link))
    return not own.is_relative_to(target) and ("/" not in path or not target.is_relative_to(own))


def _images(paths: Iterable[str]) -> list[str]:
    known = suffixes()
    return [path for path in paths if suffix_of(path) in known]


def _refusal(folder: Path, linked: Sequence[str], *, alone: bool) -> DataError:
    """`alone`: nothing but links is there, so that the folder that they come from may be meant."""
    many = len(linked) > 1
    first = quote(str(folder / linked[0]))
    targets = {name: Path(os.path.realpath(folder / name)) for name in linked}
    if (folder / linked[0]).is_symlink():
        told = f"{some(linked)} {'are links' if many else 'is a link'} to another folder, and links are not followed"
        way = f"put each folder in its place: rm {first} && cp -r {quote(str(targets[linked[0]]))} {first}"
    else:
        told = f"{some(linked)} {'hold' if many else 'holds'} nothing but links to images, which are not followed"
        way = f"put the images in their places: cp -rL {first} {first}.real && rm -r {first} && mv {first}.real {first}"
    if alone:
        above = {target.parent for target in targets.values()}
        if len(above) == 1 and all((folder / name).is_symlink() and one.name == name for name, one in targets.items()):
            way = f"set data.path: {above.pop()}"
        return DataError(f"no images in {folder}: {told}", next_step=way)
    return DataError(
        f"{folder}: {told}: {'their' if many else 'its'} images would be missing",
        next_step=f"{way}\n  or leave {'them' if many else 'it'} out: data.exclude: [{', '.join(linked[:3])}]",
    )
