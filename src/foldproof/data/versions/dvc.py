"""What DVC knows of the data: recorded hashes, clean or not; add, push. The only module that imports dvc.

A `repository`, an `output` and a `cache` are DVC's own objects; `data.pull` uses them too, through the functions here.
"""

import json
import logging
import os
import secrets
import shutil
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from foldproof.data.dataset import hash_rows
from foldproof.data.scan import Scan, hash_file, hash_files
from foldproof.data.versions.gdrive import refuse_dvcs_own_app
from foldproof.data.versions.reasons import reason, way_on
from foldproof.data.versions.unfinished import root_of
from foldproof.data.versions.versioned import DataVersion, Difference, compare, judged
from foldproof.data.walk import Kind, some, walk
from foldproof.errors import DataError, FoldproofError
from foldproof.storage import redact

_LEGACY = "md5-dos2unix"
_LOGGERS = ("dvc", "dvc_data", "dvc_objects")


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What DVC recorded of a folder.

    `files` maps relative paths to MD5 hashes; None where the list itself is in neither cache nor remote. `dvc_hash` is
    that of the output that holds the folder; where several outputs lie in it, a hash over theirs. `legacy`: recorded by
    DVC 2, which hashed text files as if their lines ended the Unix way.
    """

    dvc_hash: str
    source: str
    remote: str | None
    files: Mapping[str, str] | None
    legacy: bool


def has_repository(folder: Path) -> bool:
    """Whether `folder` lies in a DVC repository."""
    return root_of(folder) is not None


def cache_folders(folder: Path) -> tuple[Path, ...]:
    """Where DVC keeps files that links in `folder` may lead to."""
    if not has_repository(folder):
        return ()
    with opened(folder, "cannot read DVC's settings") as repository:
        return (Path(repository.cache.local.path),)


def leads_to_cache(path: Path, caches: Sequence[Path]) -> bool:
    """Whether a link is one of DVC's, into its cache or one of `caches`, be the object there or not."""
    target = Path(os.path.realpath(path))
    inside = any(target.is_relative_to(os.path.realpath(cache)) for cache in caches)
    return inside or (".dvc", "cache") in zip(target.parts, target.parts[1:], strict=False)


def recorded(folder: Path) -> Recorded | None:
    """What a `.dvc` file, one of a parent folder, some of the folders below, or `dvc.lock` record of `folder`.

    None where nothing does. Asks the remote for the list of files where the cache lacks it.
    """
    if not has_repository(folder):
        return None
    with opened(folder, f"cannot find out what DVC recorded of {folder}") as repository:
        outputs = outputs_of(repository, folder)
        hashes = [str(output.hash_info.value) for output in outputs if output.hash_info]
        if not outputs or len(hashes) < len(outputs):
            return None
        return Recorded(
            dvc_hash=hashes[0] if len(hashes) == 1 else f"{hash_rows([sorted(hashes)])[:32]}.several",
            source=some([Path(output.stage.path_in_repo).as_posix() for output in outputs]),
            remote=remote_of(repository, outputs),
            files=files_of(repository, outputs, folder),
            legacy=is_legacy(outputs),
        )


def state_of(folder: Path, found: Scan) -> DataVersion:
    """How the files that are there stand to what DVC recorded. Extra files count where they are images that train."""
    known = recorded(folder)
    if known is None:
        return DataVersion(state="unversioned")
    if known.files is None:
        return DataVersion(state="dirty", dvc_hash=known.dvc_hash, path=known.source, remote=known.remote)
    images = {sample.path for sample in found.dataset.samples}
    there = {path: md5 for path, md5 in found.md5.items() if path in known.files or path in images}
    difference = difference_of(folder, known.files, there, legacy=known.legacy)
    return DataVersion(
        state=judged(difference),
        dvc_hash=known.dvc_hash,
        path=known.source,
        remote=known.remote,
        changed=difference.changed,
        missing=difference.missing,
        extra=difference.extra,
    )


