"""Restore versioned images to a folder, and check every file against its hash."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Any

from foldproof.data.versions import dvc, listing, placing, reached, remote, unfinished
from foldproof.data.versions.astray import refuse_astray, refuse_committed_links
from foldproof.data.versions.lists import Files
from foldproof.data.versions.opening import holding, opened, told
from foldproof.data.versions.placing import CachedObjects, There
from foldproof.data.versions.unfinished import Note, Waiting
from foldproof.data.versions.versioned import VersionDifference, compare, count_of
from foldproof.data.walk import Kind, some
from foldproof.errors import DataError, FoldproofError
from foldproof.provenance.worktree import main_checkout
from foldproof.storage import Md5, RelativePath, cleaned, redact


@dataclass(frozen=True, kw_only=True)
class Pulled:
    """`files` are as they were versioned; `fetched` objects came from the remote; `extra` files were kept.

    `removed` were of another version, which still holds them. `kept` are in `aside`, since no version holds them.
    """

    files: int
    fetched: int
    extra: tuple[str, ...]
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    aside: tuple[Path, ...] = ()


@dataclass(frozen=True)
class _Place:
    """A folder, what DVC has to do with it, and where to put aside what no version holds."""

    folder: Path
    repository: Any
    outputs: list[Any]
    root: Path
    aside: Path
    kept: dict[str, Path] = field(default_factory=dict)

    @property
    def shelf(self) -> CachedObjects:
        cache = self.outputs[0].cache
        return CachedObjects(cache, listing.is_legacy(self.outputs), (Path(self.repository.cache.local.path),))

    @property
    def files(self) -> Files | None:
        return listing.files_of(self.repository, self.outputs, self.folder)

    @property
    def name(self) -> str:
        return unfinished.relative(self.root, self.folder)

    def stands(self, path: RelativePath) -> bool:
        """Whether a file is still where it was: a folder that it lay in may have been put aside."""
        return path.below(self.folder).is_file()

    def keep(self, paths: Iterable[RelativePath], *, copy: bool = False) -> None:
        if names := tuple(paths):
            self.kept.update(dict.fromkeys(names, placing.set_aside(self.folder, names, self.aside, copy=copy)))


def pull(folder: Path, *, force: bool = False, aside: Path | None = None, waiting: Waiting | None = None) -> Pulled:
    """Fetch what the cache lacks, put it in its place, and hash every file.

    A file that no version holds is kept, unless `force`: then it is moved to a folder in `aside` first, by
    default `.foldproof/aside` beside `.dvc`. What a pull that was cut off left behind is no such file. One at a time
    in a repository: `waiting` is called where another is at work. Raises DataError with the remote, its URL and the
    reason where it fails; where files would be lost; where it would write outside of the repository through a link
    that git tracks; and where a file is still not what was versioned.
    """
    with opened(folder, f"cannot pull {folder}") as repository:
        root = unfinished.root_of(folder)
        assert root is not None
        aside = aside or root / ".foldproof" / "aside"
        refuse_astray(root, folder)
        refuse_committed_links(aside)
        with unfinished.alone(root, waiting), holding(repository):
            outputs = listing.outputs_of(repository, folder)
            if not outputs:
                raise DataError(
                    f"DVC knows nothing of {folder}",
                    next_step="version it with `foldproof data add`, or fix data.path",
                )
            return _pull(_Place(folder, repository, outputs, root, aside), force=force)


def _pull(place: _Place, *, force: bool) -> Pulled:
    """Note, fetch, look, refuse or put aside, put in place, look again, and only then forget the note."""
    files, count = _noted_fetch(place)
    shelf = place.shelf
    placing.sweep(place.folder, but=files)
    there = placing.look(place.folder, shelf)
    difference = _difference(files, there)
    damaged = [path for path in _those(files, difference.changed) if not shelf.holds(files[path])]
    if damaged:
        copies = _drop(place, files, damaged, there)
        count += _fetch(place)[1]
        there = placing.There({p: m for p, m in there.md5.items() if p not in copies}, there.others, there.hidden)
        difference = _difference(files, there)
    _secure(place, files, there, difference, force=force)
    wrong = {path: files[path] for path in _those(files, (*difference.changed, *difference.missing))}
    extra = _those(there.md5, difference.extra)
    removed = tuple(path for path in extra if shelf.holds(there.md5[path]) and place.stands(path))
    placing.take_out(place.folder, removed)
    for path in placing.obstacles(files, there):
        if path.below(place.folder).is_dir():
            placing.clear(path.below(place.folder))
    refused = placing.put(place.folder, wrong, shelf, seen=there.md5)
    if refused:
        _drop(place, files, refused, there)
        count += _fetch(place)[1]
        placing.put(place.folder, {path: files[path] for path in refused}, shelf, seen=there.md5)
    difference = _difference(files, placing.look(place.folder, shelf))
    if difference.changed or difference.missing:
        lacking = VersionDifference(difference.changed, difference.missing, ())
        raise DataError(
            f"what was pulled is not what was versioned: {lacking}",
            next_step="pull again when nothing else writes there, or `dvc push` from where the images are right",
        )
    unfinished.erase(place.root, "pull", place.name)
    return Pulled(
        files=len(files),
        fetched=count,
        extra=difference.extra,
        removed=removed,
        kept=tuple(sorted(place.kept)),
        aside=tuple(sorted(set(place.kept.values()))),
    )


def _noted_fetch(place: _Place) -> tuple[Files, int]:
    """Fetch, with a note that the folder may be half a version; where fetching fails it has not been touched."""
    known = unfinished.read(place.root, "pull", place.name) is not None
    unfinished.write(place.root, Note(kind="pull", folder=place.name))
    try:
        return _fetch(place)
    except FoldproofError:
        if not known:
            unfinished.erase(place.root, "pull", place.name)
        raise


def _fetch(place: _Place) -> tuple[Files, int]:
    """See to it that the cache has every file of the folder, whose list is checked before DVC fetches what it names."""
    listing.drop_damaged_lists(place.outputs)
    files, shelf = place.files, place.shelf
    if files is not None and all(shelf.has(md5) for md5 in set(files.values())):
        return files, 0
    name = reached.remote_of(place.repository, place.outputs)
    if name is None:
        raise DataError(f"cannot pull {place.folder}: no DVC remote is set", next_step=_without_remote(place))
    with told(f"cannot pull {place.folder} from the remote {name}"):
        reached.refuse_unreachable(place.repository, place.outputs)
        count = 0
        if files is not None and not listing.are_imports(place.outputs):
            remote.refuse_pipes(place.repository, place.outputs, set(files.values()))
        if files is not None or listing.are_imports(place.outputs):
            count = dvc.fetch(place.repository, listing.targets_of(place.repository, place.outputs, place.folder))
            files = place.files
        lacking = [] if files is None else sorted(path for path, md5 in files.items() if not shelf.has(md5))
        if files is not None and not lacking:
            return files, count
        oid = listing.oid_of(place.outputs[0]) if files is None else files[lacking[0]]
        what = "the list of files" if files is None else f"{count_of(lacking)} ({some(lacking)})"
        why = remote.why_absent(place.repository, place.outputs, oid)
    raise DataError(
        f"cannot pull {place.folder} from the remote {name}: {what} {why}",
        next_step="fix the remote or its address (`dvc remote list`), or `dvc push` from where the images are",
    )


def _without_remote(place: _Place) -> str:
    """Where the images are to be had all the same: from where they were imported, or from another checkout."""
    imported = {output.stage.path_in_repo: output.stage.deps[0] for output in place.outputs if output.stage.is_import}
    if imported:
        files, source = " ".join(map(quote, imported)), redact(str(next(iter(imported.values()))))
        return f"they were imported: `dvc update {files}` fetches them from {cleaned(source, most=200)}"
    main = main_checkout(place.root)
    caches = dvc.cache_folders(main) if main is not None and (main / ".dvc").is_dir() else ()
    if caches:
        cache = caches[0].parents[1] if caches[0].parts[-2:] == ("files", "md5") else caches[0]
        return f"this is a worktree of {main}: `dvc cache dir --local {quote(str(cache))}`, then pull again"
    return "`dvc remote add -d NAME URL`, then pull again"


def _those(files: Files, names: Iterable[str]) -> list[RelativePath]:
    """Those of the paths in `files` that are named, in order of the names."""
    known = {str(path): path for path in files}
    return [known[name] for name in names]


def _difference(files: Files, there: There) -> VersionDifference:
    """Between what is recorded and what is there; hidden files that were not recorded do not count."""
    return compare(files, {path: md5 for path, md5 in there.md5.items() if path in files or path not in there.hidden})


def _drop(place: _Place, files: Files, paths: Iterable[RelativePath], there: There) -> frozenset[RelativePath]:
    """Remove cached objects that are not what their name says, with the copies made of them; those copies.

    Where the copy is a link to the object, an edit of the one damaged the other: that content is kept aside.
    """
    shelf, copies = place.shelf, set[RelativePath]()
    for path in paths:
        oid = files[path]
        if not shelf.has(oid) or shelf.holds(oid):
            continue
        damage = listing.md5_of(shelf.path(oid), legacy=shelf.legacy)
        made = [name for name, other in files.items() if other == oid and there.md5.get(name) == damage]
        place.keep([name for name in made if placing.is_linked(name.below(place.folder))], copy=True)
        placing.remove(place.folder, made)
        copies.update(made)
        shelf.remove(oid)
    return frozenset(copies)


def _secure(place: _Place, files: Files, there: There, difference: VersionDifference, *, force: bool) -> None:
    """See to it that nothing that no version holds is in the way. Raises DataError unless that is to be moved aside."""
    edited = [
        path for path in _those(files, difference.changed) if _is_users(place, path, files[path], there.md5[path])
    ]
    obstacles = placing.obstacles(files, there)
    in_the_way = [path for path in obstacles if not _gives_way(place, path, there)]
    if (edited or in_the_way) and not force:
        names = sorted([*edited, *in_the_way])
        raise DataError(
            f"pulling would destroy what no version holds: {count_of(names)} changed ({some(names)})",
            next_step="version it with `foldproof data add`, or `foldproof data pull --force` puts it aside first",
        )
    place.keep([*edited, *in_the_way])


def _is_users(place: _Place, path: RelativePath, oid: Md5, md5: Md5) -> bool:
    """Whether a file holds what no version does: it is neither another object nor the beginning of this one."""
    shelf = place.shelf
    return not shelf.holds(md5) and not placing.is_part(path.below(place.folder), shelf.path(oid))


def _gives_way(place: _Place, path: RelativePath, there: There) -> bool:
    """Whether all that stands under a name is of another version: then it goes with what that version has more."""
    if path in there.md5:
        return place.shelf.holds(there.md5[path])
    if there.others[path] is not Kind.FOLDER:
        return False
    below = f"{path}/"
    if any(kind is not Kind.FOLDER for name, kind in there.others.items() if name.startswith(below)):
        return False
    return all(place.shelf.holds(md5) for name, md5 in there.md5.items() if name.startswith(below))
