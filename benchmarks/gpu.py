"""Images a second of k folds on one GPU: one after another, captured, and by turns; beside a bare captured step.

    python -m benchmarks.gpu [--works resnet18,small_cnn] [--rounds 5] [--train precision=bfloat16] [--json FILE]

50,000 images of noise of 32 x 32 pixels in ten classes, 5 folds, augmentation on, deterministic. Everything that
foldproof does in a fold is in its number, validation and checkpoints too: an epoch's time is that of a run of several
epochs less that of a run of one, by the epochs between. The ways alternate within a round. A bare step is a replay on
one batch that never changes: what the GPU can do when nothing else happens. Needs torch, numpy, pyarrow, safetensors,
psutil, filelock and google-crc32c; neither MLflow nor DVC nor pydantic.
"""

import argparse
import hashlib
import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from foldproof.config.schema import TrainSettings
from foldproof.data.dataset import Dataset, Sample
from foldproof.data.pixels.fitted import Form
from foldproof.events.types import FoldFailed, Notice
from foldproof.executors import ExecutorContext
from foldproof.executors.inline import InlineExecutor
from foldproof.executors.interleaved import InterleavedExecutor
from foldproof.executors.stopping import Stopping
from foldproof.training.fold import FoldInputs, prepare
from foldproof.training.gpu.cuda_graph import capture
from foldproof.training.gpu.streams import own_stream
from foldproof.training.step import arithmetic
from foldproof.training.task import FoldTask, ModelRequest

FOLDS, EDGE, CLASSES = 5, 32, tuple("abcdefghij")
WORKS = {
    "resnet18": TrainSettings(backbone="benchmarks.gpu_models:resnet18_32", batch_size=128, augment="light", epochs=1),
    "small_cnn": TrainSettings(backbone="small_cnn", batch_size=64, augment="light", epochs=1),
}
WAYS = {
    "plain, in turn": (InlineExecutor, False),
    "captured, in turn": (InlineExecutor, True),
    "captured, by turns on streams": (InterleavedExecutor, True),
}


def main(arguments: list[str]) -> int:
    asked = parser().parse_args(arguments)
    if asked.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device")
        return 1
    given = dict(pair.split("=", 1) for pair in asked.train)
    results = []
    with tempfile.TemporaryDirectory(prefix="foldproof-gpu-") as folder:
        for name in asked.works.split(","):
            work = Work.of(Path(folder), replace(WORKS[name], **given), images=asked.images, device=asked.device)
            results += [{"work": name, **result} for result in measured(work, rounds=asked.rounds, epochs=asked.epochs)]
    about = {
        "device": torch.cuda.get_device_name() if asked.device == "cuda" else platform.processor() or "cpu",
        "torch": torch.__version__,
        "images": asked.images,
        "train": given,
        "rounds": asked.rounds,
        "results": results,
    }
    print(table(about))
    if asked.json:
        asked.json.write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return 0


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("--works", default=",".join(WORKS))
    made.add_argument("--rounds", type=int, default=5)
    made.add_argument("--epochs", type=int, default=3, help="of the longer run; the shorter one has 1")
    made.add_argument("--images", type=int, default=50_000)
    made.add_argument("--train", action="append", default=[], help="a setting of the section train, as NAME=WORD")
    made.add_argument("--device", default="cuda", help="cpu tries the benchmark itself")
    made.add_argument("--json", type=Path)
    return made


@dataclass(frozen=True)
class Work:
    """A data set on disk, its folds, and how they are trained."""

    folder: Path
    train: TrainSettings
    folds: tuple[np.ndarray, ...]  # the validation positions of each
    device: str

    @staticmethod
    def of(folder: Path, train: TrainSettings, *, images: int, device: str) -> "Work":
        random = np.random.default_rng(0)
        np.save(folder / "images.npy", random.integers(0, 256, (images, EDGE, EDGE, 3), dtype=np.uint8))
        names = (hashlib.sha256(str(number).encode()).hexdigest() for number in range(images))
        samples = [Sample(sha256=name, label=CLASSES[i % 10], path=f"{i}.png") for i, name in enumerate(names)]
        (folder / "dataset.json").write_text(json.dumps(Dataset.of(samples).to_json()), encoding="utf-8")
        return Work(folder, train, tuple(np.arange(images)[i::FOLDS] for i in range(FOLDS)), device)

    @property
    def trained_images(self) -> int:
        """In an epoch of all folds."""
        every = sum(map(len, self.folds))
        return sum(every - len(validation) for validation in self.folds)

    def tasks(self, folder: Path, *, epochs: int, cuda_graphs: bool) -> list[FoldTask]:
        every = np.arange(sum(map(len, self.folds)))
        request = ModelRequest(
            backbone=self.train.backbone,
            pretrained=False,
            freeze_backbone=False,
            image_size=EDGE,
            any_image_size=False,
            classes=CLASSES,
            batch_size=self.train.batch_size,
            threads=1,
            device=self.device,
            plugins=Path.cwd(),
        )
        return [
            FoldTask(
                run="benchmark",
                repeat=0,
                fold=number,
                identity="",
                fold_key="",
                model=request,
                form=Form(size=EDGE),
                train=replace(self.train, epochs=epochs),
                dataset=self.folder / "dataset.json",
                images=self.folder / "images.npy",
                train_positions=np.setdiff1d(every, validation),
                validation_positions=validation,
                folder=folder / f"fold-{number}",
                checkpoint_seconds=300.0,
                cuda_graphs=cuda_graphs,
            )
            for number, validation in enumerate(self.folds)
        ]


