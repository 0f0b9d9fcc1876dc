"""Are the features the same? The canonical pass beside the forward pass of the usual script; photos in, words out.

    python -m benchmarks.bits [--photos FOLDER] [--count 80] [--backbones resnet18,efficientnet_lite0]

For each backbone: equal bits, or the largest difference, absolute and as a part of the largest feature; for the script
as it is, and with its network and images channels last in memory, as foldproof has them. One thread, batches of 32.
resnet18 has the random weights that stand in for the published ones; see `environments.py`.
"""

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader
from torchvision import datasets, transforms

from benchmarks.environments import place_weights
from benchmarks.images import place
from benchmarks.usual_script import BACKBONES, NORMALISATION
from benchmarks.works import WORKS
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.images import decoded
from foldproof.data.pixels.originals import Originals
from foldproof.data.scan import scan
from foldproof.models.backbone import build
from foldproof.training.frozen.features import frozen_features

SIZE = 224


def theirs(folder, name, *, layout):
    """Features by relative path, as `features_of` of the script computes them."""
    prepare = [transforms.Resize((SIZE, SIZE)), transforms.ToTensor(), transforms.Normalize(*NORMALISATION[name])]
    images = datasets.ImageFolder(folder, transforms.Compose(prepare))
    backbone, _ = BACKBONES[name](pretrained=True)
    backbone.eval().to(memory_format=layout)
    with torch.inference_mode():
        batches = DataLoader(images, batch_size=32)
        rows = torch.cat([backbone(batch.contiguous(memory_format=layout)) for batch, _ in batches]).numpy()
    return {Path(file).relative_to(folder).as_posix(): row for (file, _), row in zip(images.samples, rows, strict=True)}


def ours(folder, name, cache):
    """Features by relative path, as a run computes them."""
    dataset = scan(folder).dataset
    pixels = np.load(decoded(dataset, Originals(folder, Form(size=SIZE)), cache=cache), mmap_mode="r")
    classifier = build(name, classes=len(dataset.classes), pretrained=True)
    rows = frozen_features(classifier, pixels, device="cpu").numpy()
    return {sample.path: row for sample, row in zip(dataset.samples, rows, strict=True)}


def said(one, other):
    """Whether two sets of features are the same, in words."""
    paths = sorted(set(one) & set(other))
    left, right = (np.stack([rows[path] for path in paths]) for rows in (one, other))
    if left.tobytes() == right.tobytes():
        return f"equal, bit for bit ({len(paths)} photos)"
    most = np.abs(left.astype(np.float64) - right).max()
    return (
        f"largest difference {most:.2g}, {most / np.abs(left).max():.2g} of the largest feature ({len(paths)} photos)"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--count", type=int, default=80, help="photos")
    parser.add_argument("--backbones", default="resnet18,efficientnet_lite0")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as root:
        os.environ["TORCH_HOME"] = str(Path(root) / "torch")
        place_weights(Path(root))
        folder = Path(root) / "images"
        place(replace(WORKS["frozen-resnet18"], count=options.count), folder, photos=options.photos)
        for name in options.backbones.split(","):
            features = ours(folder, name, Path(root) / "cache")
            for called, layout in (("as it is", torch.contiguous_format), ("channels last", torch.channels_last)):
                print(f"{name}, the script {called}: {said(features, theirs(folder, name, layout=layout))}", flush=True)


if __name__ == "__main__":
    main()
