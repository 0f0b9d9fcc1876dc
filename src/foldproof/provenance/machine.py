"""Describe the machine: processor, memory and system."""

import os
import platform
import socket
import sys
from pathlib import Path
from typing import Any

CGROUP = Path("/sys/fs/cgroup")
_UNLIMITED = 2**60  # cgroup v1 writes a number near 2^63 where there is no limit


def describe() -> dict[str, Any]:
    """JSON values only; sizes in bytes. What cannot be found out is None."""
    import psutil

    total = psutil.virtual_memory().total
    return {
        "hostname": socket.gethostname(),
        "system": platform.system(),
        "release": platform.release(),
        "platform": platform.platform(),
        "architecture": platform.machine(),
        "processor": processor(),
        "cores_physical": psutil.cpu_count(logical=False),
        "cores_logical": psutil.cpu_count(logical=True),
        "cores_available": available_cores(),
        "memory_bytes": total,
        "memory_available_bytes": memory_bytes(),
        "python": platform.python_version(),
        "python_implementation": platform.python_implementation(),
    }


def describe_process() -> dict[str, Any]:
    """Who writes a journal: the host's name and the process's number."""
    return {"host": socket.gethostname(), "pid": os.getpid()}


def available_cores() -> int:
    """Cores that this process may use: those it is bound to, within its container's share; at least 1."""
    bound = len(os.sched_getaffinity(0)) if sys.platform == "linux" else (os.cpu_count() or 1)
    share = core_limit(CGROUP)
    return max(1, bound if share is None else min(bound, int(share)))


def processor() -> str:
    """The processor's name as its maker gives it, where the system says so."""
    if sys.platform == "linux":
        for line in _read(Path("/proc/cpuinfo")).splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model", "cpu model"):
                return value.strip()
    return platform.processor() or platform.machine()


def core_limit(cgroup: Path) -> float | None:
    """Cores that the container may keep busy: cgroup v2, else v1, else no limit."""
    quota, _, period = _read(cgroup / "cpu.max").partition(" ")
    if not quota:
        quota = _read(cgroup / "cpu" / "cpu.cfs_quota_us")
        period = _read(cgroup / "cpu" / "cpu.cfs_period_us")
    try:
        return int(quota) / int(period) if int(quota) > 0 else None
    except ValueError:
        return None


def memory_bytes() -> int:
    """Memory that this process and others beside it may use, by machine and container."""
    import psutil

    total = psutil.virtual_memory().total
    limit = memory_limit(CGROUP)
    return total if limit is None else min(total, limit)


def memory_limit(cgroup: Path) -> int | None:
    """Bytes that the container may use: cgroup v2, else v1, else no limit."""
    text = _read(cgroup / "memory.max") or _read(cgroup / "memory" / "memory.limit_in_bytes")
    return int(text) if text.isdigit() and int(text) < _UNLIMITED else None


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
