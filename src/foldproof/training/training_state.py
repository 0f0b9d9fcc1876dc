"""Hold what changes while a fold is trained, and convert it from and to a `State`."""

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from foldproof import registry
from foldproof.errors import DamagedFile
from foldproof.events.types import Body, Notice
from foldproof.training.fold import FoldInputs
from foldproof.training.gpu.captured import CapturedStep
from foldproof.training.gpu.cuda_graph import capture, make_capturable
from foldproof.training.resuming.state import State, optimizer_tensors, restore_optimizer
from foldproof.training.step import Step, arithmetic, plain_step
from foldproof.training.steps import append_losses
from foldproof.training.stopwatch import STILL, Watch


class TrainingState:
    """How far a fold has come: what changes while it is trained."""

    def __init__(self, fold: FoldInputs, watch: Watch = STILL) -> None:
        settings = fold.task.train
        self.fold = fold
        self.watch = watch
        self.optimizer = registry.load("optimizers", settings.optimizer)(fold.net.parameters(), settings)
        if fold.device.type == "cuda":
            make_capturable(self.optimizer)
        self.schedule = registry.load("schedules", settings.schedule)
        self.bodies: list[Body] = []
        self.earlier = np.zeros(0, dtype=np.float32)  # losses of the epochs before this one  # [step]
        self.begin_epoch(1)

    def begin_epoch(self, epoch: int) -> None:
        """Stand before the first step of an epoch."""
        self.epoch = epoch
        self.losses: list[torch.Tensor] = []  # of the steps of this epoch; scalars on the device
        self.correct = torch.zeros((), dtype=torch.int64, device=self.fold.device)

    @cached_property
    def step(self) -> Step:
        """Trains on one batch."""
        fold, task = self.fold, self.fold.task
        if fold.device.type != "cuda" or not task.cuda_graphs:
            return plain_step(arithmetic(fold.forward, self.optimizer, fold.class_weights, self.watch), fold.device)
        compute = arithmetic(fold.forward, self.optimizer, fold.class_weights)  # nothing can be timed inside a graph
        return CapturedStep(
            fold.net,
            self.optimizer,
            compute,
            plain=plain_step(compute, fold.device),
            capture=capture,
            batch_size=task.train.batch_size,
            elsewhere=torch.default_generator,
        )

    def news(self) -> Iterator[Notice]:
        """Notices of how the steps are carried out."""
        if isinstance(self.step, CapturedStep):
            yield from self.step.news()

    @property
    def steps(self) -> int:
        """Steps done since the first epoch began."""
        return len(self.earlier) + len(self.losses)

    def say(self, body: Body) -> Body:
        """Remember a body that counts in a comparison, for the states to come."""
        self.bodies.append(body)
        return body

    def epoch_losses(self) -> NDArray[np.float32]:
        """The loss of every step of this epoch so far.  # [step] float32"""
        if not self.losses:
            return np.zeros(0, dtype=np.float32)
        return torch.stack(self.losses).cpu().numpy().astype(np.float32)

    def state(self) -> State:
        """A copy of all that is needed to go on from here."""
        tensors, groups = optimizer_tensors(self.fold.net, self.optimizer)
        return State(
            fold_key=self.fold.task.fold_key,
            epoch=self.epoch,
            step=len(self.losses),
            correct=int(self.correct),
            losses=np.concatenate([self.earlier, self.epoch_losses()]),
            bodies=tuple(self.bodies),
            weights=copies(self.fold.net.state_dict()),
            optimizer={name: copies(quantities) for name, quantities in tensors.items()},
            groups=groups,
        )

    def restore(self, start: State) -> None:
        """Stand where `start` was made. Raises DamagedFile where it is of another network."""
        try:
            self.fold.net.load_state_dict(dict(start.weights))
            restore_optimizer(self.fold.net, self.optimizer, start)
        except (ValueError, RuntimeError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise DamagedFile(f"{start.name} is no state of this fold: {reason}", next_step="remove it") from error
        self.bodies = list(start.bodies)
        self.begin_epoch(start.epoch)
        done = len(start.losses) - start.step
        self.earlier = start.losses[:done].copy()
        self.losses = list(torch.from_numpy(start.losses[done:].copy()).to(self.fold.device))
        self.correct += start.correct
        append_losses(self.fold.task.folder, self.earlier, first_step=0)


def copies(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The same tensors on the CPU, which nobody else changes."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
