"""Define `FoldTask`: all that a worker needs, small enough to send anywhere."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from foldproof import registry
from foldproof.config.schema import ExperimentConfig, Precision, TrainSettings
from foldproof.data.dataset import Sample
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.originals import Originals
from foldproof.events.fold_id import FoldId
from foldproof.events.reuse import Reuse
from foldproof.provenance.numeric import NumericClass
from foldproof.training.frozen.rows import FeatureStore


@dataclass(frozen=True, kw_only=True)
class ModelRequest:
    """What a worker must know to build a model and to say what it expects. `plugins`: where its dotted paths lead.

    `parts`: (seam, name) of what else of its training is not built in.
    """

    backbone: str
    pretrained: bool
    freeze_backbone: bool
    image_size: int | Literal["auto"]
    any_image_size: bool
    classes: tuple[str, ...]
    batch_size: int
    threads: int
    device: str
    plugins: Path | None
    portable: bool = False
    channels: int = 3
    precision: Precision = "float32"
    compile: bool = False
    parts: tuple[tuple[str, str], ...] = ()

    @staticmethod
    def of(config: ExperimentConfig, *, classes: tuple[str, ...], device: str, plugins: Path | None) -> "ModelRequest":
        train = config.train
        return ModelRequest(
            backbone=train.backbone,
            pretrained=train.pretrained,
            freeze_backbone=train.freeze_backbone,
            image_size=config.pixels.image_size,
            any_image_size=train.any_image_size,
            classes=classes,
            batch_size=train.batch_size,
            threads=train.threads,
            device="cpu" if train.portable and device == "auto" else device,
            plugins=plugins,
            portable=train.portable,
            channels=config.pixels.channels,
            precision=train.precision,
            compile=train.compile,
            parts=tuple(
                (seam, name)
                for seam, name in (
                    ("augmentations", train.augment),
                    ("class_weights", train.class_weights),
                    ("optimizers", train.optimizer),
                    ("schedules", train.schedule),
                )
                if name not in registry.SEAMS[seam]
            ),
        )


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What a worker found out about a `ModelRequest` before any training: sizes in pixels, times in seconds.

    `precision_is_slow`: this device has no instructions for the precision that is asked for. `weights_bytes` are those
    of the whole model, `state_bytes` about those of a resume state, `memory_bytes` what the process takes once it has
    trained a step. `devices`: the GPUs of one kind that folds may be spread over, if any. Of a frozen backbone,
    `features` is how many numbers a row has, and `trunk` is its `trunk_digest`: that of every fold where the weights
    are published ones. `reusable`: whether all that decides about its bits can be told apart.
    """

    device: str
    image_size: int
    numeric_class: NumericClass
    seconds_per_step: float
    seconds_per_image: float
    precision_is_slow: bool
    weights_bytes: int
    state_bytes: int
    memory_bytes: int
    devices: tuple[str, ...] = ()
    features: int = 0
    trunk: str = ""
    reusable: bool = True


@dataclass(frozen=True, kw_only=True)
class WarmStart:
    """Another fold, all of whose epochs are the first of this one. It wrote, or will write, into `folder`."""

    reuse: Reuse
    fold_key: str
    folder: Path


@dataclass(frozen=True, kw_only=True)
class FeatureTask:
    """Put the images at `positions` through the frozen trunk whose `trunk_digest` is `trunk`.

    `trunk` is empty where nobody knows it; `samples`: those images, where they are decoded for it alone.
    """

    model: ModelRequest
    trunk: str = ""
    images: Path | Originals  # .npy, [image in manifest order, height, width, channel] uint8 or uint16
    positions: NDArray[np.int64]
    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FeatureSpan:
    """The features of some images.  # [position, feature] float32"""

    positions: NDArray[np.int64]
    rows: NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class FoldTask:
    """Train one fold of one run, and write into `folder`. Positions are in manifest order, ascending.

    `form`: what its images are made into. `checkpoint_seconds`: time between two resume states; no result depends on
    it. `stop_after`: the epoch after which to end, without a result; None is the last. `warm_starts`: other folds from
    whose end this one may go on, longest first; the result is the same without. `cuda_graphs`: whether a GPU may replay
    a captured step, which changes no bit. `features`: where those of a frozen backbone are kept; None is nowhere.
    """

    run: str
    repeat: int
    fold: int
    identity: str
    fold_key: str
    model: ModelRequest
    form: Form
    train: TrainSettings
    dataset: Path  # dataset.json
    images: Path | Originals  # .npy, [image in manifest order, height, width, channel] uint8 or uint16
    train_positions: NDArray[np.int64]
    validation_positions: NDArray[np.int64]
    folder: Path
    checkpoint_seconds: float
    stop_after: int | None = None
    profiled: bool = False
    warm_starts: tuple[WarmStart, ...] = ()
    cuda_graphs: bool = False
    features: FeatureStore | None = None

    @property
    def fold_id(self) -> FoldId:
        return FoldId(self.repeat, self.fold)

    @property
    def epochs_of_others(self) -> int:
        """How many of its epochs need not be trained, if all goes well."""
        return self.warm_starts[0].reuse.epochs if self.warm_starts else 0
