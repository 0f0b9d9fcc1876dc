"""Write and read resume states: all a fold needs to resume inside an epoch, in two self-checking files.

`state-EPOCH-STEP.json` names the safetensors file beside it and holds its SHA-256, and one over itself. It is written
last, so a state is whole or not there. No file is ever unpickled.
"""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load

from foldproof.config.identity import canonical_json
from foldproof.errors import DamagedFile
from foldproof.events.types import Body, Notice, body_from_plain, body_to_plain
from foldproof.storage import read_inside, write_atomically
from foldproof.training.checkpoint import tensor_bytes
from foldproof.training.resuming.state_files import KEPT, descriptions, prune, stem

SCHEMA_VERSION = 1
_MOST_DESCRIPTION_BYTES = 2**29
_LOSSES = "losses"


@dataclass(frozen=True, kw_only=True)
class State:
    """A fold inside epoch `epoch` (from 1), after `step` steps of it; tensors on the CPU.

    `losses`: of every step since the first epoch, [step] float32. `correct`: images of this epoch recognised so far.
    `bodies`: what the fold has said since FoldStarted, but for what follows the clock. `groups`: the optimiser's plain
    numbers, a dictionary a parameter group.
    """

    fold_key: str
    epoch: int
    step: int
    correct: int
    losses: NDArray[np.float32]
    bodies: tuple[Body, ...]
    weights: Mapping[str, torch.Tensor]
    optimizer: Mapping[str, Mapping[str, torch.Tensor]]  # by parameter, then by quantity
    groups: tuple[Mapping[str, Any], ...]
    name: str = ""  # of the file that it was read from

    @property
    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything that is a tensor, by one name each."""
        of_optimizer = {
            f"optimizer|{parameter}|{quantity}": tensor
            for parameter, quantities in self.optimizer.items()
            for quantity, tensor in quantities.items()
        }
        weights = {f"weights|{name}": tensor for name, tensor in self.weights.items()}
        return {**weights, **of_optimizer, _LOSSES: torch.from_numpy(self.losses)}


def write(folder: Path, state: State) -> Path:
    """Write a state; then all but the newest two go. Raises StorageError, and the states before are as they were."""
    name = stem(state.epoch, state.step)
    tensors = folder / f"{name}-{secrets.token_hex(4)}.safetensors"
    try:
        content = tensor_bytes(state.tensors, "{}")
        write_atomically(tensors, content)
        about = {
            "v": SCHEMA_VERSION,
            "fold_key": state.fold_key,
            "epoch": state.epoch,
            "step": state.step,
            "correct": state.correct,
            "bodies": [body_to_plain(body) for body in state.bodies],
            "groups": state.groups,
            "file": tensors.name,
            "bytes": len(content),
            "file_sha256": hashlib.sha256(content).hexdigest(),
        }
        described = canonical_json({**about, "sha256": hashlib.sha256(canonical_json(about)).hexdigest()})
        path = write_atomically(folder / f"{name}.json", described)
    except BaseException:
        with suppress(OSError):
            tensors.unlink()
        raise
    prune(folder, keep=KEPT)
    return path


def read_latest(folder: Path, *, fold_key: str) -> tuple[State | None, tuple[Notice, ...]]:
    """The newest whole state of this fold under `fold_key`, and notices about those passed over."""
    notices: list[Notice] = []
    for path in reversed(descriptions(folder)):
        try:
            state = read(path)
        except DamagedFile as error:
            text = f"{error.what}; resuming from the state before it, or from the start"
            notices.append(Notice(code="state_damaged", text=text))
            continue
        if state.fold_key == fold_key:
            return state, tuple(notices)
        notices.append(
            Notice(
                code="state_of_another_arithmetic",
                text=f"{path.name} was made by other code, another version of torch or another kind of processor: "
                "this fold starts over",
            )
        )
        break
    return None, tuple(notices)


def read(path: Path) -> State:
    """The state that `path` describes. Raises DamagedFile where one bit of it is not as it was written."""
    try:
        text = read_inside(path.parent, path.name, most_bytes=_MOST_DESCRIPTION_BYTES)
        about = json.loads(text)
        claimed = about.pop("sha256")
        if (
            hashlib.sha256(canonical_json(about)).hexdigest() != claimed
            or canonical_json({**about, "sha256": claimed}) != text
        ):
            raise ValueError("its checksum is not what was written")
        if about["v"] > SCHEMA_VERSION:
            raise DamagedFile(f"{path.name} is of a newer schema", next_step="read it with a newer foldproof")
        tensors = load(_read_tensors(path.parent, about))
        return State(
            fold_key=about["fold_key"],
            epoch=int(about["epoch"]),
            step=int(about["step"]),
            correct=int(about["correct"]),
            losses=tensors[_LOSSES].numpy(),
            bodies=tuple(map(body_from_plain, about["bodies"])),
            weights=_named(tensors, "weights"),
            optimizer=_by_parameter(tensors),
            groups=tuple(about["groups"]),
            name=path.name,
        )
    except DamagedFile:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, SafetensorError) as error:
        raise DamagedFile(f"{path.name} is damaged: {error}", next_step="train the fold again") from error


def _read_tensors(folder: Path, about: Mapping[str, Any]) -> bytes:
    if about["bytes"] > psutil.virtual_memory().available:
        raise ValueError(f"{about['bytes']:,} bytes do not fit the memory")
    content = read_inside(folder, about["file"], most_bytes=about["bytes"])
    if len(content) != about["bytes"] or hashlib.sha256(content).hexdigest() != about["file_sha256"]:
        raise ValueError(f"the checksum of {about['file']} is not what was written")
    return content


def _named(tensors: Mapping[str, torch.Tensor], kind: str) -> dict[str, torch.Tensor]:
    head = f"{kind}|"
    return {name.removeprefix(head): tensor for name, tensor in tensors.items() if name.startswith(head)}


def _by_parameter(tensors: Mapping[str, torch.Tensor]) -> dict[str, dict[str, torch.Tensor]]:
    found: dict[str, dict[str, torch.Tensor]] = {}
    for name, tensor in _named(tensors, "optimizer").items():
        parameter, _, quantity = name.rpartition("|")
        found.setdefault(parameter, {})[quantity] = tensor
    return found


def optimizer_tensors(
    net: torch.nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[dict[str, dict[str, torch.Tensor]], tuple[dict[str, Any], ...]]:
    """The optimiser's tensors by the name of the parameter they belong to, and its groups' plain values."""
    names = {id(parameter): name for name, parameter in net.named_parameters()}
    tensors = {
        names[id(parameter)]: {key: value for key, value in quantities.items() if isinstance(value, torch.Tensor)}
        for parameter, quantities in optimizer.state.items()
    }
    groups = tuple({key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups)
    return tensors, groups


def restore_optimizer(net: torch.nn.Module, optimizer: torch.optim.Optimizer, state: State) -> None:
    """Put a state's tensors and plain values back. Raises ValueError where they do not fit."""
    parameters = dict(net.named_parameters())
    numbers = {name: number for number, name in enumerate(parameters)}
    current = optimizer.state_dict()
    groups: Sequence[Mapping[str, Any]] = current["param_groups"]
    if len(groups) != len(state.groups) or not state.optimizer.keys() <= numbers.keys():
        raise ValueError("its optimiser differs")
    optimizer.load_state_dict(
        {
            "state": {
                numbers[name]: {key: _laid_out_as(parameters[name], value) for key, value in quantities.items()}
                for name, quantities in state.optimizer.items()
            },
            "param_groups": [{**now, **_plain(then, now)} for now, then in zip(groups, state.groups, strict=True)],
        }
    )


def _laid_out_as(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """The same values in the memory layout of their parameter, as a fused optimiser pairs them by place in memory."""
    if value.shape != parameter.shape:
        return value
    return torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)


def _plain(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(now[key], tuple) else value for key, value in then.items() if key in now}
