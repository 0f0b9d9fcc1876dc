"""Make optimisers that do not load torch's compiler: torch's classes without their guards.

torch wraps the methods of an optimiser so that the compiler stays out of them, and loads the compiler for that: 1.5 s
in every process, though nothing compiles an optimiser here.
"""

import inspect
from typing import Any, TypeVar, cast

import torch

_GUARDED = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
Kind = TypeVar("Kind", bound=torch.optim.Optimizer)


def uncompiled(kind: type[Kind]) -> type[Kind]:
    """A class of the same name and arithmetic, whose step takes no gradient of itself."""
    bare: dict[str, Any] = {name: inspect.unwrap(getattr(kind, name)) for name in _GUARDED}
    step = torch.no_grad()(inspect.unwrap(kind.step))
    return cast("type[Kind]", type(kind.__name__, (kind,), {**bare, "step": step}))