def difference_of(folder: Path, files: Mapping[str, str], there: Mapping[str, str], *, legacy: bool) -> Difference:
    """How what is there differs from `files`, recorded by whichever version of DVC."""
    difference = compare(files, there)
    if not legacy or not difference.changed:
        return difference
    with told("cannot hash as DVC 2 did"):
        from dvc.fs import localfs
        from dvc_data.hashfile.hash import file_md5

        again = {path: file_md5(str(folder / path), localfs, name=_LEGACY) for path in difference.changed}
    return compare(files, {**there, **again})


def init(root: Path) -> None:
    """Make `root` a DVC repository, with git where there is git. Raises DataError."""
    in_git = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    with told(f"cannot make a DVC repository in {root}"):
        from dvc.repo import Repo

        Repo.init(str(root), no_scm=in_git is None, subdir=in_git not in (None, root)).close()


def add_local_remote(root: Path, name: str, path: Path) -> None:
    """Let the folder `path` be the default remote, by a relative path, so that both can move together."""
    with opened(root, f"cannot add the remote '{name}'") as repository, repository.config.edit("repo") as settings:
        settings["remote"][name] = {"url": os.path.relpath(path)}  # DVC makes it relative to its settings file
        settings["core"]["remote"] = name


def add(folder: Path) -> tuple[Path, ...]:
    """Version `folder`; the files that git should know now. Raises DataError, also for what DVC would hang on.

    `data.add` is this with the checks around it that keep what is versioned and what is trained the same.
    """
    strange = [entry.path for entry in walk(folder) if entry.kind in (Kind.SPECIAL, Kind.BROKEN_LINK)]
    if strange:
        raise DataError(
            f"pipes, sockets, devices or broken links: {some(strange)}", next_step="take them out of the folder"
        )
    with opened(folder, f"cannot version {folder}") as repository, holding(repository):
        stages = repository.add([str(_place(repository, folder))])
        written = [Path(stage.path) for stage in stages]
        ignoring = [Path(output.fs_path).parent / ".gitignore" for stage in stages for output in stage.outs]
        return tuple(path for path in dict.fromkeys([*written, *ignoring]) if path.exists())


