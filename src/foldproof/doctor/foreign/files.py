"""Find files that run, stand for others or lead out of the folder. Runs and follows nothing."""

import os
import posixpath
import stat
import struct
import sys
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType

from foldproof.doctor.foreign.finding import Kind, Suspect
from foldproof.doctor.foreign.tree import Tree, TreeEntry
from foldproof.errors import DamagedFile
from foldproof.storage import read_inside

_BY_NAME = (".pkl", ".pickle", ".joblib", ".dill")
_BY_CONTENT = (
    *(".p", ".pt", ".pth", ".ckpt", ".npy", ".npz", ".bin", ".sav", ".model"),
    *("", ".dat", ".db", ".cache", ".obj", ".weights", ".params"),
)
_MOST_OPENED = 5_000
_HEAD_BYTES = 4096
_AT_START = "Python runs it at its start where this folder is on its path"
_SETS = "programs that read it take hosts and credentials from it"
_NAMES: Mapping[str, tuple[Kind, str]] = MappingProxyType(
    {
        "sitecustomize.py": ("runs", _AT_START),
        "usercustomize.py": ("runs", _AT_START),
        "conftest.py": ("note", "`pytest` runs it"),
        "setup.py": ("note", "`pip install` of this folder runs it"),
        ".envrc": ("note", "direnv runs it when you enter the folder"),
        ".env": ("note", _SETS),
        ".flaskenv": ("note", _SETS),
        ".netrc": ("note", _SETS),
        "matplotlibrc": ("note", "matplotlib reads it when it is started in this folder"),
        "uv.toml": ("note", "uv takes package indexes from it when it is started in this folder"),
    }
)
_STORES = ("mlflow.db", "mlruns", "mlartifacts")


def check_files(tree: Tree, installed: Collection[str], user: int | None) -> Iterator[Suspect]:
    """What the files of a folder are. `installed`: names of modules; `user`: who looks, where users have numbers."""
    environments = tuple(
        entry.path.removesuffix("pyvenv.cfg") for entry in tree.entries if entry.is_file and entry.name == "pyvenv.cfg"
    )
    for folder in environments:
        effect = "using it runs programs and packages that came with it"
        yield Suspect("runs", folder.rstrip("/") or ".", "a Python environment", effect)
    for entry in tree.entries:
        yield from check_rights(entry, user)
        yield from check_kind(entry)
        if entry.path.startswith(environments):
            yield from _of_paths_file(entry, tree)
            continue
        yield from check_link(entry)
        yield from check_name(entry)
        yield from check_module(entry, installed)
    yield from check_state(tree.entries)
    yield from _of_pickles(tree, environments)


def check_link(entry: TreeEntry) -> Iterator[Suspect]:
    """A link whose target is outside the folder; one reached through a link shows by that link."""
    if entry.is_link:
        target = entry.target.replace(os.sep, "/")
        reached = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), target))
        if posixpath.isabs(target) or reached == ".." or reached.startswith("../"):
            yield Suspect(
                "leads out", entry.path, f"a link to {entry.target}", "reading or writing it reaches that place"
            )


def check_kind(entry: TreeEntry) -> Iterator[Suspect]:
    """A pipe, socket or device."""
    if not (entry.is_file or entry.is_folder or entry.is_link):
        yield Suspect("waits", entry.path, "a pipe, socket or device", "a program that reads it may wait for ever")


def check_name(entry: TreeEntry) -> Iterator[Suspect]:
    """A file that some program runs or obeys because of its name."""
    if entry.is_file and entry.name in _NAMES:
        kind, effect = _NAMES[entry.name]
        yield Suspect(kind, entry.path, "a file that is known by its name", effect)
    elif entry.is_file and entry.path.endswith(".vscode/tasks.json"):
        yield Suspect("note", entry.path, "tasks of an editor", "an editor that trusts the folder can run them")


