"""The works that are measured, and the settings of the usual script: two tables of frozen values."""

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


MAIN_JOB = (Experiment("FirstRun", 2, 0.001), Experiment("Run_5_Epochs", 5, 0.001), Experiment("Run_High_LR", 5, 0.01))


@dataclass(frozen=True)
class Work:
    """Images, a model and what is trained of it. `each`: images of each class that are taken, None = all."""

    name: str
    about: str
    images: Literal["digits", "photos"]
    each: int | None
    image_size: int
    backbone: str
    pretrained: bool = False
    frozen: bool = False
    folds: int = 5
    batch_size: int = 32
    experiments: tuple[Experiment, ...] = MAIN_JOB

    @property
    def epochs(self) -> Mapping[str, int]:
        """Epochs of each experiment."""
        return {experiment.name: experiment.epochs for experiment in self.experiments}


@dataclass(frozen=True)
class ScriptSetting:
    """How the usual script is called. `threads` None: as torch does by itself."""

    name: str
    threads: int | None = None
    workers: int = 0
    pip_requirements: bool = False
    features_once: bool = False

    @property
    def arguments(self) -> tuple[str, ...]:
        """As the command line of `usual_script.py` has them."""
        threads = () if self.threads is None else ("--threads", str(self.threads))
        switches = {"--pip-requirements": self.pip_requirements, "--features-once": self.features_once}
        return (*threads, "--workers", str(self.workers), *(name for name, on in switches.items() if on))


USUAL = ScriptSetting("usual")
TUNED = tuple(
    ScriptSetting("best", threads, workers, pip_requirements=True) for threads in (1, 2) for workers in (0, 2)
)
FEATURES = ScriptSetting("features once", pip_requirements=True, features_once=True)
_ALL = (
    Work(
        "tiny",
        "60 digits, 2 folds, 1 epoch: to try the measuring itself",
        images="digits",
        each=6,
        image_size=28,
        backbone="small_cnn",
        folds=2,
        batch_size=16,
        experiments=(Experiment("One", 1, 0.001),),
    ),
    Work(
        "digits",
        "small_cnn, 28 px, 5,000 digits: the main job of `foldproof demo`",
        images="digits",
        each=None,
        image_size=28,
        backbone="small_cnn",
    ),
    Work(
        "frozen-resnet18",
        "resnet18 with random weights, frozen, 224 px",
        images="photos",
        each=75,
        image_size=224,
        backbone="resnet18",
        frozen=True,
    ),
    Work(
        "frozen-efficientnet_lite0",
        "efficientnet_lite0 with ImageNet weights, frozen, 224 px",
        images="photos",
        each=75,
        image_size=224,
        backbone="efficientnet_lite0",
        pretrained=True,
        frozen=True,
    ),
    Work(
        "fine-tuned-resnet18",
        "resnet18 from random weights, all of it trained, 224 px",
        images="photos",
        each=75,
        image_size=224,
        backbone="resnet18",
        experiments=(Experiment("TwoEpochs", 2, 0.001),),
    ),
)
WORKS: Mapping[str, Work] = MappingProxyType({work.name: work for work in _ALL})


def settings_of(work: Work) -> tuple[str, ...]:
    """Names of the settings of the script that a work is measured against."""
    return (USUAL.name, TUNED[0].name, *((FEATURES.name,) if work.frozen else ()))
