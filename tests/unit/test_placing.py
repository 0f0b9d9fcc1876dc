"""Folds on a machine of several GPUs: spread over those of one kind, whichever worker dies."""

from dataclasses import dataclass

import pytest

from foldproof.executors.placing import free_number, placed
from foldproof.training.gpu.devices import alike


@dataclass(frozen=True)
class Model:
    device: str = "cuda"


@dataclass(frozen=True)
class Task:
    model: Model = Model()


def test_folds_are_spread_over_gpus_of_the_kind_of_the_first():
    assert alike(["H100", "T4", "H100"]) == ("cuda:0", "cuda:2")
    assert alike([]) == ()


@pytest.mark.parametrize(
    ("devices", "expected"),
    [
        ((), ["cuda", "cuda", "cuda"]),
        (("cuda:0",), ["cuda", "cuda", "cuda"]),
        (("cuda:0", "cuda:2"), ["cuda:0", "cuda:2", "cuda:0"]),
    ],
)
def test_workers_go_round_the_devices(devices, expected):
    assert [placed(Task(), devices, worker).model.device for worker in range(3)] == expected


def test_a_worker_takes_the_number_of_one_that_died():
    assert free_number([]) == 0
    assert free_number([0, 2]) == 1
    assert free_number([1, 0]) == 2
