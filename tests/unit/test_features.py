"""The features of a frozen backbone do not depend on what else is computed with them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from foldproof.config.schema import TrainSettings
from foldproof.data.dataset import Dataset, Sample
from foldproof.data.pixels.fitted import Form
from foldproof.errors import ModelError, SettingsError
from foldproof.models.backbone import Classifier, InputSpec, build
from foldproof.training.chunks import CHUNK
from foldproof.training.frozen import extraction, features
from foldproof.training.frozen.extraction import Extractor, features_of
from foldproof.training.frozen.features import frozen_features, trunk_digest
from foldproof.training.frozen.rows import FeatureStore
from foldproof.training.preprocess import normalised
from foldproof.training.task import FeatureTask, ModelRequest
from planned import NUMERIC


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def built(name: str, *, pretrained: bool = False) -> Classifier:
    torch.manual_seed(4)
    return build(name, classes=3, pretrained=pretrained)


def pictures(count: int, size: int) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "pretrained", "size"),
    [("small_cnn", False, 28), ("resnet18", False, 48), ("efficientnet_lite0", True, 64)],
)
def test_a_row_depends_on_its_image_alone(name: str, pretrained: bool, size: int):
    classifier, images = built(name, pretrained=pretrained), pictures(CHUNK + 8, size)
    features = frozen_features(classifier, images, device="cpu")
    assert features.shape[0] == len(images)
    assert len(features.unique(dim=0)) == len(images)
    order = np.random.default_rng(1).permutation(len(images))
    assert torch.equal(frozen_features(classifier, images[order], device="cpu"), features[order])
    for few in ([5], [39, 0, 17], list(range(30))):
        assert torch.equal(frozen_features(classifier, images[few], device="cpu"), features[few])


def test_chunks_are_of_32_filled_up_with_black_images():
    classifier, images = built("small_cnn"), pictures(40, 16)
    filled = np.concatenate([images, np.zeros((24, 16, 16, 3), np.uint8)])
    classifier.eval()
    with torch.inference_mode():
        by_hand = [
            classifier.trunk(normalised(torch.from_numpy(filled[start : start + 32]), classifier.input, "cpu"))
            for start in (0, 32)
        ]
    assert torch.equal(frozen_features(classifier, images, device="cpu"), torch.cat(by_hand)[:40])


def test_neither_the_mode_of_the_network_counts_nor_is_it_changed():
    classifier, images = built("small_cnn"), pictures(3, 16)
    training = frozen_features(classifier.train(), images, device="cpu")
    assert all(part.training for part in classifier.modules())
    assert torch.equal(frozen_features(classifier.eval(), images, device="cpu"), training)
    assert not any(part.training for part in classifier.modules())


def test_a_head_can_be_trained_on_them():
    classifier = built("small_cnn")
    features = frozen_features(classifier, pictures(4, 16), device="cpu")
    classifier.head(features).sum().backward()
    assert all(weight.grad is not None for weight in classifier.head.parameters())
    assert all(weight.grad is None for weight in classifier.trunk.parameters())


def test_images_are_read_from_a_file_mapped_read_only(tmp_path: Path):
    images = pictures(5, 16)
    np.save(tmp_path / "pixels.npy", images)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    classifier = built("small_cnn")
    assert torch.equal(
        frozen_features(classifier, mapped, device="cpu"), frozen_features(classifier, images, device="cpu")
    )


def test_no_images_give_no_rows_of_the_right_width():
    assert frozen_features(built("small_cnn"), pictures(0, 16), device="cpu").shape == (0, 128)


def test_a_backbone_that_ends_in_maps_cannot_be_frozen():
    with pytest.raises(ModelError, match="ends in maps"):
        frozen_features(built("squeezenet1_1"), pictures(2, 64), device="cpu")


def test_normalising_is_the_plain_arithmetic_for_every_value_of_a_byte():
    spec = InputSpec(16, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), fixed=False)
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    made = normalised(torch.from_numpy(images), spec, "cpu")
    mean, std = (np.array(values, np.float32) for values in (spec.mean, spec.std))
    wanted = (images.astype(np.float32) / np.float32(255) - mean) / std
    assert made.shape == (1, 3, 16, 16)
    assert made.is_contiguous(memory_format=torch.channels_last)
    assert np.array_equal(made.numpy(), wanted.transpose(0, 3, 1, 2))


def asked_of(folder: Path, **changed: Any) -> ModelRequest:
    return ModelRequest(
        **{
            "backbone": "small_cnn",
            "pretrained": False,
            "freeze_backbone": True,
            "image_size": 16,
            "any_image_size": True,
            "classes": ("a", "b", "c"),
            "batch_size": 8,
            "threads": 1,
            "device": "cpu",
            "plugins": folder,
            **changed,
        }
    )


def test_a_worker_gives_the_rows_that_the_whole_pass_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    images = pictures(70, 16)
    np.save(tmp_path / "images.npy", images)
    mode = torch.get_deterministic_debug_mode()
    torch.manual_seed(4)
    extractor = Extractor(asked_of(tmp_path))
    torch.set_deterministic_debug_mode(mode)
    classifier = built("small_cnn").to(memory_format=torch.channels_last)
    positions = np.arange(3, 70)
    task = FeatureTask(
        model=extractor.request,
        trunk=trunk_digest(classifier, "small_cnn"),
        images=tmp_path / "images.npy",
        positions=positions,
    )
    found = extractor.rows(task)
    np.testing.assert_array_equal(found.positions, positions)
    np.testing.assert_array_equal(found.rows, frozen_features(classifier, images, device="cpu").numpy()[3:])
    with pytest.raises(ModelError, match="other weights each time"):
        extractor.rows(replace(task, trunk="another"))
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX512")
    with pytest.raises(SettingsError, match=r"train\.portable needs"):
        Extractor(asked_of(tmp_path, portable=True))


def test_a_pass_says_ahead_which_images_it_will_ask_for(monkeypatch: pytest.MonkeyPatch):
    said: list[list[int]] = []
    monkeypatch.setattr(features, "expect", lambda _, parts: said.extend(part.tolist() for part in parts))
    frozen_features(built("small_cnn"), pictures(70, 16), device="cpu")
    assert said == [list(range(32)), list(range(32, 64)), list(range(64, 70))]


def test_a_fold_computes_and_keeps_its_features_once_and_has_the_same_where_none_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    images, classifier = pictures(40, 16), built("small_cnn")
    dataset = Dataset.of([Sample(f"{at:064x}", "ab"[at % 2], f"{at}.png") for at in range(40)])
    store = FeatureStore(
        cache=tmp_path / "cache",
        limit_gb=1.0,
        width=128,
        backbone="small_cnn",
        numeric_class=NUMERIC,
        precision="float32",
    )
    task = SimpleNamespace(
        features=None,
        form=Form(size=16),
        model=asked_of(tmp_path),
        train=TrainSettings(freeze_backbone=True),
    )

    def features_for(kept: FeatureStore | None) -> torch.Tensor:
        task.features = kept
        return features_of(task, dataset, classifier, images, torch.device("cpu"))

    expected = features_for(None)
    assert torch.equal(expected, frozen_features(classifier, images, device="cpu"))
    assert not (tmp_path / "cache").exists()
    assert torch.equal(features_for(store), expected)
    (path,) = (tmp_path / "cache").glob("*.npy")
    assert torch.equal(torch.from_numpy(np.load(path)), expected)
    with monkeypatch.context() as patched:
        patched.setattr(extraction, "frozen_features", None)  # nothing is computed again
        assert torch.equal(features_for(store), expected)
    assert torch.equal(features_for(replace(store, limit_gb=1e-9, cache=tmp_path / "small")), expected)
    assert not list((tmp_path / "small").glob("*.npy"))
