"""Ask DVC about the data: recorded hashes, clean or not; add and push. Checks everything it returns.

A `repository`, an `output` and a `cache` are DVC's own objects; `data.pull` uses them too, through the functions here.
"""

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from foldproof.data.dataset import hash_rows
from foldproof.data.scan import Scan
from foldproof.data.versions.guard import refuse_link
from foldproof.data.versions.listing import (
    LEGACY,
    files_of,
    is_legacy,
    list_in,
    local_outputs,
    oid_of,
    outputs_of,
    place_of,
)
from foldproof.data.versions.lists import Files
from foldproof.data.versions.opening import holding, opened, told
from foldproof.data.versions.reached import name_of_remote, refuse_names, remote_of
from foldproof.data.versions.unfinished import root_of
from foldproof.data.versions.versioned import DataVersion, VersionDifference, compare, judged
from foldproof.data.walk import some
from foldproof.errors import DataError
from foldproof.provenance.dulwich_filters import users_filters_alone
from foldproof.storage import Md5


@dataclass(frozen=True, kw_only=True)
class DvcRecord:
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


def is_versioned(folder: Path) -> bool:
    """Whether DVC has recorded the folder, by a `.dvc` file or as an output of dvc.yaml; no, where it cannot say."""
    with suppress(DataError):
        if has_repository(folder):
            with opened(folder, f"cannot find out what DVC recorded of {folder}") as repository:
                return any(output.hash_info for output in outputs_of(repository, folder))
    return False


def cache_folders(folder: Path) -> tuple[Path, ...]:
    """Where DVC keeps files that links in `folder` may lead to."""
    if not has_repository(folder):
        return ()
    with opened(folder, "cannot read DVC's settings") as repository:
        return (Path(repository.cache.local.path),)


def recorded(folder: Path) -> DvcRecord | None:
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
        return DvcRecord(
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


def difference_of(folder: Path, files: Files, there: Mapping[str, str], *, legacy: bool) -> VersionDifference:
    """How what is there differs from `files`, recorded by whichever version of DVC."""
    difference = compare(files, there)
    if not legacy or not difference.changed:
        return difference
    with told("cannot hash as DVC 2 did"):
        from dvc.fs import localfs
        from dvc_data.hashfile.hash import file_md5

        again = {path: file_md5(str(folder / path), localfs, name=LEGACY) for path in difference.changed}
    return compare(files, {**there, **again})


def init(root: Path) -> None:
    """Make `root` a DVC repository, with git where there is git. Raises DataError."""
    in_git = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    with told(f"cannot make a DVC repository in {root}"), users_filters_alone(root):
        from dvc.repo import Repo

        Repo.init(str(root), no_scm=in_git is None, subdir=in_git not in (None, root)).close()


def add_local_remote(root: Path, name: str, path: Path) -> None:
    """Let the folder `path` be the default remote, by a relative path, so that both can move together."""
    with opened(root, f"cannot add the remote '{name}'") as repository, repository.config.edit("repo") as settings:
        settings["remote"][name] = {"url": os.path.relpath(path)}  # DVC makes it relative to its settings file
        settings["core"]["remote"] = name


def add(folder: Path) -> tuple[Path, ...]:
    """Version `folder`; the files that git should know now. Raises DataError.

    `data.add` is this with the checks around it: of pipes, on which DVC would hang, and of all by which what is
    versioned would not be what is trained on.
    """
    with (
        opened(folder, f"cannot version {folder}") as repository,
        holding(repository),
        users_filters_alone(folder.parent),
    ):
        _check_older_list(repository, folder)
        for written_to in (folder.with_name(f"{folder.name}.dvc"), folder.with_name(".gitignore")):
            refuse_link(written_to)
        stages = repository.add([str(place_of(repository, folder))])
        written = [Path(stage.path) for stage in stages]
        ignoring = [Path(output.fs_path).parent / ".gitignore" for stage in stages for output in stage.outs]
        return tuple(path for path in dict.fromkeys([*written, *ignoring]) if path.exists())


def _check_older_list(repository: Any, folder: Path) -> None:
    """Raises DataError where DVC would take over a damaged list: that of the output which `folder` is a part of."""
    place = place_of(repository, folder)
    for output in outputs_of(repository, folder):
        if output.is_dir_checksum and place != Path(output.fs_path) and place.is_relative_to(output.fs_path):
            list_in(output)


def ignored(folder: Path, paths: Sequence[str]) -> tuple[str, ...]:
    """Those files of the folder that a `.dvcignore` leaves out."""
    with opened(folder, f"cannot version {folder}") as repository:
        place = place_of(repository, folder)
        return tuple(path for path in paths if repository.dvcignore.is_ignored_file(str(place / path)))


def remember(folder: Path, md5: Mapping[str, str]) -> None:
    """Tell DVC the true hashes of files: it believes that one of the same size, time and inode has not changed."""
    with opened(folder, f"cannot version {folder}") as repository:
        from dvc.fs import localfs
        from dvc_data.hashfile.hash_info import HashInfo

        for path, value in md5.items():
            repository.state.save(str(place_of(repository, folder) / path), localfs, HashInfo("md5", value))


def push(folder: Path) -> int:
    """Send what the remote lacks of all that is versioned; how many files. Raises DataError."""
    with opened(folder, "cannot push") as repository:
        outputs = local_outputs(repository)
        refuse_names(repository, {name_of_remote(repository, [output]) for output in outputs})
        return int(repository.push())


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