def check_module(entry: TreeEntry, installed: Collection[str]) -> Iterator[Suspect]:
    """A module in the folder itself that bears the name of one of Python's or of an installed package's."""
    file = entry.path.removesuffix("/__init__.py").removesuffix(".py")
    if not entry.is_file or file == entry.path or "/" in file:
        return
    if file in sys.stdlib_module_names or file in installed:
        whose = "Python" if file in sys.stdlib_module_names else "an installed package"
        effect = "Python that is started in this folder loads it instead; foldproof does not"
        yield Suspect("trusted", entry.path, f"it bears the name of a module of {whose}", effect)


def check_rights(entry: TreeEntry, user: int | None) -> Iterator[Suspect]:
    """What somebody else may change, or what runs with somebody else's rights."""
    if user is not None and entry.owner != user:
        yield Suspect("trusted", entry.path, f"it belongs to user {entry.owner}", "that user can change it at any time")
    elif not entry.is_link and entry.mode & stat.S_IWOTH and not entry.mode & stat.S_ISVTX:
        yield Suspect("trusted", entry.path, "everybody may write it", "any user can change it at any time")
    if entry.is_file and entry.mode & (stat.S_ISUID | stat.S_ISGID):
        yield Suspect("runs", entry.path, "it runs with the rights of its owner", "starting it gives those rights")


def check_state(entries: Collection[TreeEntry]) -> Iterator[Suspect]:
    """What foldproof and MLflow would take for their own."""
    inside = [entry.path for entry in entries if entry.is_file and ".foldproof" in entry.path.split("/")[:-1]]
    if inside:
        more = f" and {len(inside) - 1:,} more" if len(inside) > 1 else ""
        effect = "foldproof takes caches and wheels in there for its own: delete the folder"
        yield Suspect("trusted", f"{inside[0]}{more}", "kept state of foldproof", effect)
    for entry in entries:
        if entry.path in _STORES:
            effect = "`foldproof ui` opens it, `run` and `sync` write to it"
            yield Suspect("trusted", entry.path, "a store of MLflow", effect)


def is_pickle(head: bytes) -> bool:
    """Whether a file that begins so is a pickle, an array of objects, or a model of torch's with a pickle in it."""
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and len(head) > 2:
        return True
    if head[:6] == b"\x93NUMPY" and len(head) >= 12:
        start = 10 if head[6] == 1 else 12
        (length,) = struct.unpack("<H" if head[6] == 1 else "<I", head[8:start])
        return b"O" in head[start : start + length].partition(b"'descr'")[2].partition(b"'fortran")[0]
    return head[:2] == b"PK" and b"data.pkl" in head


def _of_pickles(tree: Tree, environments: tuple[str, ...]) -> Iterator[Suspect]:
    effect = "loading it runs what it says; foldproof loads no pickle"
    opened = 0
    for entry in tree.entries:
        if not entry.is_file or ".git" in entry.path.split("/")[:-1] or entry.path.startswith(environments):
            continue
        ending = posixpath.splitext(entry.name)[1].lower()
        if ending in _BY_NAME:
            yield Suspect("runs", entry.path, "a pickle by its name", effect)
        elif ending in _BY_CONTENT and opened < _MOST_OPENED:
            opened += 1
            if is_pickle(_head(tree, entry)):
                yield Suspect("runs", entry.path, "a pickle by its content", effect)


def _head(tree: Tree, entry: TreeEntry) -> bytes:
    """The beginning of a file, reached through no link."""
    try:
        read_inside(tree.root, entry.path, most_bytes=0)
    except DamagedFile as error:
        if "bytes" not in error.what:
            return b""
    except OSError:
        return b""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(tree.root / entry.path, flags)
    except OSError:
        return b""
    try:
        return os.read(descriptor, _HEAD_BYTES) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(descriptor)


def _of_paths_file(entry: TreeEntry, tree: Tree) -> Iterator[Suspect]:
    """A file by which the Python of an environment finds more modules; a line that begins with import is run."""
    in_reach = posixpath.basename(posixpath.dirname(entry.path)) in ("site-packages", "dist-packages")
    if entry.is_file and in_reach and entry.name.endswith(".pth"):
        lines = (tree.text(entry.path) or "").splitlines()
        runs = any(line.startswith(("import ", "import\t")) for line in lines)
        effect = "the Python of that environment obeys it at each start"
        yield Suspect("runs" if runs else "note", entry.path, "code" if runs else "a list of folders", effect)
