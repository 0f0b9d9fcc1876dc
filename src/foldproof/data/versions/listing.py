"""Read and check what DVC recorded of a folder's files: outputs and lists of files.

A `repository` and an `output` are DVC's own objects.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from foldproof.data.scan import hash_file, hash_files
from foldproof.data.versions import lists
from foldproof.data.versions.lists import Files
from foldproof.data.versions.reached import refuse_unreachable
from foldproof.data.versions.unfinished import root_of
from foldproof.data.walk import Kind, walk
from foldproof.errors import DamagedFile, DataError
from foldproof.storage import Md5, RelativePath

LEGACY = "md5-dos2unix"


def outputs_of(repository: Any, folder: Path) -> list[Any]:
    """The output that is or holds `folder`; else those that lie in it.

    An output outside of the repository, or one that holds all of it, is not ours to write. Raises DataError where any
    output's hash is none: DVC makes paths of them.
    """
    place = place_of(repository, folder)
    local = local_outputs(repository)
    holding = [output for output in local if place.is_relative_to(output.fs_path)]
    if holding:
        return [max(holding, key=lambda output: len(output.fs_path))]
    lying = [output for output in local if Path(output.fs_path).is_relative_to(place)]
    return sorted(lying, key=lambda output: str(output.fs_path))  # DVC has them in the order of the disk


def local_outputs(repository: Any) -> list[Any]:
    """The outputs that lie in the repository. Raises DataError where the hash or the list of one is none."""
    local = [output for output in repository.index.outs if output.protocol == "local" and output.is_in_repo]
    for output in local:
        if output.hash_info:
            oid_of(output)
        _check_listed_here(output)
    return local


def oid_of(output: Any) -> Md5:
    """The hash of an output, as its DVC file has it. Raises DataError, which names the file, where it is none."""
    try:
        return Md5.parse(output.hash_info.value)
    except DamagedFile as error:
        raise lists.refused(str(output.stage.path_in_repo), f"is damaged: {error.what}") from None


def _check_listed_here(output: Any) -> None:
    """Raises DataError where a DVC file lists a folder's files itself and a path is none."""
    for entry in output.files or ():
        try:
            RelativePath.parse(entry.get("relpath"))
        except DamagedFile as error:
            raise lists.refused(str(output.stage.path_in_repo), f"is damaged: {error.what}") from None


def are_imports(outputs: Sequence[Any]) -> bool:
    """Whether all these outputs come from other repositories, which DVC reads itself."""
    return all(output.stage.is_repo_import for output in outputs)


def is_legacy(outputs: Sequence[Any]) -> bool:
    """Whether DVC 2 recorded these outputs."""
    return any(output.hash_name == LEGACY for output in outputs)


def targets_of(repository: Any, outputs: Sequence[Any], folder: Path) -> list[str]:
    """What to ask DVC for: the folder within its output, or the outputs within it."""
    place = place_of(repository, folder)
    return [str(place) if place.is_relative_to(output.fs_path) else output.fs_path for output in outputs]


def files_of(repository: Any, outputs: Sequence[Any], folder: Path) -> Files | None:
    """Paths relative to `folder`, and hashes; None where the list is in neither cache nor remote. Raises DataError."""
    place, files = place_of(repository, folder), dict[RelativePath, Md5]()
    for output in outputs:
        path = Path(output.fs_path)
        above = place.relative_to(path).parts if place.is_relative_to(path) else ()
        below = path.relative_to(place).parts if path.is_relative_to(place) else ()
        if not output.is_dir_checksum:
            if not below:
                raise DataError(f"{folder} is versioned as one file, not as a folder", next_step="correct data.path")
            files[RelativePath.parse("/".join(below))] = oid_of(output)
            continue
        listed = list_in(output)
        if listed is None:
            return None
        files |= _moved(listed, "".join(f"{part}/" for part in above), "".join(f"{part}/" for part in below))
    return files


def _moved(files: Files, inner: str, outer: str) -> Files:
    """Those of the files that lie in `inner`, as they are named from outside of `outer`."""
    if not inner and not outer:
        return files
    named = ((outer + path[len(inner) :], md5) for path, md5 in files.items() if path.startswith(inner))
    return {RelativePath.parse(path): md5 for path, md5 in named}


