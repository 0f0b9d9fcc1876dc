"""Put images through the models of several folds, in chunks that make a row independent of all others.

A chunk is 32 images, filled up with black ones, the network in eval, one layout in memory and one numeric setting: as
the features of a frozen backbone are defined. So the bits of a probability depend on the image and the models alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from foldproof.config.schema import Precision
from foldproof.data.pixels.fitted import Form
from foldproof.data.values import Scaled
from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.models.backbone import Classifier
from foldproof.predict.model import FoldModel, load_model
from foldproof.reproduce.recorded import Recorded
from foldproof.training.checkpoint import weights_sha256
from foldproof.training.chunks import CHUNK
from foldproof.training.forward import Forward, forward_of
from foldproof.training.frozen.features import frozen_features
from foldproof.training.preprocess import normalised

Judgements: TypeAlias = Mapping[FoldId, NDArray[np.float32]]  # [image, class]


class Judge(Protocol):
    """The models of one or more folds. Threads may ask at once, each in torch's inference mode."""

    def judge(self, pixels: Scaled) -> Judgements:
        """Probabilities of up to 32 images, [image, size, size, channel]."""
        ...


@dataclass(frozen=True)
class WholeNetwork:
    """The model of a fold that was trained from its first layer on."""

    fold_id: FoldId
    classifier: Classifier
    forward: Forward
    device: torch.device

    def judge(self, pixels: Scaled) -> Judgements:
        inputs = normalised(torch.from_numpy(_filled_up(pixels)), self.classifier.input, self.device)
        return {self.fold_id: _probabilities(self.forward(inputs), len(pixels))}


@dataclass(frozen=True)
class SharedTrunk:
    """The models of folds with one frozen trunk: `body` holds it, and images go through it once for all `heads`."""

    body: Classifier
    heads: Mapping[FoldId, torch.nn.Module]
    device: torch.device
    precision: Precision

    def judge(self, pixels: Scaled) -> Judgements:
        rows = frozen_features(self.body, pixels, device=self.device, precision=self.precision).numpy()
        features = torch.from_numpy(_filled_up(rows)).to(self.device)
        return {fold_id: _probabilities(head(features), len(pixels)) for fold_id, head in self.heads.items()}


@dataclass(frozen=True)
class Ensemble:
    """The models of some folds of a run, which take images of one form and know the same classes."""

    judges: tuple[Judge, ...]
    form: Form
    classes: tuple[str, ...]
    fold_ids: tuple[FoldId, ...]

    @staticmethod
    def load(recorded: Recorded, fold_ids: Iterable[FoldId], *, plugins: Path, device: torch.device) -> "Ensemble":
        """Raises what `load_model` does, and DamagedFile where the folds' models take different images."""
        train, judges, forms = recorded.config.train, list[Judge](), set[Form]()
        shared: dict[str, tuple[Classifier, dict[FoldId, torch.nn.Module]]] = {}
        for fold_id in sorted(fold_ids):
            model = load_model(recorded, fold_id, plugins=plugins, device=device)
            forms.add(model.form)
            if train.freeze_backbone:
                trunk = weights_sha256(model.classifier.trunk.state_dict())
                shared.setdefault(trunk, (model.classifier, {}))[1][fold_id] = model.classifier.head
            else:
                judges.append(_whole(model, train.precision, device))
        judges += [SharedTrunk(body, heads, device, train.precision) for body, heads in shared.values()]
        if len(forms) != 1:
            raise DamagedFile(
                f"the models of {recorded.folder} take different images: they are not of one run",
                next_step="restore the run's folder from a copy",
            )
        return Ensemble(tuple(judges), forms.pop(), recorded.dataset.classes, tuple(sorted(fold_ids)))


def _whole(model: FoldModel, precision: Precision, device: torch.device) -> WholeNetwork:
    forward = forward_of(model.classifier, precision, device)
    return WholeNetwork(model.fold_id, model.classifier, forward, device)


def _filled_up(rows: NDArray[np.generic]) -> NDArray[np.generic]:
    """Rows of zeros after these, 32 in all: how many there are decides how a processor adds up."""
    filled = np.zeros((CHUNK, *rows.shape[1:]), dtype=rows.dtype)
    filled[: len(rows)] = rows
    return filled


def _probabilities(logits: torch.Tensor, count: int) -> NDArray[np.float32]:
    found: NDArray[np.float32] = torch.softmax(logits, dim=1)[:count].cpu().numpy()
    return found
