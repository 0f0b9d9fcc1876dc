"""What DVC knows of the data: recorded hashes, clean or not; add, push. What comes out has been checked.

A `repository`, an `output` and a `cache` are DVC's own objects; `data.pull` uses them too, through the functions here.
"""

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from foldproof.data.dataset import hash_rows
from foldproof.data.scan import Scan, hash_file, hash_files
from foldproof.data.versions import lists
from foldproof.data.versions.asking import CREDENTIAL_FILES, refuse_commands, refuse_prompts, settings_of
from foldproof.data.versions.gdrive import refuse_dvcs_own_app
from foldproof.data.versions.guard import refuse_link
from foldproof.data.versions.lists import Files
from foldproof.data.versions.opening import holding, opened, told
from foldproof.data.versions.unfinished import root_of
from foldproof.data.versions.versioned import DataVersion, Difference, compare, judged
from foldproof.data.walk import Kind, some, walk
from foldproof.errors import DamagedFile, DataError
from foldproof.provenance.worktree import known_to_git
from foldproof.storage import Md5, RelativePath, redact

_LEGACY = "md5-dos2unix"
_MOST_CREDENTIALS = 2**20


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What DVC recorded of a folder.

    `files` is None where the list itself is in neither cache nor remote. `dvc_hash` is
    that of the output that holds the folder; where several outputs lie in it, a hash over theirs. `legacy`: recorded by
    DVC 2, which hashed text files as if their lines ended the Unix way.
    """

    dvc_hash: str
    source: str
    remote: str | None
    files: Files | None
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

    None where nothing does. Asks the remote for the list of files where the cache lacks it. Removes nothing. Raises
    DataError for paths and hashes that DVC would not write.
    """
    if not has_repository(folder):
        return None
    with opened(folder, f"cannot find out what DVC recorded of {folder}") as repository:
        outputs = outputs_of(repository, folder)
        hashes = [oid_of(output) for output in outputs if output.hash_info]
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


def difference_of(folder: Path, files: Files, there: Mapping[str, str], *, legacy: bool) -> Difference:
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
        _check_older_list(repository, folder)
        for written_to in (folder.with_name(f"{folder.name}.dvc"), folder.with_name(".gitignore")):
            refuse_link(written_to)
        stages = repository.add([str(_place(repository, folder))])
        written = [Path(stage.path) for stage in stages]
        ignoring = [Path(output.fs_path).parent / ".gitignore" for stage in stages for output in stage.outs]
        return tuple(path for path in dict.fromkeys([*written, *ignoring]) if path.exists())


def _check_older_list(repository: Any, folder: Path) -> None:
    """Raises DataError where DVC would take over a damaged list: that of the output which `folder` is a part of."""
    place = _place(repository, folder)
    for output in outputs_of(repository, folder):
        if output.is_dir_checksum and place != Path(output.fs_path) and place.is_relative_to(output.fs_path):
            _list_in(output)


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
        outputs = _local_outputs(repository)
        _refuse_unreachable(repository, {_name_of_remote(repository, [output]) for output in outputs})
        return int(repository.push())


def outputs_of(repository: Any, folder: Path) -> list[Any]:
    """The output that is or holds `folder`; else those that lie in it.

    An output outside of the repository, or one that holds all of it, is not ours to write. Raises DataError where any
    output's hash is none: DVC makes paths of them.
    """
    place = _place(repository, folder)
    local = _local_outputs(repository)
    holding = [output for output in local if place.is_relative_to(output.fs_path)]
    if holding:
        return [max(holding, key=lambda output: len(output.fs_path))]
    lying = [output for output in local if Path(output.fs_path).is_relative_to(place)]
    return sorted(lying, key=lambda output: str(output.fs_path))  # DVC has them in the order of the disk


def _local_outputs(repository: Any) -> list[Any]:
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


def is_legacy(outputs: Sequence[Any]) -> bool:
    """Whether DVC 2 recorded these outputs."""
    return any(output.hash_name == _LEGACY for output in outputs)


def are_imports(outputs: Sequence[Any]) -> bool:
    """Whether all these outputs come from other repositories, which DVC reads itself."""
    return all(output.stage.is_repo_import for output in outputs)


def targets_of(repository: Any, outputs: Sequence[Any], folder: Path, *, files: Sequence[str] = ()) -> list[str]:
    """What to ask DVC for: these files of the folder, else the folder within its output or the outputs within it."""
    place = _place(repository, folder)
    if files:
        return [str(place / path) for path in files]
    return [str(place) if place.is_relative_to(output.fs_path) else output.fs_path for output in outputs]


