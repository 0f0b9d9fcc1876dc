"""Keys: one thing that decides a result changed, another key; what decides nothing changed, the same key."""

import hashlib
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import PIL
import PIL.features
import pytest
import torch

from conftest import draw
from foldproof.config.schema import ExperimentConfig, FoldSettings, PixelSettings, TrainSettings
from foldproof.data import readers
from foldproof.data.dataset import Dataset, Sample
from foldproof.data.pixels import images
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.images import decoded, decoder_of, row_names
from foldproof.data.pixels.originals import Originals
from foldproof.data.scan import scan
from foldproof.data.value_range import ValueRange
from foldproof.folds import Fold
from foldproof.models.backbone import build
from foldproof.models.small_cnn import small_cnn
from foldproof.plan.tasks import fold_key
from foldproof.provenance.numeric import NumericClass
from foldproof.training.frozen import features
from foldproof.training.frozen.features import trunk_digest
from foldproof.training.frozen.rows import FeatureRows, FeatureStore

NUMERIC = NumericClass(
    torch="2.14",
    device="cpu",
    device_name="",
    threads=1,
    instruction_set="AVX2",
    switches=(),
    tf32=False,
    memory_format="channels_last",
    optimizer_kernel="fused",
    compiled=False,
    training_code="c0de",
    plugins="",
    fingerprint="feed",
)
CONFIG = ExperimentConfig(name="one", pixels=PixelSettings(), folds=FoldSettings(k=2), train=TrainSettings())
DATASET = Dataset.of([Sample(f"{at:064x}", "ab"[at % 2], f"{at}.png") for at in range(8)])
FOLD = Fold(0, 1, np.arange(4), np.arange(4, 8))


def key(**changed: Any) -> str:
    given = {"config": CONFIG, "dataset": DATASET, "fold": FOLD, "image_size": 8, "numeric_class": NUMERIC, **changed}
    within = given.pop("within", None)
    return fold_key(
        given["config"],
        given["dataset"],
        given["fold"],
        within=within,
        **{name: given[name] for name in ("image_size", "numeric_class")},
    )


