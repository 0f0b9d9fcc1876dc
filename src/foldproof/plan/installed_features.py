"""Compute features by the network whose weights are installed, for those who judge images without a run."""

import hashlib
import os
import platform
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from foldproof.data.dataset import Dataset
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.originals import Originals
from foldproof.data.survey import Progress
from foldproof.data.value_range import ValueRange
from foldproof.errors import DataError
from foldproof.executors import Executor, ExecutorContext
from foldproof.executors.process import ProcessExecutor
from foldproof.executors.stopping import Stopping
from foldproof.models.lite0_weights import lite0_weights
from foldproof.plan.features import Pass, computing, task_of_all
from foldproof.provenance.foldproof_code import code_digest
from foldproof.provenance.machine import available_cores, processor
from foldproof.provenance.packages import DECISIVE, OF_DEEP_IMAGES, installed
from foldproof.training.frozen.rows import FeatureRows, FeatureStore, kept_or_computed
from foldproof.training.task import ModelRequest

BACKBONE, SIZE, WIDTH = "efficientnet_lite0", 224, 1280
_CODE = ("foldproof.training.frozen.extraction", "foldproof.models.efficientnet_lite0")
_SWITCHES = ("ATEN_", "DNNL_", "MKL_", "ONEDNN_")  # environment variables that torch's libraries read
_REQUEST = ModelRequest(
    backbone=BACKBONE,
    pretrained=True,
    freeze_backbone=True,
    image_size=SIZE,
    any_image_size=False,
    classes=("", ""),  # of the head, which nobody uses
    batch_size=1,
    threads=1,
    device="cpu",
    plugins=None,
)


def installed_pass(
    dataset: Dataset, folder: Path, *, within: ValueRange | None, most_pixels: int, cache: Path, limit_gb: float
) -> Pass:
    """The pass of all images, as they lie in `folder`; `cache` keeps its rows. Raises ModelError without weights."""
    form = Form(size=SIZE, within=within)
    store = FeatureStore(
        cache=cache,
        limit_gb=limit_gb,
        width=WIDTH,
        backbone=BACKBONE,
        numeric_class=_numeric_class(),
        precision="float32",
    )
    trunk = hashlib.sha256(lite0_weights().read_bytes()).hexdigest()
    return Pass(
        task=task_of_all(_REQUEST, dataset, Originals(folder, form, most_pixels)),
        rows=FeatureRows.of(store, dataset, form, trunk=trunk),
    )


def features_of(one: Pass, executor: Executor, progress: Progress) -> NDArray[np.float32]:
    """[image, feature], kept or computed. Raises DataError where an image changed since it was looked at."""
    try:
        return kept_or_computed(one.rows, computing(one.task, executor, partial(progress, "computing features")))
    except DataError as error:
        raise DataError(error.what, next_step="put it back as it was, then try again") from error


@contextmanager
def all_cores() -> Iterator[ProcessExecutor]:
    """A process of one thread for each core, started when they have work; leaving the block ends them.

    Two of one thread and not one of two: threads that wait for each other suffer from any neighbour.
    """
    with closing(Stopping()) as stopping, ExitStack() as held:
        context = ExecutorContext(
            parallel_folds=None, threads=1, stopping=stopping, device="cpu", folds=available_cores()
        )
        executor = ProcessExecutor(context)
        held.push(executor)
        yield executor


def _numeric_class() -> tuple[str, ...]:
    """Stands for the numeric class of those processes without loading torch: on one machine it follows from this."""
    versions = installed()
    packages = [f"{name} {versions[name]}" for name in (*DECISIVE, *OF_DEEP_IMAGES) if name in versions]
    switches = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith(_SWITCHES)]
    return processor(), platform.machine(), platform.system(), code_digest(_CODE), *packages, *switches
