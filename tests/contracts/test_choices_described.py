"""A setting says which names it takes, so that one more name is in the reference too."""

from dataclasses import fields

import pytest

from foldproof import registry
from foldproof.config import schema

SECTIONS = (schema.FoldSettings, schema.TrainSettings, schema.ExecutionConfig)
CHOICES = [
    pytest.param(item.metadata["description"], item.metadata["seam"], id=item.name)
    for section in SECTIONS
    for item in fields(section)
    if item.metadata.get("seam") not in (None, "backbones")  # any model of timm and torchvision is one
]


@pytest.mark.parametrize(("description", "seam"), CHOICES)
def test_every_built_in_name_stands_in_the_description_of_its_setting(description, seam):
    assert [name for name in registry.SEAMS[seam] if name not in description] == []


def test_the_settings_that_choose_are_found():
    assert {choice.id for choice in CHOICES} >= {"scheme", "optimizer", "schedule", "augment", "executor"}
