"""`Mistake`: what is wrong and what is typed; a folder in, what foldproof then prints and its exit code out."""

import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mistaken.worlds import Worlds

ROOT_MAY_NOT = (  # root reads and writes everything; without these two rights it is like anybody else
    "setpriv",
    "--inh-caps=-dac_override,-dac_read_search",
    "--bounding-set=-dac_override,-dac_read_search",
)
SHELL = shutil.which("sh") or "sh"
TIMEOUT_SECONDS = 120
_STEADY: tuple[tuple[str, str], ...] = (
    (r"\b\d{8}-\d{6}-[a-z2-7]{6}\b", "20260102-030405-abcdef"),
    (r"/tmp/\S*?foldproof-\w+\.log", "/tmp/foldproof-abc123.log"),
    (r"\+(?:cu\d+|cpu)\b", ""),
    (r"\bprocess \d+", "process 4711"),
    (r"0x[0-9a-f]{6,}", "0x7f00"),
    (r"[0-9,]+ GB are free", "100 GB are free"),
)


def nothing(project: Path) -> None:
    """The mistake is in what is typed."""


def always() -> bool:
    """Everybody can make it."""
    return True


@dataclass(frozen=True)
class Mistake:
    """`prepare` makes it in a project of the kind `world`; `typed` is then typed there, by `through` something."""

    title: str
    typed: str
    prepare: Callable[[Path], object] = nothing
    world: str = "bare"
    code: int = 2
    within: str = "."  # the folder in which it is typed, in the project
    possible: Callable[[], bool] = always
    through: tuple[str, ...] = ()
    cleared: Callable[[Path], object] = nothing
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        return re.sub(r"[^a-z0-9]+", "-", self.title.lower()).strip("-")


@dataclass(frozen=True)
class Told:
    """The last lines of stderr, from the error on, with what differs from place to place replaced."""

    text: str
    code: int
    whole: str

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def made(mistake: Mistake, worlds: Worlds) -> Told:
    """Make it and see what is said."""
    home = worlds.make(mistake.world)
    project = home / "project"
    try:
        mistake.prepare(project)
        done = subprocess.run(
            [*mistake.through, SHELL, "-c", mistake.typed],
            cwd=project / mistake.within,
            env={**worlds.environment(home), **mistake.environment},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    finally:
        mistake.cleared(project)
    whole = steady(done.stderr, home)
    at = re.search(r"^(error|unexpected): ", whole, re.MULTILINE)
    return Told(whole[at.start() if at else 0 :].rstrip(), done.returncode, whole)


def steady(text: str, home: Path) -> str:
    """`text` as it would be on any machine and day."""
    text = text.replace(str(home), "~").replace(platform.node(), "box")
    for pattern, shown in _STEADY:
        text = re.sub(pattern, shown, text)
    return text


def unprivileged() -> tuple[str, ...]:
    """What a command is typed through so that permissions count."""
    return ROOT_MAY_NOT if sys.platform == "linux" and os.geteuid() == 0 else ()
