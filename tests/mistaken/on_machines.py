"""What a machine refuses: room, memory, permission, a GPU, the network. Only root makes a disk of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

from mistaken.mistake import Mistake, unprivileged

MEMORY_BYTES = 6_000_000_000


@cache
def can_mount() -> bool:
    """Whether this is root on Linux and may mount a file system."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return False
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], check=False, capture_output=True
    )
    return tried.returncode == 0


def disk_at_runs(*options: str, leaving_bytes: int | None = None) -> Callable[[Path], None]:
    """`runs` lies on a disk of 64 MB; of it `leaving_bytes` are free."""

    def prepare(project: Path) -> None:
        runs = project / "runs"
        runs.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(("size=64m", *options)), "tmpfs", runs], check=True)
        if leaving_bytes is not None:
            (runs / "ballast").write_bytes(bytes(64 * 2**20 - leaving_bytes))

    return prepare


def unmounted(project: Path) -> None:
    subprocess.run(["umount", project / "runs"], check=True)


def without_network() -> dict[str, str]:
    return dict.fromkeys(("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"), "http://127.0.0.1:9")


MISTAKES = (
    Mistake(
        "A disk that is full",
        "foldproof run",
        disk_at_runs(leaving_bytes=0),
        possible=can_mount,
        cleared=unmounted,
    ),
    Mistake(
        "A disk that will be full",
        "foldproof run --set train.backbone=resnet18 --set data.image_size=32",
        disk_at_runs(),
        possible=can_mount,
        cleared=unmounted,
    ),
    Mistake(
        "A disk that is read-only",
        "foldproof run",
        disk_at_runs("ro"),
        possible=can_mount,
        cleared=unmounted,
    ),
    Mistake(
        "No permission to write runs",
        "foldproof run",
        lambda project: (project / "runs").mkdir(mode=0o500),
        through=unprivileged(),
    ),
    Mistake(
        "No permission to write a report",
        "foldproof report -o shared/report.html",
        lambda project: (project / "shared").mkdir(mode=0o500),
        world="trained",
        through=unprivileged(),
    ),
    Mistake(
        "No memory for a batch",
        "foldproof run --set train.batch_size=18 --set data.image_size=3000",
        through=("prlimit", f"--as={MEMORY_BYTES}"),
    ),
    Mistake("No GPU", "foldproof run --set execution.device=cuda", environment={"CUDA_VISIBLE_DEVICES": ""}),
    Mistake(
        "No network for pretrained weights",
        "foldproof run --set train.backbone=resnet18 --set train.pretrained=true --set data.image_size=32",
        environment=without_network(),
    ),
)