def ignored(folder: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Those files of the folder that a `.dvcignore` leaves out."""
    with opened(folder, f"cannot version {folder}") as repository:
        place = _place(repository, folder)
        return tuple(path for path in paths if repository.dvcignore.is_ignored_file(str(place / path)))


def remember(folder: Path, md5: Mapping[str, str]) -> None:
    """Tell DVC the true hashes of files: it believes that one of the same size, time and inode has not changed."""
    with opened(folder, f"cannot version {folder}") as repository:
        from dvc.fs import localfs
        from dvc_data.hashfile.hash_info import HashInfo

        for path, value in md5.items():
            repository.state.save(str(_place(repository, folder) / path), localfs, HashInfo("md5", value))


def push(folder: Path) -> int:
    """Send what the remote lacks of all that is versioned; how many files. Raises DataError."""
    with opened(folder, "cannot push") as repository:
        return int(repository.push())


@contextmanager
def opened(folder: Path, what: str) -> Iterator[Any]:
    """The repository that `folder` lies in; whatever DVC raises in the block becomes a DataError that begins `what`."""
    root = root_of(folder)
    if root is None:
        raise DataError(f"{what}: it is in no DVC repository", next_step="make one with `foldproof init`")
    with told(what):
        from dvc.repo import Repo

        with closing(Repo(str(root))) as repository:
            yield repository


def outputs_of(repository: Any, folder: Path) -> list[Any]:
    """The output that is or holds `folder`; else those that lie in it."""
    place = _place(repository, folder)
    local = [output for output in repository.index.outs if output.protocol == "local"]
    holding = [output for output in local if place.is_relative_to(output.fs_path)]
    if holding:
        return [max(holding, key=lambda output: len(output.fs_path))]
    lying = [output for output in local if Path(output.fs_path).is_relative_to(place)]
    return sorted(lying, key=lambda output: str(output.fs_path))  # DVC has them in the order of the disk


def is_legacy(outputs: Sequence[Any]) -> bool:
    """Whether DVC 2 recorded these outputs."""
    return any(output.hash_name == _LEGACY for output in outputs)


def targets_of(repository: Any, outputs: Sequence[Any], folder: Path, *, files: Sequence[str] = ()) -> list[str]:
    """What to ask DVC for: these files of the folder, else the folder within its output or the outputs within it."""
    place = _place(repository, folder)
    if files:
        return [str(place / path) for path in files]
    return [str(place) if place.is_relative_to(output.fs_path) else output.fs_path for output in outputs]


def files_of(repository: Any, outputs: Sequence[Any], folder: Path) -> Mapping[str, str] | None:
    """Paths relative to `folder` and MD5 hashes; None where the list is in neither cache nor remote."""
    place, files = _place(repository, folder), dict[str, str]()
    for output in outputs:
        path = Path(output.fs_path)
        above = place.relative_to(path).parts if place.is_relative_to(path) else ()
        below = path.relative_to(place).parts if path.is_relative_to(place) else ()
        if not output.is_dir_checksum:
            files["/".join(below)] = str(output.hash_info.value)
            continue
        listed = _list_in(output)
        if listed is None:
            return None
        inner, outer = "".join(f"{part}/" for part in above), "".join(f"{part}/" for part in below)
        files |= {outer + key[len(inner) :]: md5 for key, md5 in listed.items() if key.startswith(inner)}
    return files


def _list_in(output: Any) -> Mapping[str, str] | None:
    """Paths and hashes of a folder's files, from the cache or the remote, or made anew from what is there.

    DVC believes a list by its name. Here one that hashes to something else is dropped and fetched again; where there is
    none to be had, the files themselves are listed: if that list has the recorded hash, it is the list.
    """
    from dvc_objects.errors import ObjectFormatError

    if output.files:  # of a remote that keeps versions itself: the list stands in the .dvc file
        return _paths(output.get_obj())
    oid, legacy = str(output.hash_info.value), is_legacy([output])
    kept = Path(output.cache.oid_to_path(oid))
    for _ in range(2):
        if kept.exists() and not is_whole(kept, oid, legacy=legacy):
            kept.unlink()
        elif kept.exists():  # as DVC's own reading of it, which takes ten times as long
            return {str(item["relpath"]): str(item["md5"]) for item in json.loads(kept.read_bytes())}
        refuse_unreachable(output.repo, [output])
        with suppress(ObjectFormatError):
            output.obj = None
            found = output.get_dir_cache()
            if found is not None and is_whole(kept, oid, legacy=legacy):
                return _paths(found)
    output.obj = None
    return _paths(_list_anew(output))


def _paths(tree: Any | None) -> Mapping[str, str] | None:
    return None if tree is None else {"/".join(key): str(found.value) for key, _, found in tree}


def _list_anew(output: Any) -> Any | None:
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


def remote_of(repository: Any, outputs: Sequence[Any]) -> str | None:
    """Name and URL of the remote that the outputs come from, without secrets; None where none is set."""
    name = _name_of_remote(repository, outputs)
    url = repository.config["remote"].get(name, {}).get("url", "it has no URL")
    return redact(f"'{name}' ({url})") if name else None


def refuse_unreachable(repository: Any, outputs: Sequence[Any]) -> None:
    """Raises DataError where asking the outputs' remote would wait for something that cannot come."""
    refuse_dvcs_own_app(repository.config["remote"].get(_name_of_remote(repository, outputs), {}), os.environ)


def _name_of_remote(repository: Any, outputs: Sequence[Any]) -> str | None:
    own = next((output.remote for output in outputs if output.remote), None)
    name = own or repository.config["core"].get("remote")
    return str(name) if name else None


def fetch(repository: Any, targets: Sequence[str]) -> int:
    """Bring objects from the remote to the cache, each checked; how many came. What did not come is no error here.

    DVC's memory of what there is to fetch goes first: one that a killed fetch began is taken for whole.
    """
    from dvc.config_schema import REMOTE_SCHEMAS
    from dvc.exceptions import DownloadError
    from dvc_objects.errors import ObjectFormatError

    takes_it = {scheme for scheme, known in REMOTE_SCHEMAS.items() if scheme == "remote" or "verify" in known}
    remotes = repository.config["remote"].items()
    checked = [name for name, about in remotes if urlsplit(str(about.get("url", ""))).scheme in takes_it]
    verify = {"remote": {name: {"verify": True} for name in checked}}
    repository.drop_data_index()
    try:
        return int(repository.fetch(list(targets), config=verify))
    except (DownloadError, ObjectFormatError):
        return 0


def is_whole(path: Path, oid: str, *, legacy: bool) -> bool:
    """Whether `path` is a file whose content is what `oid` says: the hash of a file, or of a list of files."""
    return path.is_file() and md5_of(path, legacy=legacy) == oid.removesuffix(".dir")


def md5_of(path: Path, *, legacy: bool) -> str:
    """The MD5 hash that DVC knows a file by; DVC 2 hashed text as if its lines ended the Unix way."""
    if not legacy:
        return hash_file(path).md5
    from dvc.fs import localfs
    from dvc_data.hashfile.hash import file_md5

    return str(file_md5(str(path), localfs, name=_LEGACY))


def kinds_of_link(cache: Any, oid: str, folder: Path) -> tuple[str, ...]:
    """How objects come from the cache to `folder`: as the cache is set to, without reflinks where there are none.

    DVC tries one for each file and again for its copy, which takes twice the time of copying a small file.
    """
    from dvc.fs import localfs

    kinds = tuple(dict.fromkeys([*cache.cache_types, "copy"]))
    trial = folder / f".{secrets.token_urlsafe(16)}.tmp"
    try:
        localfs.reflink(cache.oid_to_path(oid), str(trial))
    except Exception:  # noqa: BLE001 (whatever it is, there will be no reflinks)
        return tuple(kind for kind in kinds if kind != "reflink")
    finally:
        trial.unlink(missing_ok=True)
    return kinds


def bring(cache: Any, oid: str, path: Path, *, kinds: Sequence[str]) -> None:
    """Put an object of the cache at `path`, as the first of these kinds of link that works, or a copy."""
    from dvc.fs import localfs
    from dvc_objects.fs.generic import transfer

    source = cache.oid_to_path(oid)
    if kinds[0] == "copy":
        shutil.copyfile(source, path)
    else:
        transfer(cache.fs, source, localfs, str(path), links=list(kinds))


@contextmanager
def holding(repository: Any) -> Iterator[None]:
    """Keep every other DVC process out of the repository for the block. Raises DataError where one is at work."""
    from dvc.lock import LockError
    from dvc.repo import lock_repo

    with ExitStack() as stack:
        try:
            stack.enter_context(lock_repo(repository))
        except LockError:
            raise DataError(
                f"another DVC process is at work in {repository.root_dir}",
                next_step="wait for it to end, then do the same again",
            ) from None
        yield


@contextmanager
def told(what: str) -> Iterator[None]:
    """DVC without its voice: no telemetry, log lines or warnings; its errors as DataError.

    A remote is reached through whatever library DVC loads for it, so any kind of exception can come out. The one place
    of this module that takes them all, and keeps the reason.
    """
    os.environ.setdefault("DVC_NO_ANALYTICS", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import dvc.repo  # noqa: F401  (its loggers are set up by the import: they are silenced after it)

        levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        try:
            for name in levels:
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
            yield
        except FoldproofError:
            raise
        except Exception as error:
            raise DataError(f"{what}: {reason(error)}", next_step=way_on(error)) from error
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


def _place(repository: Any, folder: Path) -> Path:
    """`folder` as DVC spells it, which resolves links on the way to the repository."""
    root = root_of(folder)
    assert root is not None
    return Path(repository.root_dir) / os.path.relpath(folder.absolute(), root)