def files_of(repository: Any, outputs: Sequence[Any], folder: Path) -> Files | None:
    """Paths relative to `folder`, and hashes; None where the list is in neither cache nor remote. Raises DataError."""
    place, files = _place(repository, folder), dict[RelativePath, Md5]()
    for output in outputs:
        path = Path(output.fs_path)
        above = place.relative_to(path).parts if place.is_relative_to(path) else ()
        below = path.relative_to(place).parts if path.is_relative_to(place) else ()
        if not output.is_dir_checksum:
            if not below:
                raise DataError(f"{folder} is versioned as one file, not as a folder", next_step="correct data.path")
            files[RelativePath.parse("/".join(below))] = oid_of(output)
            continue
        listed = _list_in(output)
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


def _list_in(output: Any) -> Files | None:
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
    from dvc.fs.callbacks import Callback

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
    from dvc.fs import localfs

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


def remote_of(repository: Any, outputs: Sequence[Any]) -> str | None:
    """Name and URL of the remote that the outputs come from, without secrets; None where none is set."""
    name = _name_of_remote(repository, outputs)
    url = repository.config["remote"].get(name, {}).get("url", "it has no URL")
    return redact(f"'{name}' ({url})") if name else None


def refuse_unreachable(repository: Any, outputs: Sequence[Any]) -> None:
    """Raises DataError where asking the outputs' remote would wait for something that cannot come, or run a command.

    Commands are refused where .dvc/config names them, or a file that git tracks: that came with the repository.
    """
    _refuse_unreachable(repository, {_name_of_remote(repository, outputs)})


def _refuse_unreachable(repository: Any, names: set[str | None]) -> None:
    committed = repository.config.load_one("repo").get("remote", {})
    for name in filter(None, names):
        settings = settings_of(repository.config["remote"], name)
        refuse_dvcs_own_app(settings, os.environ)
        refuse_prompts(name, settings)
        refuse_commands(name, settings, settings_of(committed, name))
        for key in CREDENTIAL_FILES:
            if settings.get(key) and _runs_a_command(repository, Path(settings[key])):
                raise DataError(
                    f"{settings[key]} came with the repository and names a command that would be run: "
                    "credential_process",
                    next_step=f"look at it; if it is yours, keep it elsewhere and name it in .dvc/config.local: {key}",
                )


def _runs_a_command(repository: Any, file: Path) -> bool:
    root = Path(repository.root_dir)
    file = root / ".dvc" / file  # an absolute path stays as it is
    if not file.is_file() or not known_to_git(file.parent, file.name):
        return False
    with file.open("rb") as opened_file:
        content = opened_file.read(_MOST_CREDENTIALS + 1)
    return b"credential_process" in content or len(content) > _MOST_CREDENTIALS


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


def is_whole(path: Path, oid: Md5, *, legacy: bool) -> bool:
    """Whether `path` is a file whose content is what `oid` says: the hash of a file, or of a list of files."""
    return path.is_file() and md5_of(path, legacy=legacy) == oid.removesuffix(".dir")


def md5_of(path: Path, *, legacy: bool) -> Md5:
    """The MD5 hash that DVC knows a file by; DVC 2 hashed text as if its lines ended the Unix way."""
    if not legacy:
        return Md5.parse(hash_file(path).md5)
    from dvc.fs import localfs
    from dvc_data.hashfile.hash import file_md5

    return Md5.parse(file_md5(str(path), localfs, name=_LEGACY))


def kinds_of_link(cache: Any, oid: Md5, folder: Path) -> tuple[str, ...]:
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


def bring(cache: Any, oid: Md5, path: Path, *, kinds: Sequence[str]) -> None:
    """Put an object of the cache at `path`, as the first of these kinds of link that works, or a copy."""
    from dvc.fs import localfs
    from dvc_objects.fs.generic import transfer

    source = cache.oid_to_path(oid)
    if kinds[0] == "copy":
        shutil.copyfile(source, path)
    else:
        transfer(cache.fs, source, localfs, str(path), links=list(kinds))


def _place(repository: Any, folder: Path) -> Path:
    """`folder` as DVC spells it, which resolves links on the way to the repository."""
    root = root_of(folder)
    assert root is not None
    return Path(repository.root_dir) / os.path.relpath(folder.absolute(), root)
