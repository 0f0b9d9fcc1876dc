"""Find git settings that a repository brings itself, and override those that name programs. Pure."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

_OF_THE_REPOSITORY = ("local", "worktree")
_FILTER = re.compile(r"filter\.(?P<name>.*)\.(?P<key>clean|smudge|process|required)", re.DOTALL)
_LEADS_LFS_ON = re.compile(  # settings by which git-lfs, whoever set it up, starts other programs
    r"lfs\.(extension\..*|customtransfer\..*|(.*\.)?standalonetransferagent)", re.DOTALL | re.IGNORECASE
)
# What `git lfs install --local` and `git-crypt unlock` write: the programs are the user's own, found by PATH.
_USUAL: Mapping[str, Mapping[str, Sequence[str]]] = {
    "lfs": {
        "clean": ("git-lfs clean -- %f",),
        "smudge": ("git-lfs smudge -- %f", "git-lfs smudge --skip -- %f"),
        "process": ("git-lfs filter-process", "git-lfs filter-process --skip"),
        "required": ("true",),
    },
    "git-crypt": {"clean": ('"git-crypt" clean',), "smudge": ('"git-crypt" smudge',), "required": ("true",)},
}
_EMPTY = {"clean": "", "smudge": "", "process": "", "required": "false"}


class GitSetting(NamedTuple):
    """One setting: where it comes from, as git calls it, its name and its value."""

    scope: str
    key: str
    value: str


def parse(listed: bytes) -> list[GitSetting]:
    """What `git config --list --show-scope -z` wrote."""
    fields = listed.decode(errors="surrogateescape").split("\0")
    return [_entry(scope, said) for scope, said in zip(fields[::2], fields[1::2], strict=False)]


def parse_local(listed: bytes) -> list[GitSetting]:
    """What `git config --local --list -z` wrote: only settings of the repository."""
    return [_entry("local", said) for said in listed.decode(errors="surrogateescape").split("\0") if said]


def refused(entries: Iterable[GitSetting]) -> str:
    """Why git is not started at all under these settings; empty where it may be."""
    for entry in entries:
        match = _FILTER.fullmatch(entry.key)
        if match and entry.scope in _OF_THE_REPOSITORY and re.search(r"[=\0-\x1f\x7f]", match["name"]):
            return "the repository's settings bring a filter of a name that cannot be overridden"
    return ""


def left_out(entries: Sequence[GitSetting]) -> tuple[str, ...]:
    """Names of the filters that the repository brings and that must not run, sorted."""
    own: dict[str, list[tuple[str, str]]] = {}
    for entry in entries:
        match = _FILTER.fullmatch(entry.key)
        if match and entry.scope in _OF_THE_REPOSITORY:
            own.setdefault(match["name"], []).append((match["key"], entry.value))
    names = {name for name, values in own.items() if not _is_usual(name, values)}
    if _leads_lfs_on(entries):
        names.add("lfs")
    return tuple(sorted(names))


def made_harmless(entries: Sequence[GitSetting]) -> tuple[str, ...]:
    """Settings, as `-c` takes them, that give the repository's own filters what the user's settings say, or nothing."""
    users = {entry.key: entry.value for entry in entries if entry.scope not in _OF_THE_REPOSITORY}
    if _leads_lfs_on(entries):
        users |= {f"filter.lfs.{part}": value for part, value in _EMPTY.items()}
    brought = {entry.key for entry in entries if entry.scope in _OF_THE_REPOSITORY}
    found = []
    for name in left_out(entries):
        for part, empty in _EMPTY.items():
            key = f"filter.{name}.{part}"  # an empty `process` would keep the user's `clean` from running
            if key in users or key in brought:
                found.append(f"{key}={users.get(key, empty)}")
    return tuple(found)


def names_worktree(entries: Iterable[GitSetting]) -> bool:
    """Whether the repository says itself which files are its own."""
    return any(entry.key == "core.worktree" and entry.scope in _OF_THE_REPOSITORY for entry in entries)


def _entry(scope: str, said: str) -> GitSetting:
    key, _, value = said.partition("\n")
    return GitSetting(scope, key, value)


def _leads_lfs_on(entries: Iterable[GitSetting]) -> bool:
    return any(entry.scope in _OF_THE_REPOSITORY and _LEADS_LFS_ON.fullmatch(entry.key) for entry in entries)


def _is_usual(name: str, values: Iterable[tuple[str, str]]) -> bool:
    usual = _USUAL.get(name, {})
    return all(value in usual.get(key, ()) for key, value in values)
