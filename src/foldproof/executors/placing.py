"""Place folds on a machine of several GPUs: choose the GPU of each worker."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from foldproof.training.task import FeatureTask, FoldTask

Work = TypeVar("Work", FoldTask, FeatureTask, FoldTask | FeatureTask)


def placed(task: Work, devices: Sequence[str], worker: int) -> Work:
    """The task for worker number `worker`, from 0: workers go round the `devices`; of fewer than two, nothing changes.

    No result depends on it: the devices are of one kind, which is what the numeric class says.
    """
    if len(devices) < 2:
        return task
    return replace(task, model=replace(task.model, device=devices[worker % len(devices)]))


def seems_cpu(device: str) -> bool:
    """Whether folds with this setting will train on the CPU, as far as can be told without asking torch."""
    driver = shutil.which("nvidia-smi") or any(Path(name).exists() for name in ("/dev/nvidiactl", "/dev/dxg"))
    return device == "cpu" or (device == "auto" and not driver)


def free_number(taken: Sequence[int]) -> int:
    """The least number that no worker has."""
    return next(number for number in range(len(taken) + 1) if number not in taken)
