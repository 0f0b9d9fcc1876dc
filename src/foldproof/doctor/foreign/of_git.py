"""Find what git would run, fetch from or write to because of a folder's `.git`. Pure, over text and names."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from foldproof.doctor.foreign.finding import Kind, Suspect
from foldproof.doctor.foreign.ini import Setting, settings_of
from foldproof.doctor.foreign.tree import Tree, TreeEntry


class GitRule(NamedTuple):
    """A setting whose key and value fit; what it does."""

    key: re.Pattern[str]
    value: re.Pattern[str]
    kind: Kind
    effect: str


def _rule(key: str, kind: Kind, effect: str, value: str = ".*") -> GitRule:
    return GitRule(
        re.compile(key, re.IGNORECASE | re.DOTALL), re.compile(value, re.IGNORECASE | re.DOTALL), kind, effect
    )


_A_PROGRAM = r"(?!(true|false|yes|no|on|off|[01])?\Z).*"
_OUTSIDE = r"\s*\"?(/|~|.*\.\.).*"
_LOOKS = "git runs it when it looks at files; foldproof does not"
_SHOWS = "git runs it to show or edit"
_TALKS = "git runs it when it fetches or pushes"
_USES = "git uses it when it fetches or pushes"
RULES = (
    _rule(r"filter\..*\.(clean|smudge|process)", "runs", _LOOKS),
    _rule(r"core\.fsmonitor", "runs", _LOOKS, _A_PROGRAM),
    _rule(r"core\.hookspath", "runs", "git runs the hooks in there; foldproof does not"),
    _rule(r"(diff\.external|diff\..*\.(command|textconv)|merge\..*\.driver)", "runs", _SHOWS),
    _rule(r"alias\..*", "runs", "git runs it by that name", "!.*"),
    _rule(r"(core|sequence)\.(pager|editor)|pager\..*|.*\.cmd|interactive\.difffilter", "runs", _SHOWS, _A_PROGRAM),
    _rule(r"core\.(sshcommand|gitproxy|askpass|alternaterefscommand)|credential(\..*)?\.helper", "runs", _TALKS),
    _rule(r"remote\..*\.(uploadpack|receivepack|vcs)", "runs", _TALKS),
    _rule(r"(remote\..*\.(url|pushurl)|submodule\..*\.url)", "runs", _TALKS, r"\s*\"?\w+::.*|\s*\"?-.*"),
    _rule(r"submodule\..*\.update", "runs", "git runs it when it brings submodules up to date", "!.*"),
    _rule(r"gpg(\..*)?\.(program|defaultkeycommand)", "runs", "git runs it to sign or check"),
    _rule(r"gc\.recentobjectshook|uploadpack\.packobjectshook|trailer\..*\.(command|cmd)", "runs", "git runs it"),
    _rule(r"sendemail\..*cmd|imap\.tunnel", "runs", "git runs it"),
    _rule(r"lfs\.(extension\..*|customtransfer\..*|(.*\.)?standalonetransferagent)", "runs", "git-lfs runs it"),
    _rule(r"url\..*\.(insteadof|pushinsteadof)", "sends", "git fetches and pushes there instead"),
    _rule(r"http(\..*)?\.(proxy|extraheader|cookiefile|sslcert|sslkey)", "sends", _USES),
    _rule(r"lfs(\..*)?\.(url|pushurl)", "sends", "git-lfs fetches and pushes there"),
    _rule(r"core\.worktree", "leads out", "git takes the files in there for the repository's"),
    _rule(r"(include|includeif\..*)\.path", "leads out", "git takes more settings from there", _OUTSIDE),
    _rule(r"core\.(attributesfile|excludesfile)", "leads out", "git reads it", _OUTSIDE),
    _rule(r"(include|includeif\..*)\.path", "note", "git takes more settings from there"),
    _rule(r"(remote\..*\.(url|pushurl)|submodule\..*\.url)", "note", "git fetches from it when you ask for it"),
)


def of_git(tree: Tree) -> Iterator[Suspect]:
    """Settings, hooks and what else in `.git` leads somewhere."""
    files = {entry.path: entry for entry in tree.entries if entry.is_file}
    for path in files:
        parts = path.split("/")
        is_settings = ".git" in parts[:-1] and parts[-1] in ("config", "config.worktree")
        if is_settings or parts[-1] in (".gitmodules", ".lfsconfig"):
            yield from of_settings(path, tree.text(path))
        elif parts[-1] == ".git":
            yield from _of_pointer(path, tree.text(path))
        elif path.endswith((".git/commondir", "objects/info/alternates")):
            yield Suspect("leads out", path, _first_line(tree.text(path)), "git reads files of that repository")
    yield from of_hooks(files)
    yield from of_posing(tree.entries)


def of_settings(path: str, text: str | None) -> Iterator[Suspect]:
    """The settings in a file of git's that name programs, hosts and other folders; of each the first rule that fits."""
    if text is None:
        yield Suspect("note", path, "cannot be read", "git would read it")
        return
    for setting in settings_of(text):
        rule = _first(setting)
        if rule is not None:
            yield Suspect(rule.kind, f"{path}, line {setting.line}", f"{setting.key} = {setting.value}", rule.effect)


def of_hooks(paths: Iterable[str]) -> Iterator[Suspect]:
    """Files that git runs by their names; the samples that come with git are none."""
    for path in paths:
        parts = path.split("/")
        if ".git" in parts and parts[-2:-1] == ["hooks"] and not path.endswith(".sample"):
            yield Suspect("runs", path, "a hook", "git runs it on commits, checkouts and the like; foldproof does not")


def of_posing(entries: Iterable[TreeEntry]) -> Iterator[Suspect]:
    """Folders that git takes for a repository although they can be committed like any other."""
    paths = {entry.path for entry in entries}
    for path in paths:
        folder, _, name = path.rpartition("/")
        inside = f"{folder}/" if folder else ""
        if name == "HEAD" and ".git" not in folder.split("/") and {f"{inside}objects", f"{inside}refs"} <= paths:
            yield Suspect("runs", folder or ".", "a folder that poses as a repository", "git obeys the settings in it")


def _of_pointer(path: str, text: str | None) -> Iterator[Suspect]:
    target = _first_line(text).removeprefix("gitdir:").strip()
    kind: Kind = "leads out" if path == ".git" else "note"
    yield Suspect(kind, path, f"the repository is in {target}", "git reads and writes there")


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def _first(setting: Setting) -> GitRule | None:
    return next((r for r in RULES if r.key.fullmatch(setting.key) and r.value.fullmatch(setting.value)), None)
