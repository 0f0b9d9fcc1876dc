"""Split a network before its last linear layer into trunk and head."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from foldproof.errors import ModelError


class CutEnd(nn.Identity):
    """Stands where the last linear layer was."""


@dataclass(frozen=True)
class Cut:
    """A network without its last linear layer, that layer, and the dropout that went before it."""

    trunk: nn.Module
    last: nn.Linear
    dropout: float

    def head(self, last: nn.Linear) -> nn.Module:
        """`last` with the dropout before it; never in place, as features are used in every epoch."""
        return nn.Sequential(nn.Dropout(self.dropout), last) if self.dropout else last

    def fresh_head(self, classes: int) -> nn.Module:
        """A head for `classes`, drawn from torch's global generator."""
        return self.head(nn.Linear(self.last.in_features, classes, bias=self.last.bias is not None))


def cut_last_linear(net: nn.Module, *, name: str) -> Cut:
    """Take out the linear layer registered last, and a dropout right before it in the same Sequential.

    Whether the layer is last in the computation too is seen by `backbone.check_forward`.
    Raises ModelError where there is none.
    """
    paths = [path for path, module in net.named_modules() if isinstance(module, nn.Linear) and path]
    if not paths:
        raise ModelError(
            f"'{name}' has no linear layer to put a head in place of",
            next_step="choose another backbone, or return a foldproof.models.backbone.Classifier",
        )
    parent_path, _, attribute = paths[-1].rpartition(".")
    parent = net.get_submodule(parent_path)
    last = getattr(parent, attribute)
    assert isinstance(last, nn.Linear)
    setattr(parent, attribute, CutEnd())
    return Cut(net, last, _take_dropout(parent, attribute) if isinstance(parent, nn.Sequential) else 0.0)


@contextmanager
def cut_end_output(trunk: nn.Module) -> Iterator[list[torch.Tensor]]:
    """Fill the list with what passes the place where the last linear layer was; empty where none was cut."""
    passed: list[torch.Tensor] = []
    hooks = [
        part.register_forward_hook(lambda _module, _inputs, output: passed.append(output))
        for part in trunk.modules()
        if isinstance(part, CutEnd)
    ]
    try:
        yield passed
    finally:
        for hook in hooks:
            hook.remove()


def _take_dropout(parent: nn.Sequential, attribute: str) -> float:
    names = [name for name, _ in parent.named_children()]
    before = names[max(names.index(attribute) - 1, 0)]
    dropout = getattr(parent, before)
    if not isinstance(dropout, nn.Dropout):
        return 0.0
    setattr(parent, before, nn.Identity())
    return dropout.p
