"""An experiment of two folds and two repeats on six images, planned without a network: values for tests of plans."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from foldproof.config.schema import ExecutionConfig, ExperimentConfig, FoldSettings, PixelSettings, TrainSettings
from foldproof.data.dataset import Dataset, Sample
from foldproof.executors import Executor
from foldproof.folds import Assignment, Scheme
from foldproof.plan.inputs import prepare_inputs
from foldproof.plan.make import make_plan
from foldproof.plan.models import measure
from foldproof.plan.open import open_runs, read_circumstances
from foldproof.plan.options import NEW_RUNS
from foldproof.plan.planned import PlannedRun
from foldproof.plan.splits import Splits
from foldproof.project import Project
from foldproof.provenance.numeric import NumericClass
from foldproof.records.store import RunStore
from foldproof.training.task import ModelRequest, Probe
from foldproof.training_data.load import TrainingData

NUMERIC = NumericClass(
    **dict.fromkeys(
        ("torch", "device", "device_name", "instruction_set", "memory_format", "optimizer_kernel", "training_code"), "x"
    ),
    threads=1,
    switches=(),
    tf32=False,
    compiled=False,
    plugins="",
    fingerprint="y",
)
PROBE = Probe(
    device="cpu",
    image_size=24,
    numeric_class=NUMERIC,
    seconds_per_step=10.0,
    seconds_per_image=0.5,
    precision_is_slow=False,
    weights_bytes=1,
    state_bytes=1,
    memory_bytes=1,
    features=3,
    trunk="trunk",
)
CONFIG = ExperimentConfig(
    name="one", pixels=PixelSettings(), folds=FoldSettings(k=2, seed=7, repeats=2), train=TrainSettings(epochs=3)
)
DATASET = Dataset.of([Sample(f"{at:064x}", "ab"[at % 2], f"{at}.png") for at in range(6)])
SPLITS = Splits(
    DATASET,
    {
        (Scheme(2, 7), 0): Assignment(0, np.array([0, 0, 0, 1, 1, 1])),
        (Scheme(2, 7), 1): Assignment(1, np.array([0, 1, 0, 1, 0, 1])),
    },
)


def request_of(folder: Path = Path("plugins"), **changed: Any) -> ModelRequest:
    return replace(ModelRequest.of(CONFIG, classes=("a", "b"), device="auto", plugins=folder), **changed)


def opened(
    project: Project,
    configs: Sequence[ExperimentConfig],
    data: TrainingData,
    executor: Executor,
    execution: ExecutionConfig,
) -> tuple[PlannedRun, ...]:
    """New runs of the experiments, ready to be trained."""
    plan = make_plan(measure(project, configs, data, executor, execution, NEW_RUNS), RunStore((), {}), NEW_RUNS)
    return open_runs(prepare_inputs(plan, executor), read_circumstances(plan))