def list_in(output: Any) -> Files | None:
    """Paths and hashes of a folder's files, from the cache or the remote, or made from the files that are there.

    DVC believes a list by its name. Here one that hashes to something else is not used, and left where it is; where
    there is none to be had, the files themselves are listed: if that list has the recorded hash, it is the list.
    """
    if output.files:  # of a remote that keeps versions itself: the list stands in the .dvc file
        return _as_files(output, output.get_obj())
    kept = _list_path(output)
    if _is_whole_list(output, kept):  # and not DVC's own reading of it, which takes ten times as long
        return lists.listed(kept.read_bytes(), _list_name(output))
    refuse_unreachable(output.repo, [output])
    with TemporaryDirectory() as folder:
        fetched = Path(folder) / "list"
        with suppress(Exception):  # of whatever library reaches the remote: `why_absent` tells why
            _fetch_list(output, fetched)
        if _is_whole_list(output, fetched):
            files = lists.listed(fetched.read_bytes(), _list_name(output))
            if not os.path.lexists(kept):
                _keep_list(output, fetched)
            return files
    return _as_files(output, _list_of_what_is_there(output))


def _list_path(output: Any) -> Path:
    return Path(output.cache.oid_to_path(oid_of(output)))


def _list_name(output: Any) -> str:
    return f"the list of files {oid_of(output)} of {Path(output.stage.path_in_repo).as_posix()}"


def _is_whole_list(output: Any, path: Path) -> bool:
    if not path.is_file() or path.stat().st_size > lists.MOST_BYTES:
        return False
    return is_whole(path, oid_of(output), legacy=is_legacy([output]))


def _fetch_list(output: Any, to: Path) -> None:
    """Bring the list of an output's files from its remote to a file: DVC would fetch what it names unchecked."""
    from fsspec.callbacks import Callback  # type: ignore[import-untyped]

    class NotTooMuch(Callback):  # type: ignore[misc]
        def relative_update(self, inc: int = 1) -> None:
            super().relative_update(inc)
            if self.value > lists.MOST_BYTES:
                raise lists.refused(_list_name(output), "is too large")

    remote = output.repo.cloud.get_remote(output.remote)
    objects = remote.legacy_odb if is_legacy([output]) else remote.odb
    objects.fs.get_file(objects.oid_to_path(oid_of(output)), str(to), callback=NotTooMuch())


def _keep_list(output: Any, path: Path) -> None:
    """Put a list that has been checked into the cache, where there is none of its name."""
    from dvc_objects.fs.local import localfs

    with suppress(OSError):  # a cache that is read only: the list is fetched again next time
        output.cache.add(str(path), localfs, oid_of(output), hardlink=False)


def drop_damaged_lists(outputs: Sequence[Any]) -> None:
    """Remove lists from the cache whose content is not what their name says, so that DVC does not believe them."""
    for output in outputs:
        if output.is_dir_checksum and not output.files:
            kept = _list_path(output)
            if os.path.lexists(kept) and not _is_whole_list(output, kept):
                kept.unlink()


def _as_files(output: Any, tree: Any | None) -> Files | None:
    if tree is None:
        return None
    return lists.checked((("/".join(key), found.value) for key, _, found in tree), _list_name(output))


def _list_of_what_is_there(output: Any) -> Any | None:
    """The list of the files that are there, put into the cache, where it is the recorded one."""
    from dvc_data.hashfile.db import add_update_tree
    from dvc_data.hashfile.hash_info import HashInfo
    from dvc_data.hashfile.tree import Tree

    folder = Path(output.fs_path)
    if not folder.is_dir() or is_legacy([output]):
        return None
    tree = Tree.from_list([])
    readable = {entry.path for entry in walk(folder) if entry.kind in (Kind.FILE, Kind.LINK)}
    followed = {Path(path).relative_to(folder).as_posix() for path in output.dvcignore.find(output.fs, str(folder))}
    for path, hashes in hash_files(folder, sorted(readable & followed)).items():
        tree.add(tuple(path.split("/")), None, HashInfo("md5", hashes.md5))
    tree.digest()
    return add_update_tree(output.cache, tree) if tree.oid == output.hash_info.value else None


def is_whole(path: Path, oid: Md5, *, legacy: bool) -> bool:
    """Whether `path` is a file whose content is what `oid` says: the hash of a file, or of a list of files."""
    return path.is_file() and md5_of(path, legacy=legacy) == oid.removesuffix(".dir")


def md5_of(path: Path, *, legacy: bool) -> Md5:
    """The MD5 hash that DVC knows a file by; DVC 2 hashed text as if its lines ended the Unix way."""
    if not legacy:
        return Md5.parse(hash_file(path).md5)
    from dvc_data.hashfile.hash import file_md5
    from dvc_objects.fs.local import localfs

    return Md5.parse(file_md5(str(path), localfs, name=LEGACY))


def place_of(repository: Any, folder: Path) -> Path:
    """`folder` as DVC spells it, which resolves links on the way to the repository."""
    root = root_of(folder)
    assert root is not None
    return Path(repository.root_dir) / os.path.relpath(folder.absolute(), root)
