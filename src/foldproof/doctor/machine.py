"""Check that the packages can be installed again, and what arithmetic, disk and processor allow."""

import os
import shutil
from collections.abc import Iterator

from foldproof.config.schema import ExecutionConfig, ExperimentConfig
from foldproof.doctor.check import ProjectCheck, bad, note, ok
from foldproof.project import Project
from foldproof.provenance import machine, packages
from foldproof.provenance.numeric import PORTABLE
from foldproof.provenance.wheel import own_wheel
from foldproof.storage import redact

_LEAST_FREE = 5 * 10**9
_OTHERS_MODULES = ("PYTHONPATH", "PYTHONSTARTUP")


def check_packages() -> ProjectCheck:
    """Whether `reproduce --env rebuild` could install everything again."""
    elsewhere = packages.find_unindexed()
    if elsewhere:
        shown = ", ".join(f"{name} ({redact(url)})" for name, url in list(elsewhere.items())[:3])
        said = f"{len(elsewhere)} did not come from a package index and cannot be installed again: {shown}"
        return note("packages", said, "install a released version, or keep that folder under git")
    size = len(own_wheel().content) / 1e6
    count = len(packages.installed())
    return ok("packages", f"{count} recorded with each run, and foldproof's own wheel ({size:.1f} MB)")


def check_arithmetic(configs: tuple[ExperimentConfig, ...]) -> Iterator[ProjectCheck]:
    """On which machines the same bits can be expected."""
    portable = all(config.train.portable for config in configs)
    set_here = [name for name in PORTABLE if name in os.environ]
    if set_here and not portable:
        said = f"{', '.join(set_here)} set: bits depend on it, and are the same only where it is set the same"
        yield note("arithmetic", said, "unset it, or set train.portable: true")
    elif portable:
        yield ok("arithmetic", "portable: the same bits on every x86-64 processor with AVX2")
    else:
        said = f"the same bits on processors of this kind only ({machine.processor()})"
        yield note("arithmetic", said, "train.portable: true makes them the same on every x86-64 processor with AVX2")
    injected = [name for name in _OTHERS_MODULES if os.environ.get(name)]
    if injected:
        yield note("arithmetic", f"{', '.join(injected)} can bring code that no record holds", "unset it")


def check_room(
    project: Project, execution: ExecutionConfig, configs: tuple[ExperimentConfig, ...]
) -> Iterator[ProjectCheck]:
    """Disk and processor."""
    free = shutil.disk_usage(project.root).free
    if not os.access(project.root, os.W_OK):
        yield bad("disk", f"{project.root} cannot be written", "fix the permissions")
    elif free < _LEAST_FREE:
        yield bad("disk", f"{free / 1e9:.1f} GB are free", "free some space: `foldproof data cache`")
    else:
        yield ok("disk", f"{free / 1e9:,.0f} GB are free")
    threads = max(config.train.threads for config in configs)
    cores = machine.available_cores()
    if threads > cores:
        yield note("device", f"train.threads is {threads}, there are {cores} cores", "set it to 1")
    elif execution.device == "cpu" or not shutil.which("nvidia-smi"):
        yield ok("device", f"{cores} cores, {threads} thread{'s' if threads > 1 else ''} a fold; no GPU")
    else:
        yield ok("device", "a GPU: bits are the same only on this kind of GPU")
