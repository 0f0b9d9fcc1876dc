"""Start git: the only place that does, so that no program from a repository's settings runs and nothing is fetched."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from foldproof.provenance import git_settings
from foldproof.provenance.git_settings import GitSetting

PATIENCE_SECONDS = 20.0
NOT_INSTALLED = "git is not installed"

_NULL = os.devnull
_ALWAYS = (
    *("core.hooksPath=" + _NULL, "core.fsmonitor=false", "core.quotepath=false", "safe.bareRepository=explicit"),
    *("core.pager=cat", "core.askPass=", "credential.helper=", "protocol.allow=never", "log.showSignature=false"),
    *("submodule.recurse=false", "gc.auto=0", "maintenance.auto=false"),
)
# What leads git to another repository, another index or another reading of paths than those of the folder it is
# started in. Whoever runs us from a hook has some of them set.
_ELSEWHERE = frozenset(
    f"GIT_{name}"
    for name in (
        *("DIR", "WORK_TREE", "IMPLICIT_WORK_TREE", "INDEX_FILE", "PREFIX", "COMMON_DIR", "NAMESPACE", "CONFIG"),
        *("OBJECT_DIRECTORY", "ALTERNATE_OBJECT_DIRECTORIES", "GRAFT_FILE", "SHALLOW_FILE", "REPLACE_REF_BASE"),
        *("NO_REPLACE_OBJECTS", "QUARANTINE_PATH", "INTERNAL_SUPER_PREFIX", "ATTR_SOURCE", "EXTERNAL_DIFF"),
        *("LITERAL_PATHSPECS", "GLOB_PATHSPECS", "NOGLOB_PATHSPECS", "ICASE_PATHSPECS"),
    )
)
_CALMLY = {
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",  # known from git 2.45 on, and to some older ones;
    "GIT_ALLOW_PROTOCOL": "",  # to all others every way to fetch is closed
    "GIT_LFS_SKIP_SMUDGE": "1",
    "LC_ALL": "C",
}
_ENTER_SUBMODULES = ("status", "diff")  # git starts itself in each, under the settings that it has there
_MOST_SUBMODULES = 1000


@dataclass(frozen=True)
class Answer:
    """What git said. `code` is None where it could not be started or did not answer in time; `said` then says so."""

    code: int | None
    out: bytes = b""
    said: str = ""

    @property
    def is_yes(self) -> bool:
        return self.code == 0

    @property
    def reason(self) -> str:
        """The last line of what it said, for a person."""
        lines = self.said.strip().splitlines()
        return lines[-1] if lines else f"git ended with code {self.code}"


def git(folder: Path, *arguments: str, patience: float = PATIENCE_SECONDS, content: bytes = b"") -> Answer:
    """Run git in `folder`.

    Hooks, fsmonitor, pagers and credential helpers do not run, whoever set them, and no transport is allowed. Filters
    do not run where the repository's own settings bring them; those of the user's own settings do. Flags of `diff` that
    keep its drivers from running are the caller's to give.
    """
    if is_posing(folder):
        return Answer(None, said=f"{folder} poses as a repository inside another one")
    found = _settings(folder)
    if isinstance(found, Answer):
        return found
    if arguments[0] in _ENTER_SUBMODULES:
        below = _settings_of_submodules(folder, found)
        if isinstance(below, Answer):
            return below
        found = [*found, *below]
    if refused := git_settings.refused(found):
        return Answer(None, said=refused)
    changed = git_settings.made_harmless(found)
    return _run(folder, changed, arguments, environment=_in_place(folder, found), patience=patience, content=content)


def filters_left_out(folder: Path) -> tuple[str, ...] | None:
    """Names of filters that the repository's own settings bring and that therefore do not run; None if git is mute."""
    found = _settings(folder)
    return None if isinstance(found, Answer) else git_settings.left_out(found)


def program() -> str | None:
    """Where git is: in a folder that PATH names in full, never in the one that the command was typed in."""
    name = "git.exe" if os.name == "nt" else "git"
    places = (Path(place) / name for place in os.get_exec_path() if Path(place).is_absolute())
    return next((str(place) for place in places if place.is_file() and os.access(place, os.X_OK)), None)


def is_posing(folder: Path) -> bool:
    """Whether git would take `folder`, or one that it lies in, for a bare repository before it comes to a `.git`.

    Such a folder can be committed like any other, and its settings with it.
    """
    for place in (folder.resolve(), *folder.resolve().parents):
        if (place / ".git").exists():
            return False
        if (place / "HEAD").exists() and (place / "objects").is_dir() and (place / "refs").is_dir():
            return True
    return False


def _settings(folder: Path) -> list[GitSetting] | Answer:
    """All settings that git has in `folder`; reading them runs nothing."""
    found = _run(folder, (), ("config", "--list", "--show-scope", "-z"))
    if found.code == 129:  # before git 2.26 there is no --show-scope
        found = _run(folder, (), ("config", "--local", "--includes", "--list", "-z"))
        return git_settings.parse_local(found.out) if found.code is not None else found
    return git_settings.parse(found.out) if found.is_yes else found


def _settings_of_submodules(folder: Path, found: list[GitSetting]) -> list[GitSetting] | Answer:
    """The settings of all submodules that are checked out, at any depth."""
    entries: list[GitSetting] = []
    waiting, seen = [(folder, found)], 0
    while waiting:
        place, of_place = waiting.pop()
        top = _run(place, (), ("rev-parse", "--show-cdup"), environment=_in_place(place, of_place))
        root = place / os.fsdecode(top.out).rstrip("\n")
        listed = _run(root, (), ("ls-files", "--stage", "-z"), environment=_in_place(root, of_place))
        for row in listed.out.split(b"\0"):
            below = root / os.fsdecode(row.partition(b"\t")[2])
            if not row.startswith(b"160000 ") or not (below / ".git").exists():
                continue
            seen += 1
            inner = _settings(below)
            if isinstance(inner, Answer) or seen > _MOST_SUBMODULES:
                return inner if isinstance(inner, Answer) else Answer(None, said="there are too many submodules")
            entries += inner
            waiting.append((below, inner))
    return entries


def _in_place(folder: Path, found: list[GitSetting]) -> dict[str, str]:
    """Keep git to the files around the folder's `.git`, where a setting leads it to others."""
    if not git_settings.names_worktree(found):
        return {}
    here = folder.resolve()
    root = next((place for place in (here, *here.parents) if (place / ".git").exists()), here)
    return {"GIT_WORK_TREE": str(root)}


def _run(
    folder: Path,
    settings: tuple[str, ...],
    arguments: tuple[str, ...],
    *,
    environment: dict[str, str] | None = None,
    patience: float = PATIENCE_SECONDS,
    content: bytes = b"",
) -> Answer:
    where = program()
    if where is None:
        return Answer(None, said=NOT_INSTALLED)
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    options = [part for setting in (*_ALWAYS, *settings) for part in ("-c", setting)]
    try:
        done = subprocess.run(
            [where, "--no-pager", *options, *arguments],
            cwd=folder,
            env={**kept, **_CALMLY, **(environment or {})},
            input=content,
            capture_output=True,
            timeout=patience,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(None, said=f"git did not answer within {patience:g} seconds")
    except OSError as error:
        return Answer(None, said=f"git cannot be started: {error.strerror or error}")
    return Answer(done.returncode, done.stdout, done.stderr.decode(errors="replace"))
