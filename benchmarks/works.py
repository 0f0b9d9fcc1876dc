"""The works that are measured: images, a model, what is trained of it, and in which ways foldproof does it. A table."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal


@dataclass(frozen=True)
class Experiment:
    """What one experiment changes: epochs and learning rate."""

    name: str
    epochs: int
    lr: float


@dataclass(frozen=True)
class Way:
    """How foldproof is called: `changed` as `--set` has it; warm = what earlier runs left in its cache is there.

    `targets`: how many times as fast it must be as the usual script, and as the best of all others.
    """

    name: str
    changed: tuple[str, ...] = ()
    warm: bool = False
    targets: tuple[float, float] | None = None

    @property
    def bfloat16(self) -> bool:
        return "train.precision=bfloat16" in self.changed


MAIN_JOB = (Experiment("FirstRun", 2, 0.001), Experiment("Run_5_Epochs", 5, 0.001), Experiment("Run_High_LR", 5, 0.01))
COLD = Way("cold")
_FROZEN = (Way("cold", targets=(40.0, 30.0)), Way("warm", warm=True, targets=(120.0, 90.0)))


@dataclass(frozen=True)
class Work:
    """Images, a model and what is trained of it. `count`: images in all, about as many of each class.

    A frozen backbone has published weights, or what stands in their place. `script_seconds`: what the usual script
    takes on 2 cores, roughly, for the estimate at the start.
    """

    name: str
    about: str
    images: Literal["digits", "photos"]
    count: int
    image_size: int
    backbone: str
    frozen: bool = False
    folds: int = 5
    batch_size: int = 32
    experiments: tuple[Experiment, ...] = MAIN_JOB
    ways: tuple[Way, ...] = (COLD,)
    script_seconds: float = 60.0

    @property
    def fold_epochs(self) -> int:
        """Epochs of all folds of all experiments."""
        return self.folds * sum(self.epochs.values())

    @property
    def epochs(self) -> Mapping[str, int]:
        """Epochs of each experiment."""
        return {experiment.name: experiment.epochs for experiment in self.experiments}


_ALL = (
    Work(
        "tiny",
        "60 digits, 2 folds, 1 epoch: to try the measuring itself",
        images="digits",
        count=60,
        image_size=28,
        backbone="small_cnn",
        folds=2,
        batch_size=16,
        experiments=(Experiment("One", 1, 0.001),),
        script_seconds=5.0,
    ),
    Work(
        "tiny-frozen",
        "40 photos, resnet18 with random weights, frozen, 224 px, 2 folds: to try the measuring itself",
        images="photos",
        count=40,
        image_size=224,
        backbone="resnet18",
        frozen=True,
        folds=2,
        batch_size=16,
        experiments=(Experiment("One", 3, 0.001),),
        ways=_FROZEN,
        script_seconds=20.0,
    ),
    Work(
        "digits",
        "small_cnn, 28 px, 5,000 digits: the main job of `foldproof demo`",
        images="digits",
        count=5000,
        image_size=28,
        backbone="small_cnn",
        ways=(Way("cold", targets=(6.0, 3.0)),),
        script_seconds=370.0,
    ),
    Work(
        "frozen-resnet18",
        "resnet18, frozen, 224 px, photos; its weights are one file of random numbers: as fast as ImageNet's",
        images="photos",
        count=600,
        image_size=224,
        backbone="resnet18",
        frozen=True,
        ways=_FROZEN,
        script_seconds=900.0,
    ),
    Work(
        "frozen-efficientnet_lite0",
        "efficientnet_lite0 with ImageNet weights, frozen, 224 px, photos",
        images="photos",
        count=600,
        image_size=224,
        backbone="efficientnet_lite0",
        frozen=True,
        ways=_FROZEN,
        script_seconds=1100.0,
    ),
    Work(
        "fine-tuned-resnet18",
        "resnet18 from random weights, all of it trained, 224 px, photos",
        images="photos",
        count=200,
        image_size=224,
        backbone="resnet18",
        experiments=(Experiment("TwoEpochs", 2, 0.001),),
        ways=(
            Way("float32", targets=(1.6, 1.4)),
            Way("bfloat16", changed=("train.precision=bfloat16",), targets=(3.5, 3.0)),
        ),
        script_seconds=250.0,
    ),
)
WORKS: Mapping[str, Work] = MappingProxyType({work.name: work for work in _ALL})
