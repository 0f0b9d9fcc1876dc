"""Import early the libraries that the fold of a `ModelRequest` will need."""

import importlib

from foldproof.training import determinism
from foldproof.training.build import build_classifier
from foldproof.training.task import ModelRequest


def load(request: ModelRequest) -> None:
    """Build the model once and forget it. Raises what building it raises."""
    device = determinism.choose_device(request.device)
    determinism.settle(device, threads=request.threads)
    build_classifier(request, device)
    importlib.import_module("pandas")  # which pyarrow loads when a fold writes its predictions