def another(value: object) -> object:
    """A value of the same kind that is not `value`."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return (*value, "more") if isinstance(value, tuple) else f"{value}x"


def relabelled(label: str = "b", group: str = "") -> Dataset:
    first, *rest = DATASET.samples
    return Dataset.of([first._replace(label=label, group=group), *rest])


@pytest.mark.parametrize("name", [field.name for field in fields(NumericClass)])
def test_each_part_of_the_numeric_class_is_in_the_key_of_a_fold(name):
    assert key(numeric_class=replace(NUMERIC, **{name: another(getattr(NUMERIC, name))})) != key()


@pytest.mark.parametrize(("part", "kind"), [("pixels", PixelSettings), ("train", TrainSettings)])
def test_each_setting_of_pixels_and_training_is_in_the_key_of_a_fold(part, kind):
    keys = {key()}
    for field in fields(kind):
        value = getattr(getattr(CONFIG, part), field.name)
        keys.add(key(config=replace(CONFIG, **{part: replace(getattr(CONFIG, part), **{field.name: another(value)})})))
    assert len(keys) == 1 + len(fields(kind))


@pytest.mark.parametrize(
    "changed",
    [
        {"image_size": 9},
        {"within": ValueRange(0.0, 4095.0, 16)},
        {"dataset": relabelled()},
        {"dataset": relabelled("a", "patient")},
        {"fold": replace(FOLD, repeat=1)},
        {"fold": replace(FOLD, index=0)},
        {"fold": replace(FOLD, train=np.arange(1, 5), validation=np.array([0, 5, 6, 7]))},
    ],
    ids=["image size", "range", "a label", "a group", "repeat", "fold", "split"],
)
def test_what_a_fold_is_trained_on_is_in_its_key(changed):
    assert key(**changed) != key()


def test_neither_names_nor_how_other_folds_are_cut_are_in_the_key_of_a_fold():
    renamed = Dataset.of([sample._replace(path=f"elsewhere/{sample.path}") for sample in DATASET.samples])
    same = {
        key(dataset=renamed),
        key(config=replace(CONFIG, name="two")),
        key(config=replace(CONFIG, folds=FoldSettings(k=2, seed=7, repeats=3))),
    }
    assert same == {key()}


DEEP = Form(size=8, within=ValueRange(0.0, 1000.0, 16))


@pytest.mark.parametrize(
    "form",
    [
        Form(size=9),
        Form(size=8, resize="pad"),
        Form(size=8, resize="crop"),
        Form(size=8, channels=1),
        DEEP,
        replace(DEEP, within=ValueRange(1.0, 1000.0, 16)),
        replace(DEEP, within=ValueRange(0.0, 1001.0, 16)),
        replace(DEEP, within=ValueRange(0.0, 1000.0, 8)),
    ],
)
def test_each_form_of_pixels_has_a_key_of_its_own(form):
    others = (Form(size=8), DEEP, replace(DEEP, resize="pad"))
    assert decoder_of(form) not in {decoder_of(other) for other in others if other != form}


@pytest.mark.parametrize("changed", ["Pillow", "jpg", "webp", "avif", "jpg_2000"])
def test_each_version_that_decodes_is_in_the_key_of_pixels(changed, monkeypatch):
    before = decoder_of(Form(size=8))
    if changed == "Pillow":
        monkeypatch.setattr(PIL, "__version__", "0.1")
    else:
        version = PIL.features.version
        monkeypatch.setattr(PIL.features, "version", lambda name: "0.1" if name == changed else version(name))
    assert decoder_of(Form(size=8)) != before


@pytest.mark.parametrize("package", ["tifffile", "imagecodecs"])
def test_each_version_that_decodes_deep_pictures_is_in_their_key_and_in_no_other(package, monkeypatch):
    deep, usual, version = decoder_of(DEEP), decoder_of(Form(size=8)), images.version
    monkeypatch.setattr(images, "version", lambda name: "0.1" if name == package else version(name))
    assert decoder_of(DEEP) != deep
    assert decoder_of(Form(size=8)) == usual


def test_the_row_of_an_image_is_named_by_its_content_and_its_reader(monkeypatch):
    png, jpg = (Dataset.of([Sample("1" * 64, "a", f"x{suffix}")]) for suffix in (".png", ".jpg"))
    assert row_names(png) == row_names(jpg)  # one reader
    assert row_names(png) == row_names(Dataset.of([Sample("1" * 64, "b", "y.png", "group")]))
    assert row_names(png) != row_names(Dataset.of([Sample("2" * 64, "a", "x.png")]))
    before = row_names(png)
    monkeypatch.setattr(readers, "reader_for", lambda _: another_reader)
    assert row_names(png) != before
    expected = hashlib.sha256(f"{'1' * 64} {another_reader.__module__}:another_reader".encode()).digest()
    assert row_names(png) == [expected]


def another_reader(content: bytes) -> None:
    """Reads nothing."""


@pytest.mark.parametrize("changed", [{"resize": "pad"}, {"resize": "crop"}, {"size": 9}])
def test_pixels_of_another_form_are_another_file_with_other_pixels(changed, tmp_path: Path):
    for label, name in enumerate("ab"):
        draw(tmp_path / "images" / name / "0.png", label=label, number=0, size=12)
    wide = PIL.Image.open(tmp_path / "images" / "a" / "0.png").resize((24, 12))
    wide.save(tmp_path / "images" / "a" / "0.png")
    dataset = scan(tmp_path / "images").dataset
    originals = Originals(tmp_path / "images", Form(size=8))
    one = decoded(dataset, originals, cache=tmp_path / "cache")
    other = decoded(dataset, replace(originals, form=replace(originals.form, **changed)), cache=tmp_path / "cache")
    assert one != other
    assert np.load(one).tobytes() != np.load(other).tobytes()


STORE = FeatureStore(
    cache=Path("cache"), limit_gb=1, width=4, backbone="net", numeric_class=NUMERIC, precision="float32"
)


def kept(store: FeatureStore = STORE, dataset: Dataset = DATASET, form: Form = DEEP, trunk: str = "trunk") -> str:
    return FeatureRows.of(store, dataset, form, trunk=trunk).path.name


@pytest.mark.parametrize(
    "changed",
    [
        {"store": replace(STORE, precision="bfloat16")},
        {"store": replace(STORE, numeric_class=replace(NUMERIC, threads=2))},
        {"trunk": "another"},
        {"form": replace(DEEP, resize="pad")},
        {"dataset": Dataset.of(DATASET.samples[1:])},
    ],
    ids=["precision", "numeric class", "trunk", "form", "images"],
)
def test_what_decides_features_is_in_the_name_of_their_file(changed):
    assert kept(**changed) != kept()


def test_where_features_lie_and_what_they_are_called_is_not_in_the_name_of_their_file():
    assert kept(store=replace(STORE, cache=Path("elsewhere"), limit_gb=9, backbone="other")) == kept()


def with_weight(change: Callable[[torch.Tensor], object]) -> str:
    torch.manual_seed(3)
    classifier = small_cnn(classes=2, pretrained=False)
    with torch.no_grad():
        change(next(classifier.trunk.parameters()))
    return trunk_digest(classifier, "small_cnn")


def test_what_decides_what_a_trunk_computes_is_in_its_digest(monkeypatch):
    torch.manual_seed(3)
    classifier = build("small_cnn", classes=2, pretrained=False)
    before = trunk_digest(classifier, "small_cnn")
    assert with_weight(lambda weight: weight) == before
    assert with_weight(lambda weight: weight[0, 0, 0].add_(1)) != before
    assert trunk_digest(classifier, "another") != before
    for changed in ({"mean": (0.5, 0.5, 0.4)}, {"std": (0.5, 0.5, 0.4)}):
        classifier.input, kept_input = replace(classifier.input, **changed), classifier.input
        assert trunk_digest(classifier, "small_cnn") != before
        classifier.input = kept_input
    with torch.no_grad():
        classifier.head.bias.add_(1)  # the head is none of the trunk
    assert trunk_digest(classifier, "small_cnn") == before
    version = features.metadata.version
    for library in ("timm", "torchvision"):
        with monkeypatch.context() as patched:
            named = SimpleNamespace(version=lambda name, of=library: "0.1" if name == of else version(name))
            patched.setattr(features, "metadata", named)
            assert trunk_digest(classifier, "small_cnn") != before


def test_another_way_of_writing_files_is_another_key(monkeypatch):
    pixels, rows = decoder_of(Form(size=8)), kept()
    with monkeypatch.context() as patched:
        patched.setattr(images, "SCHEMA_VERSION", images.SCHEMA_VERSION + 1)
        assert decoder_of(Form(size=8)) != pixels
    with monkeypatch.context() as patched:
        patched.setattr("foldproof.training.frozen.rows.SCHEMA_VERSION", 99)
        assert kept() != rows
    assert (decoder_of(Form(size=8)), kept()) == (pixels, rows)
