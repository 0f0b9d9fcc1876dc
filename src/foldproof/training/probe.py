"""What a model asks for and costs here, before any training: a `ModelRequest` in, a `Probe` out."""

import importlib
import time
from pathlib import Path

import psutil
import torch
from torch.nn.functional import cross_entropy

from foldproof import registry
from foldproof.training import determinism
from foldproof.training.build import build_classifier, settle_image_size
from foldproof.training.devices import alike, gpus
from foldproof.training.features import check_rows, trunk_digest
from foldproof.training.forward import bfloat16_is_slow, check_compiler, forward_of
from foldproof.training.task import ModelRequest, Probe

_TRIALS = 3
_PATIENCE_SECONDS = 1.0


def probe(request: ModelRequest) -> Probe:
    """Build the model once, settle its image size and device, and time a step. Raises FoldproofError.

    Nothing of it reaches a training: every fold seeds its own generators.
    """
    device = determinism.choose_device(request.device)
    determinism.settle(device, threads=request.threads)
    if request.portable:
        determinism.check_portable()
    if request.compile:
        check_compiler(device)
    classifier = build_classifier(request, device)
    size = settle_image_size(request, classifier)
    trunk, head = classifier.trunk, classifier.head
    shape = (request.batch_size, classifier.input.channels, size, size)
    images = torch.zeros(shape, device=device).to(memory_format=torch.channels_last)
    labels = torch.arange(request.batch_size, device=device) % len(request.classes)

    forward = forward_of(classifier, request.precision, device)

    def train_step() -> None:
        classifier.train()
        cross_entropy(forward(images), labels).backward()

    def look() -> None:
        classifier.eval()
        with torch.inference_mode():
            forward(images)

    seconds_per_image = _seconds(look, device) / request.batch_size
    width, trunk_known = 0, ""
    if request.freeze_backbone:
        with torch.inference_mode():
            features = trunk.eval()(images)
        check_rows(features)
        width, trunk_known = features.shape[1], trunk_digest(classifier, request.backbone)
        step = _seconds(lambda: cross_entropy(head(features.clone()), labels).backward(), device)
    else:
        step = _seconds(train_step, device)
    return Probe(
        device=str(device),
        image_size=size,
        numeric_class=determinism.numeric_class(
            device,
            threads=request.threads,
            plugins=plugin_files(request),
            portable=request.portable,
            precision=request.precision,
            compiled=request.compile,
        ),
        seconds_per_step=step,
        seconds_per_image=seconds_per_image,
        precision_is_slow=request.precision == "bfloat16" and bfloat16_is_slow(device),
        weights_bytes=_bytes(classifier),
        state_bytes=3 * _bytes(head if request.freeze_backbone else classifier),  # Adam keeps two numbers a parameter
        memory_bytes=psutil.Process().memory_info().rss,
        devices=alike(gpus()) if request.device == "auto" and device.type == "cuda" else (),
        features=width,
        trunk=trunk_known,
    )


def _bytes(module: torch.nn.Module) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())


def plugin_files(request: ModelRequest) -> tuple[Path, ...]:
    """The source of a backbone that is a dotted path: its digest belongs to the numeric class."""
    if not registry.is_dotted_path(request.backbone):
        return ()
    file = importlib.import_module(request.backbone.partition(":")[0]).__file__
    return (Path(file),) if file else ()


def _seconds(work, device: torch.device) -> float:  # type: ignore[no-untyped-def]
    best, begun = float("inf"), time.perf_counter()
    for _ in range(_TRIALS):
        start = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() - begun > _PATIENCE_SECONDS:
            break
    return best
