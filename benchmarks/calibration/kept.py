"""A campaign in parts: settings and what a draw amounts to in, files of outcomes out. Parts that are done are kept."""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from population import DATASET, Population

DONE = Path(".calibration")
Outcome = Mapping[str, NDArray[Any]]


class Named(Protocol):
    """A setting, by whose name its parts are kept."""

    @property
    def name(self) -> str: ...


S = TypeVar("S", bound=Named)


def part_file(setting: Named, part: int) -> Path:
    return DONE / f"{setting.name}-part{part:03}.npz"


def carry_out(todo: Iterable[tuple[S, int]], outcome: Callable[[S, int, Population], Outcome], *, a_part: int) -> None:
    """Make the parts of `todo` that are lacking, of `a_part` draws each, whole or not at all.

    A command line of `1/2` makes every second part, for two processes at once.
    """
    share, of = map(int, sys.argv[1].split("/")) if len(sys.argv) > 1 else (1, 1)
    if not DATASET.is_dir():
        sys.exit(f"no {DATASET}: install Debian's dataset-fashion-mnist, or name the folder in FASHION_MNIST")
    torch.set_num_threads(1)
    DONE.mkdir(exist_ok=True)
    population = Population.read()
    for setting, part in todo:
        file = part_file(setting, part)
        if part % of == share - 1 and not file.exists():
            _write(file, [outcome(setting, draw, population) for draw in range(part * a_part, (part + 1) * a_part)])
            print(f"{setting.name} part {part + 1}", flush=True)


def _write(file: Path, outcomes: list[Outcome]) -> None:
    temporary = file.with_name(f"{file.stem}.{os.getpid()}.tmp")
    with temporary.open("wb") as stream:
        np.savez_compressed(stream, **{name: np.stack([one[name] for one in outcomes]) for name in outcomes[0]})
    temporary.replace(file)
