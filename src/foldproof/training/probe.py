"""Measure what a model needs and costs here before training: a `Probe` of a `ModelRequest`."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

import psutil
import torch
from torch.nn.functional import cross_entropy

from foldproof.training import determinism
from foldproof.training.build import build_classifier, settle_image_size
from foldproof.training.checkpoint import weights_sha256
from foldproof.training.decisive_code import decisive_code
from foldproof.training.forward import bfloat16_is_slow, check_compiler, forward_of
from foldproof.training.frozen.features import check_rows, trunk_digest
from foldproof.training.gpu.devices import alike, gpus
from foldproof.training.opened import Read, watched
from foldproof.training.task import ModelRequest, Probe

Made = TypeVar("Made")

_MODEL_SEED = 0
_TRIALS = 3
_PATIENCE_SECONDS = 0.3


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
    determinism.seed(device, _MODEL_SEED)
    with watched() if request.plugins else nullcontext(Read()) as read:
        classifier = build_classifier(request, device)
    size = settle_image_size(request, classifier)
    code = decisive_code(request, image_size=size, read=read)
    model = weights_sha256(classifier.state_dict())
    trunk, head = classifier.trunk, classifier.head
    shape = (request.batch_size, classifier.input.channels, size, size)
    images = torch.zeros(shape, device=device).to(memory_format=torch.channels_last)
    labels = torch.arange(request.batch_size, device=device) % len(request.classes)

    forward = forward_of(classifier, request.precision, device)

    def train_step() -> None:
        classifier.train()
        cross_entropy(forward(images), labels).backward()

    def look() -> torch.Tensor:
        classifier.eval()
        with torch.inference_mode():
            return forward(images)

    width, trunk_known = 0, ""
    if request.freeze_backbone:
        forward = forward_of(trunk, request.precision, device)
        features, seconds = _timed(look, device)
        check_rows(features)
        width, trunk_known = features.shape[1], trunk_digest(classifier, request.backbone)
        _, step = _timed(lambda: cross_entropy(head(features.clone()), labels).backward(), device)
    else:
        _, seconds = _timed(look, device)
        _, step = _timed(train_step, device)
    return Probe(
        device=str(device),
        image_size=size,
        numeric_class=determinism.numeric_class(
            device,
            threads=request.threads,
            code=code,
            model=model,
            portable=request.portable,
            precision=request.precision,
            compiled=request.compile,
        ),
        seconds_per_step=step,
        seconds_per_image=seconds / request.batch_size,
        precision_is_slow=request.precision == "bfloat16" and bfloat16_is_slow(device),
        weights_bytes=_bytes(classifier),
        state_bytes=3 * _bytes(head if request.freeze_backbone else classifier),  # Adam keeps two numbers a parameter
        memory_bytes=psutil.Process().memory_info().rss,
        devices=alike(gpus()) if request.device == "auto" and device.type == "cuda" else (),
        features=width,
        trunk=trunk_known,
        reusable=not code.beyond,
    )


def _bytes(module: torch.nn.Module) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in module.state_dict().values())


def _timed(work: Callable[[], Made], device: torch.device) -> tuple[Made, float]:
    """What it makes, and how many seconds that takes at best of a few times."""
    best, begun = float("inf"), time.perf_counter()
    for _ in range(_TRIALS):
        start = time.perf_counter()
        made = work()
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        now = time.perf_counter()
        best = min(best, now - start)
        if now - begun > _PATIENCE_SECONDS:
            break
    return made, best
