"""Build a `Classifier` from a model of timm."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import timm
from timm.data import resolve_model_data_config
from timm.models import get_pretrained_cfg
from torch import nn

from foldproof.errors import ModelError
from foldproof.models.backbone import Classifier, InputSpec, triple
from foldproof.models.weights import file_from_hub, file_from_url, reading

SAFE_NAMES: Mapping[str, str] = MappingProxyType(
    {"pytorch_model.bin": "model.safetensors", "open_clip_pytorch_model.bin": "open_clip_model.safetensors"}
)


@cache
def names() -> frozenset[str]:
    """All models of the installed timm, with and without the tag that says which weights."""
    return frozenset([*timm.list_models(), *timm.list_models(include_tags=True)])


def build(name: str, *, classes: int, pretrained: bool) -> Classifier:
    """`name` with random or published weights and a fresh linear head. Raises NeedsNetwork, ModelError.

    timm's model without a classifier is the trunk: it ends in pooled features, ready for a linear layer.
    """
    net: Any
    if pretrained:
        file = _published(name)
        source = {"file": str(file), "custom_load": file.suffix == ".npz"}
        with reading(file, name=name):
            net = timm.create_model(name, pretrained=True, num_classes=0, pretrained_cfg_overlay=source)
    else:
        net = timm.create_model(name, pretrained=False, num_classes=0)
    head = nn.Linear(int(getattr(net, "head_hidden_size", None) or net.num_features), classes)
    return Classifier(net, head, input=_input_of(net, fixed=pretrained), pretrained=pretrained)


def _published(name: str) -> Path:
    source = get_pretrained_cfg(name)
    if source is None or not (source.hf_hub_id or source.url):
        raise ModelError(
            f"there are no pretrained weights for timm's '{name}'",
            next_step="set train.pretrained: false, or choose another backbone",
        )
    if not source.hf_hub_id:
        return file_from_url(source.url, name=name)
    wanted = source.hf_hub_filename or "pytorch_model.bin"
    return file_from_hub(source.hf_hub_id, [SAFE_NAMES.get(wanted, wanted), wanted], name=name)


def _input_of(net: Any, *, fixed: bool) -> InputSpec:
    data = resolve_model_data_config(net)
    return InputSpec(int(data["input_size"][-1]), triple(data["mean"]), triple(data["std"]), fixed=fixed)
