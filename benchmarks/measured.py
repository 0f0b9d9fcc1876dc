"""A command in; its seconds, its processor time, its memory and what else the machine did meanwhile, out."""

import os
import resource
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLE_SECONDS = 0.25
_NOT_BUSY = ("idle", "iowait", "guest", "guest_nice")  # what a guest takes is in `user` already


@dataclass(frozen=True)
class Measure:
    """Seconds of wall and processor time of a command and all it started; of all other processes; bytes; load before.

    `peak_rss` is sampled, and a page that several of the processes map counts for each of them.
    """

    wall: float
    cpu: float
    others: float
    cores: int
    peak_rss: int
    load: float

    @property
    def others_share(self) -> float:
        """The part of the machine's processor time that went to other processes, 0..1."""
        return self.others / (self.wall * self.cores)


def measure(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Measure:
    """Run a command to its end. Raises SystemExit, with what it said last, where it fails."""
    load, cores = os.getloadavg()[0], psutil.cpu_count() or 1
    busy, own, began = _busy(), _own(), time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        peak = _Peak(process.pid)
        output, _ = process.communicate()
        wall = time.perf_counter() - began
        peak.end()
    if process.returncode:
        raise SystemExit(f"{' '.join(command[:4])} failed:\n{output[-2000:]}")
    cpu = _own() - own
    return Measure(wall, cpu, max(0.0, _busy() - busy - cpu), cores, peak.bytes, load)


class _Peak:
    """Looks at a process and its descendants until it is told to end."""

    def __init__(self, pid: int) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(psutil.Process(pid),), daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self, root: psutil.Process) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            total = 0
            with suppress(psutil.NoSuchProcess):
                for process in (root, *root.children(recursive=True)):
                    with suppress(psutil.NoSuchProcess):
                        total += process.memory_info().rss
            self.bytes = max(self.bytes, total)


def _busy() -> float:
    times = psutil.cpu_times()._asdict()
    return sum(seconds for name, seconds in times.items() if name not in _NOT_BUSY)


def _own() -> float:
    """Of this process, which samples, and of all that it started and waited for."""
    both = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)
