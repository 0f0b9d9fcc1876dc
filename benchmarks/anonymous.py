"""A command in; how much anonymous memory its processes took, in a control group if asked, out.

Anonymous memory (RssAnon) is what a process holds for itself: pages of mapped files, which the system can drop and read
again, do not count. A control group limits all of it and the pages of files that are kept as well.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.1
GROUPS = Path("/sys/fs/cgroup/memory")


@dataclass
class Anonymous:
    """Bytes: the most that all processes held at once, which they were then, and the most that each one held."""

    peak: int = 0
    at_peak: dict[str, int] = field(default_factory=dict)
    after_seconds: float = 0.0  # of the peak
    each: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    returncode: int = 0


def watch(command: Sequence[str], folder: Path, *, group: Path | None = None) -> Anonymous:
    """Run a command to its end and look at it and all that it starts every tenth of a second."""
    found, began, before = Anonymous(), time.perf_counter(), os.times()
    inside = ["sh", "-c", f'echo $$ > {group}/cgroup.procs; exec "$@"', "sh", *command] if group else list(command)
    with subprocess.Popen(inside, cwd=folder) as process:
        root = psutil.Process(process.pid)
        while process.poll() is None:
            now = _held(root)
            for name, held in now.items():
                found.each[name] = max(found.each.get(name, 0), held)
            if sum(now.values()) > found.peak:
                found.peak, found.at_peak = sum(now.values()), now
                found.after_seconds = time.perf_counter() - began
            time.sleep(SAMPLE_SECONDS)
    after = os.times()
    found.seconds, found.returncode = time.perf_counter() - began, process.returncode
    found.cpu_seconds = sum(after[2:4]) - sum(before[2:4])
    return found


@contextmanager
def control_group(name: str, limit: int) -> Iterator[Path]:
    """A group of version 1 whose processes may hold `limit` bytes together, removed afterwards."""
    group = GROUPS / name
    group.mkdir()
    try:
        (group / "memory.limit_in_bytes").write_text(str(limit))
        yield group
    finally:
        group.rmdir()


def killed(group: Path) -> int:
    """How many processes of the group the system killed for want of memory."""
    said = dict(line.split() for line in (group / "memory.oom_control").read_text().splitlines())
    return int(said.get("oom_kill", 0))


def _held(root: psutil.Process) -> dict[str, int]:
    held: dict[str, int] = {}
    with suppress(psutil.NoSuchProcess):
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.NoSuchProcess, OSError):
                held[f"{_role(process, root)} {process.pid}"] = _anonymous(process.pid)
    return held


def _anonymous(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon")), 0)


def _role(process: psutil.Process, root: psutil.Process) -> str:
    if process == root:
        return "foldproof"
    command = " ".join(process.cmdline())
    return next((role for role, word in _ROLES.items() if word in command), process.name())


_ROLES = {"MLflow": "mlflow", "worker": "multiprocessing.spawn", "resource tracker": "resource_tracker"}