def measured(work: Work, *, rounds: int, epochs: int) -> list[dict[str, object]]:
    """Images a second of every way, round after round, and of bare steps in the same process."""
    ways: dict[str, Callable[[], float]] = {
        name: lambda way=way: (
            work.trained_images * (epochs - 1) / (seconds(work, *way, epochs) - seconds(work, *way, 1))
        )
        for name, way in WAYS.items()
    }
    if work.device == "cuda":
        ways |= {f"bare, {count} at once": lambda count=count: bare(work, count) for count in (1, FOLDS)}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(way())
    return [{"way": name, "images_per_second": found} for name, found in rates.items()]


def seconds(work: Work, executor: type[InlineExecutor], cuda_graphs: bool, epochs: int) -> float:
    with tempfile.TemporaryDirectory(dir=work.folder) as folder, closing(Stopping()) as stopping:
        tasks = work.tasks(Path(folder), epochs=epochs, cuda_graphs=cuda_graphs)
        context = ExecutorContext(parallel_folds=FOLDS, threads=1, stopping=stopping)
        began = time.perf_counter()
        for event in executor(context).run(tasks):
            if isinstance(event.body, FoldFailed):
                raise SystemExit(f"a fold failed: {event.body.error}: {event.body.reason}")
            if isinstance(event.body, Notice):
                print(event.body.text, file=sys.stderr)
        return time.perf_counter() - began


def bare(work: Work, count: int, *, steps: int = 300) -> float:
    """Images a second of `count` captured steps, each on a stream of its own, replayed on one batch each."""
    replays = []
    with tempfile.TemporaryDirectory(dir=work.folder) as folder:
        for task in work.tasks(Path(folder), epochs=1, cuda_graphs=True)[:count]:
            on_stream = own_stream(work.device)
            with on_stream():
                replays.append((on_stream, captured(prepare(task))))
    for number in range(20 + steps):
        if number == 20:
            torch.cuda.synchronize()
            began = time.perf_counter()
        for on_stream, replay in replays:
            with on_stream():
                replay(number)
    torch.cuda.synchronize()
    return count * steps * work.train.batch_size / (time.perf_counter() - began)


def captured(fold: FoldInputs) -> Callable[[int], object]:
    from foldproof.training.training_state import TrainingState

    compute = arithmetic(fold.net.train(), TrainingState(fold).optimizer, fold.class_weights)
    batch = fold.task.train_positions[: fold.task.train.batch_size]
    inputs, labels = fold.batches.at(batch), fold.labels[torch.from_numpy(batch).to(fold.device)]
    for _ in range(3):
        compute(inputs, labels)
    return capture(compute, inputs, labels)


def table(about: dict) -> str:
    where = f"{about['device']}, torch {about['torch']}, {about['images']:,} images, {about['rounds']} rounds"
    lines = [
        f"{where}, train {about['train'] or 'as it is'}",
        "",
        "| work | way | images/s, median | min-max | of the bare step |",
        "|---|---|---:|---:|---:|",
    ]
    middle = {(r["work"], r["way"]): statistics.median(r["images_per_second"]) for r in about["results"]}
    for result in about["results"]:
        work, way, rates = result["work"], result["way"], result["images_per_second"]
        at_once = FOLDS if "by turns" in way else 1
        bare_rate = middle.get((work, f"bare, {at_once} at once"))
        share = f"{middle[work, way] / bare_rate:.2f}" if bare_rate and not way.startswith("bare") else ""
        lines.append(f"| {work} | {way} | {middle[work, way]:,.0f} | {min(rates):,.0f}-{max(rates):,.0f} | {share} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
