"""Load the model of one fold: its checkpoint, proved by the run's journal, as a network ready to label images."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import torch

from foldproof import registry
from foldproof.data.pixels.fitted import Channels, Form, Resize
from foldproof.errors import DamagedFile, FoldproofError, ModelError
from foldproof.events.fold_id import FoldId
from foldproof.models.backbone import Classifier, InputSpec
from foldproof.records.weights import weights_of
from foldproof.reproduce.recorded import Recorded
from foldproof.training.build import build_classifier
from foldproof.training.checkpoint import Checkpoint, Preprocessing, weights_sha256
from foldproof.training.task import ModelRequest

_LARGEST = 4096  # pixels an edge, the most that data.image_size allows
_OTHER_COPY = "restore the fold's folder from a copy"


@dataclass(frozen=True)
class FoldModel:
    """The network of one fold in eval, on its device, and what it wants images to be made into."""

    fold_id: FoldId
    classifier: Classifier
    form: Form


def load_model(recorded: Recorded, fold_id: FoldId, *, plugins: Path, device: torch.device) -> FoldModel:
    """Raises DamagedFile where the weights are not those that the fold's journal names, ModelError where they are of
    another network, and what building the network raises.
    """
    path = weights_of(recorded.folder, fold_id)
    checkpoint = Checkpoint.load(path)
    if wrong := _of_another(recorded, fold_id, checkpoint):
        raise DamagedFile(f"{path} is not the model of {fold_id}: {wrong}", next_step=_OTHER_COPY)
    form = _form(checkpoint.preprocessing, path)
    return FoldModel(fold_id, _network(checkpoint, recorded, form, plugins, device), form)


def _of_another(recorded: Recorded, fold_id: FoldId, checkpoint: Checkpoint) -> str:
    """What tells that a checkpoint is of another run, fold or network; empty where nothing does."""
    if (checkpoint.repeat, checkpoint.fold) != fold_id or checkpoint.identity != recorded.record.identity:
        return "it is of another fold or experiment"
    if weights_sha256(checkpoint.weights) != recorded.record.finished[fold_id].weights_sha256:
        return "its weights are not those that the journal names"
    if checkpoint.backbone != recorded.config.train.backbone:
        return f"its backbone is {checkpoint.backbone}"
    if checkpoint.classes != recorded.dataset.classes:
        return "it knows other classes than the run"
    return ""


def _form(preprocessing: Preprocessing, path: Path) -> Form:
    channels = len(preprocessing.mean)
    if (
        preprocessing.resize not in get_args(Resize)
        or channels not in get_args(Channels)
        or len(preprocessing.std) != channels
        or not 0 < preprocessing.image_size <= _LARGEST
        or not all(value > 0 for value in preprocessing.std)
    ):
        raise DamagedFile(f"{path} asks for images that no run makes", next_step=_OTHER_COPY)
    return Form(
        size=preprocessing.image_size,
        resize=preprocessing.resize,  # type: ignore[arg-type]
        channels=channels,  # type: ignore[arg-type]
        within=preprocessing.within,
    )


def _network(checkpoint: Checkpoint, recorded: Recorded, form: Form, plugins: Path, device: torch.device) -> Classifier:
    """Built without published weights, then given its own. The default generator stays where it is."""
    asked = ModelRequest.of(recorded.config, classes=checkpoint.classes, device=str(device), plugins=plugins)
    request = replace(
        asked,
        pretrained=False,
        channels=form.channels,
        parts=(),
        plugins=plugins if registry.is_dotted_path(asked.backbone) else None,
    )
    with torch.random.fork_rng(devices=[] if device.type == "cpu" else [device]):
        try:
            classifier = build_classifier(request, device)
        except FoldproofError:
            raise
        except Exception as error:
            raise ModelError(
                f"'{request.backbone}' cannot be built: {type(error).__name__}: {str(error)[:200]}",
                next_step="see where with `foldproof --debug predict`",
            ) from error
    try:
        classifier.load_state_dict(dict(checkpoint.weights))
    except RuntimeError as error:
        raise ModelError(
            f"the weights of fold {checkpoint.fold} are of another network than '{request.backbone}': "
            f"{str(error).splitlines()[0][:200]}",
            next_step="use the code and the packages that trained it: `foldproof diff` and environment.json name them",
        ) from error
    said = checkpoint.preprocessing
    classifier.input = InputSpec(said.image_size, said.mean, said.std, fixed=True)
    return classifier.eval().requires_grad_(requires_grad=False)
