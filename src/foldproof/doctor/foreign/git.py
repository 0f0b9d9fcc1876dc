"""Find what git would run, fetch from or write to because of a folder's `.git`. Pure, over text and names."""

from collections.abc import Iterable, Iterator

from foldproof.doctor.foreign.finding import Kind, Suspect
from foldproof.doctor.foreign.ini import KeyRule, judged
from foldproof.doctor.foreign.tree import Tree, TreeEntry

_A_PROGRAM = r"(?!(true|false|yes|no|on|off|[01])?\Z).*"
_OUTSIDE = r"\s*\"?(/|~|.*\.\.).*"
_LOOKS = "git runs it when it looks at files; foldproof does not"
_SHOWS = "git runs it to show or edit"
_TALKS = "git runs it when it fetches or pushes"
_USES = "git uses it when it fetches or pushes"
RULES = (
    KeyRule(r"filter\..*\.(clean|smudge|process)", "runs", _LOOKS),
    KeyRule(r"core\.fsmonitor", "runs", _LOOKS, _A_PROGRAM),
    KeyRule(r"core\.hookspath", "runs", "git runs the hooks in there; foldproof does not"),
    KeyRule(r"(diff\.external|diff\..*\.(command|textconv)|merge\..*\.driver)", "runs", _SHOWS),
    KeyRule(r"alias\..*", "runs", "git runs it by that name", "!.*"),
    KeyRule(r"(core|sequence)\.(pager|editor)|pager\..*|.*\.cmd|interactive\.difffilter", "runs", _SHOWS, _A_PROGRAM),
    KeyRule(r"core\.(sshcommand|gitproxy|askpass|alternaterefscommand)|credential(\..*)?\.helper", "runs", _TALKS),
    KeyRule(r"remote\..*\.(uploadpack|receivepack|vcs)", "runs", _TALKS),
    KeyRule(r"(remote\..*\.(url|pushurl)|submodule\..*\.url)", "runs", _TALKS, r"\s*\"?\w+::.*|\s*\"?-.*"),
    KeyRule(r"submodule\..*\.update", "runs", "git runs it when it brings submodules up to date", "!.*"),
    KeyRule(r"gpg(\..*)?\.(program|defaultkeycommand)", "runs", "git runs it to sign or check"),
    KeyRule(r"gc\.recentobjectshook|uploadpack\.packobjectshook|trailer\..*\.(command|cmd)", "runs", "git runs it"),
    KeyRule(r"sendemail\..*cmd|imap\.tunnel", "runs", "git runs it"),
    KeyRule(r"lfs\.(extension\..*|customtransfer\..*|(.*\.)?standalonetransferagent)", "runs", "git-lfs runs it"),
    KeyRule(r"url\..*\.(insteadof|pushinsteadof)", "sends", "git fetches and pushes there instead"),
    KeyRule(r"http(\..*)?\.(proxy|extraheader|cookiefile|sslcert|sslkey)", "sends", _USES),
    KeyRule(r"lfs(\..*)?\.(url|pushurl)", "sends", "git-lfs fetches and pushes there"),
    KeyRule(r"core\.worktree", "leads out", "git takes the files in there for the repository's"),
    KeyRule(r"(include|includeif\..*)\.path", "leads out", "git takes more settings from there", _OUTSIDE),
    KeyRule(r"core\.(attributesfile|excludesfile)", "leads out", "git reads it", _OUTSIDE),
    KeyRule(r"(include|includeif\..*)\.path", "note", "git takes more settings from there"),
    KeyRule(r"(remote\..*\.(url|pushurl)|submodule\..*\.url)", "note", "git fetches from it when you ask for it"),
)


def check_git(tree: Tree) -> Iterator[Suspect]:
    """Settings, hooks and what else in `.git` leads somewhere."""
    files = {entry.path: entry for entry in tree.entries if entry.is_file}
    for path in files:
        parts = path.split("/")
        is_settings = ".git" in parts[:-1] and parts[-1] in ("config", "config.worktree")
        if is_settings or parts[-1] in (".gitmodules", ".lfsconfig"):
            yield from check_settings(path, tree.text(path))
        elif parts[-1] == ".git":
            yield from _of_pointer(path, tree.text(path))
        elif path.endswith((".git/commondir", "objects/info/alternates")):
            yield Suspect("leads out", path, _first_line(tree.text(path)), "git reads files of that repository")
    yield from check_hooks(files)
    yield from check_posing(tree.entries)


def check_settings(path: str, text: str | None) -> Iterator[Suspect]:
    """The settings in a file of git's that do something."""
    if text is None:
        yield Suspect("note", path, "cannot be read", "git would read it")
        return
    yield from judged(path, text, RULES)


def check_hooks(paths: Iterable[str]) -> Iterator[Suspect]:
    """Files that git runs by their names; the samples that come with git are none."""
    for path in paths:
        parts = path.split("/")
        if ".git" in parts and parts[-2:-1] == ["hooks"] and not path.endswith(".sample"):
            yield Suspect("runs", path, "a hook", "git runs it on commits, checkouts and the like; foldproof does not")


def check_posing(entries: Iterable[TreeEntry]) -> Iterator[Suspect]:
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
