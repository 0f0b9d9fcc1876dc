"""A fold trained from the files of its run and its pictures; what a journal should say of it out."""

import csv
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from reference import optimizers, pictures, scheme
from reference.networks import networks

CHUNK = 32  # pictures that go through a frozen trunk at once


@dataclass
class Epoch:
    """What there is to say of an epoch. `doubtful`: pictures whose two best classes are as good as equal."""

    lr: float
    train_loss: float
    train_right: int
    val_loss: float
    val_right: int
    train_doubtful: int
    val_doubtful: int


@dataclass
class Trained:
    """A fold as it should have come out."""

    losses: list[float] = field(default_factory=list)  # of every step
    epochs: list[Epoch] = field(default_factory=list)
    train: int = 0
    validation: list[str] = field(default_factory=list)  # content hashes, in the order of probabilities
    labels: list[int] = field(default_factory=list)
    probabilities: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    weights: Mapping[str, torch.Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class _Sample:
    key: int
    sha256: str
    path: str
    label: int


def trained(run: Path, images: Path, repeat: int, fold: int) -> Trained:
    """Train one fold again."""
    return _Training(run, images, repeat, fold).done()


class _Training:
    def __init__(self, run: Path, images: Path, repeat: int, fold: int) -> None:
        facts = json.loads((run / "run.json").read_text(encoding="utf-8"))
        self.settings: dict[str, Any] = facts["config"]["train"]
        self.pixels: dict[str, Any] = facts["config"]["pixels"]
        self.place = (repeat, fold)
        self.classes = json.loads((run / "dataset.json").read_text(encoding="utf-8"))["classes"]
        self.train, self.validation = _split(run, repeat, fold, self.classes)
        folder = run / f"fold-{repeat}-{fold}"
        channels = self.pixels.get("channels", 3)
        self.net = networks[self.settings["backbone"]](channels, len(self.classes))
        self.net.load_state_dict(load_file(folder / "initial.safetensors"))
        self.pictures = {
            one.sha256: pictures.square(images / one.path, facts["image_size"], self.pixels["resize"], channels)
            for one in (*self.train, *self.validation)
        }
        self.frozen = self.settings["freeze_backbone"]
        self.learns = self.net["head"] if self.frozen else self.net
        self.learning = optimizers.of(self.settings, list(self.learns.parameters()))
        self.weights = self._class_weights()
        self.found = Trained(train=len(self.train))

    def done(self) -> Trained:
        for number in range(1, self.settings["epochs"] + 1):
            self.found.epochs.append(self._epoch(number))
        self.found.validation = [one.sha256 for one in self.validation]
        self.found.labels = [one.label for one in self.validation]
        self.found.probabilities = self._scored().softmax(dim=1).double().numpy()
        self.found.weights = self.net.state_dict()
        return self.found

    def _epoch(self, number: int) -> Epoch:
        lr = _rate(self.settings, number)
        self.learning.lr = lr
        order = scheme.in_order([(one.key, one) for one in self.train], self._key("order", number))
        loss, right, doubtful = 0.0, 0, 0
        for batch in _batches(order, self.settings["batch_size"]):
            labels = torch.tensor([one.label for one in batch])
            logits = self._step(self._changed(batch, self._key("augment", number)), labels)
            loss += self.found.losses[-1] * len(batch)
            right += int((logits.argmax(dim=1) == labels).sum())
            doubtful += _doubtful(logits)
        logits = self._scored()
        labels = torch.tensor([one.label for one in self.validation])
        chosen = logits.double().log_softmax(dim=1)[torch.arange(len(labels)), labels]
        hits = int((logits.argmax(dim=1) == labels).sum())
        val_loss = -float(chosen.mean())
        return Epoch(lr, loss / len(self.train), right, val_loss, hits, doubtful, _doubtful(logits))

    def _step(self, squares: list[pictures.Picture], labels: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(self._key("step", len(self.found.losses)))
        inputs = self._inputs(squares)
        self.learns.train()
        logits: torch.Tensor = self._logits(inputs)
        weights = self.weights[labels]
        loss = -(weights * logits.log_softmax(dim=1)[torch.arange(len(labels)), labels]).sum() / weights.sum()
        self.learns.zero_grad()
        loss.backward()
        self.learning.step()
        self.found.losses.append(float(loss.detach()))
        return logits.detach()

    def _scored(self) -> torch.Tensor:
        inputs = self._inputs([self.pictures[one.sha256] for one in self.validation])
        self.net.eval()
        with torch.no_grad():
            return self._logits(inputs)

    def _logits(self, inputs: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.net["head"](inputs if self.frozen else self.net["trunk"](inputs))
        return logits

    def _inputs(self, squares: list[pictures.Picture]) -> torch.Tensor:
        """What goes into the part that learns: pictures, or their features from a trunk that stays as it is."""
        values = pictures.as_input(squares, *self.net.expects)
        if not self.frozen:
            return values
        self.net["trunk"].eval()
        with torch.no_grad():
            features = [self.net["trunk"](part) for part in values.split(CHUNK)]
        return torch.cat(features)

    def _changed(self, batch: Sequence[_Sample], key: int) -> list[pictures.Picture]:
        plain = [self.pictures[one.sha256] for one in batch]
        if self.settings["augment"] == "none":
            return plain
        return [
            pictures.lightly_changed(one, scheme.bits_of(sample.key, key))
            for one, sample in zip(plain, batch, strict=True)
        ]

    def _class_weights(self) -> torch.Tensor:
        if self.settings["class_weights"] == "none":
            return torch.ones(len(self.classes))
        count = Counter(one.label for one in self.train)
        return torch.tensor([len(self.train) / (len(self.classes) * count[at]) for at in range(len(self.classes))])

    def _key(self, purpose: str, number: int) -> int:
        return scheme.key(purpose, self.settings["seed"], *self.place, number)


def _split(run: Path, repeat: int, fold: int, classes: list[str]) -> tuple[list[_Sample], list[_Sample]]:
    """Images that train and images that validate, by content hash."""
    with (run / "folds.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["repeat"]) == repeat]
    rows.sort(key=lambda row: row["sha256"])
    parts: tuple[list[_Sample], list[_Sample]] = ([], [])
    for row in rows:
        sample = _Sample(int(row["sha256"][:16], 16), row["sha256"], row["path"], classes.index(row["label"]))
        parts[int(row["fold"]) == fold].append(sample)
    return parts


def _batches(order: Sequence[_Sample], size: int) -> Iterator[Sequence[_Sample]]:
    """Of `size`; a last image that would be alone joins the batch before it."""
    left = list(order)
    while left:
        count = len(left) if len(left) == size + 1 else min(size, len(left))
        yield left[:count]
        left = left[count:]


def _rate(settings: Mapping[str, Any], epoch: int) -> float:
    if settings["schedule"] == "constant":
        return float(settings["lr"])
    return float(settings["lr"] * (1 + math.cos((epoch - 1) / settings["epochs"] * math.pi)) / 2)


def _doubtful(logits: torch.Tensor) -> int:
    best = logits.topk(2, dim=1).values
    return int((best[:, 0] - best[:, 1] < 1e-3).sum())
