"""Run folders with real predictions, as a run writes them, without training: what was said of images in, files out."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from foldproof.data.dataset import Sample
from foldproof.events.journal import JournalWriter
from foldproof.events.types import EpochFinished, FoldFailed, FoldFinished, FoldStarted, RunFinished, RunStarted
from foldproof.records import predictions
from foldproof.records.record import RunRecord
from journaled import HEX

NASTY = (
    '<img src=x onerror="document.title=1">',
    "</script><script>document.title='owned'</script>",
    "quotes \" and ' and `ticks`",
    "two\nlines\tand $x^2$ a tab",
    "😀 émoji 👩‍👩‍👧",
    "שלום עולם مرحبا",
    "\u202eevil\u202c override",
    "]]> &lt;b&gt; {{ 7*7 }} {% raw %} ${7*7}",
    "| pipe | [link](javascript:alert(1)) http://example.org",
    "x" * 300,
)


@dataclass(frozen=True, kw_only=True)
class Scored:
    """What a run amounted to. `each`: images a class; `right`: how often the right class is the most probable."""

    experiment: str = "FirstRun"
    classes: Sequence[str] = ("ant", "bee", "cat")
    each: int = 12
    k: int = 3
    repeats: int = 1
    epochs: int = 3
    lr: float = 0.01
    right: float = 0.8
    seed: int = 0
    finished: int | None = None  # how many folds; None: all
    failed: Sequence[int] = ()
    nan_loss: bool = False
    never: int | None = None  # a class that is never predicted
    groups: int = 0  # images are in so many groups
    images: Path | None = None  # a folder of class folders; else the images are made up
    extra: dict[str, object] = field(default_factory=dict)  # of run.json


def write_run(parent: Path, run: str, scored: Scored) -> RunRecord:
    """The record of a run folder made under `parent`."""
    folder = parent / run
    folder.mkdir(parents=True)
    samples = _samples(scored)
    _describe(folder, run, scored, len(samples))
    places = [(repeat, fold) for repeat in range(scored.repeats) for fold in range(scored.k)]
    _append(folder, run, None, [_started(scored)])
    for number, (repeat, fold) in enumerate(places):
        random = np.random.default_rng([scored.seed, repeat, fold])
        done = number < (len(places) if scored.finished is None else scored.finished)
        if fold in scored.failed:
            _append(folder, run, (repeat, fold), [FoldFailed(error="RuntimeError", reason="no <b>memory</b> left")])
        elif done:
            mine = [sample for at, sample in enumerate(samples) if (at + repeat) % scored.k == fold]
            _append(folder, run, (repeat, fold), _fold(folder, mine, scored, repeat, fold, random))
    complete = scored.finished is None and not scored.failed
    _append(folder, run, None, [RunFinished(status="finished" if complete else "failed")])
    return RunRecord.read(folder)


def _samples(scored: Scored) -> list[Sample]:
    made = []
    for number, label in enumerate(scored.classes):
        for index in range(scored.each):
            path = f"c{number}/{index:03d}.png"
            if scored.images is not None:
                path = f"{label}/{index:03d}.png"
                content = (scored.images / path).read_bytes()
            else:
                content = path.encode()
            group = f"patient {(number * scored.each + index) % scored.groups}" if scored.groups else ""
            made.append(Sample(hashlib.sha256(content).hexdigest(), label, path, group))
    return made


def _fold(folder: Path, mine: list[Sample], scored: Scored, repeat: int, fold: int, random: np.random.Generator):
    classes = list(scored.classes)
    labels = np.array([classes.index(sample.label) for sample in mine])
    said = np.where(random.random(len(mine)) < scored.right, labels, random.integers(0, len(classes), len(mine)))
    if scored.never is not None:
        said[said == scored.never] = (scored.never + 1) % len(classes)
    logits = random.normal(0, 1, (len(mine), len(classes)))
    logits[np.arange(len(mine)), said] += 6
    rows = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    inside = folder / f"fold-{repeat}-{fold}"
    inside.mkdir()
    sha256 = predictions.write(inside, tuple(mine), rows.astype(np.float32), repeat=repeat, fold=fold, seed=scored.seed)
    accuracy = float(np.mean(rows.argmax(axis=1) == labels))
    epochs = [_epoch(number, accuracy, scored) for number in range(1, scored.epochs + 1)]
    return [
        FoldStarted(
            train_images=2 * len(mine),
            validation_images=len(mine),
            parameters=9,
            trained_parameters=9,
            weights_sha256=HEX,
        ),
        *epochs,
        FoldFinished(
            epochs=scored.epochs,
            scores={"accuracy": accuracy, "balanced_accuracy": accuracy},
            per_class={},
            weights_sha256=HEX,
            predictions_sha256=sha256,
        ),
    ]


def _epoch(number: int, accuracy: float, scored: Scored) -> EpochFinished:
    begun = 1 - 0.5 ** (number - (number == scored.epochs) * 0 + 1)
    return EpochFinished(
        epoch=number,
        steps=number,
        lr=scored.lr,
        train_loss=float("nan") if scored.nan_loss else 1.5 / number,
        train_accuracy=min(1.0, begun),
        val_loss=float("nan") if scored.nan_loss and number > 1 else 2.0 / number,
        val_accuracy=accuracy if number == scored.epochs else accuracy * begun,
        weights_sha256=HEX,
    )


def _started(scored: Scored) -> RunStarted:
    return RunStarted(
        experiment=scored.experiment,
        identity=HEX,
        fingerprint=HEX,
        folds=scored.k,
        repeats=scored.repeats,
        epochs=scored.epochs,
    )


def _append(folder: Path, run: str, place: tuple[int, int] | None, bodies) -> None:
    within = folder if place is None else folder / f"fold-{place[0]}-{place[1]}"
    within.mkdir(exist_ok=True)
    repeat, fold = place or (None, None)
    with JournalWriter(within, run=run, repeat=repeat, fold=fold, about={"host": "h", "pid": 1}) as journal:
        for body in bodies:
            journal.append(body)


def _describe(folder: Path, run: str, scored: Scored, images: int) -> None:
    facts = {
        "v": 1,
        "run": run,
        "experiment": scored.experiment,
        "identity": hashlib.sha256(f"{scored.experiment} {scored.lr}".encode()).hexdigest(),
        "created": "2026-01-02T03:04:05Z",
        "fingerprint": HEX,
        "folds_digest": HEX,
        "classes": list(scored.classes),
        "images": images,
        "image_size": 8,
        "config": {
            "name": scored.experiment,
            "pixels": {"image_size": 8, "resize": "squash"},
            "folds": {"k": scored.k, "seed": 1, "repeats": scored.repeats},
            "train": {"backbone": "small_cnn", "epochs": scored.epochs, "lr": scored.lr, "seed": 5},
        },
        "data_path": "images",
        **scored.extra,
    }
    environment = {
        "v": 1,
        "foldproof": "0.1.0",
        "command": ["/home/alice/bin/foldproof", "run", "--set", "data.path=/home/alice/ward-7"],
        "git": {"commit": "0123456789abcdef", "branch": "main", "dirty": True, "untracked": []},
        "data": {"dvc_hash": "abc.dir", "state": "clean"},
        "machine": {"platform": "Linux", "processor": "x"},
        "numeric_class": {"torch": "2", "device": "cpu"},
        "python": "3.11",
    }
    card = {
        "v": 1,
        "images": images,
        "classes": dict.fromkeys(scored.classes, scored.each),
        "fingerprint": HEX,
        "dvc": {"hash": "abc.dir", "state": "clean"},
        "sizes": {"smallest": [8, 8], "median": [8, 8], "largest": [8, 8], "different": 1},
        "formats": {"PNG": images},
        "cameras": {},
        "groups": {"groups": scored.groups, "images": images if scored.groups else 0, "largest": 5},
        "duplicates": {"clusters": 1, "images": 2, "exact_pairs": 1, "near_pairs": 0},
        "excluded": {},
        "findings": {"same_content": {"severity": "warning", "count": 1, "means": "the same picture twice"}},
    }
    for name, content in (("run.json", facts), ("environment.json", environment), ("data-card.json", card)):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
