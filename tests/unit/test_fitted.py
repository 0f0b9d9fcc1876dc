"""What a network sees of a picture: nothing is coarse, white or black that was not."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from foldproof.data.dataset import Dataset, Sample
from foldproof.data.pixels.fitted import Form, fitted
from foldproof.data.pixels.images import decoded
from foldproof.data.pixels.originals import Originals
from foldproof.data.rows import cache as pixel_cache
from foldproof.data.rows.files import is_whole, read_index
from foldproof.data.scan import hash_file
from foldproof.data.value_range import ValueRange
from foldproof.errors import DataError
from foldproof.models.backbone import InputSpec
from foldproof.training.augment import light
from foldproof.training.chunks import CHUNK
from foldproof.training.frozen.features import frozen_features
from foldproof.training.preprocess import normalised

RANDOM = np.random.default_rng(6)
OF_12_BITS = ValueRange(0.0, 4095.0, 16)


def as_dataset(folder: Path) -> Dataset:
    paths = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    return Dataset.of([Sample(hash_file(folder / path).sha256, path[:3], path) for path in paths])


def test_all_4096_levels_reach_the_network_and_their_order_stays():
    ramp = np.arange(4096, dtype=np.uint16).reshape(64, 64, 1)
    made = fitted(ramp, Form(size=64, within=OF_12_BITS))
    assert (made.dtype, made.shape) == (np.uint16, (64, 64, 3))
    assert np.all(np.diff(made[..., 0].reshape(-1).astype(int)) > 0)
    assert (int(made.min()), int(made.max())) == (0, 65535)
    assert np.array_equal(made[..., 0], made[..., 2])


def test_resizing_rounds_once_and_only_at_the_end():
    pixels = RANDOM.integers(0, 4096, (96, 128, 3), dtype=np.uint16)
    made = fitted(pixels, Form(size=24, within=OF_12_BITS))
    for channel in range(3):
        exact = Image.fromarray((pixels[..., channel] / 4095 * 65535).astype(np.float32))
        exact = np.asarray(exact.resize((24, 24), Image.Resampling.BILINEAR), dtype=np.float64)
        assert np.abs(made[..., channel] - exact).max() <= 0.5


def test_an_edge_between_two_levels_keeps_the_levels_between_them():
    pixels = np.zeros((64, 64, 1), dtype=np.uint16)
    pixels[:, 32:] = 3  # of 4095: nothing of it would be left in 8 bits
    made = fitted(pixels, Form(size=16, channels=1, within=OF_12_BITS))
    assert len(np.unique(made)) >= 2
    assert int(made.max()) == round(3 / 4095 * 65535)


def test_8_bit_pictures_are_those_of_pillow_as_ever():
    pixels = RANDOM.integers(0, 256, (30, 41, 3), dtype=np.uint8)
    made = fitted(pixels, Form(size=12))
    assert np.array_equal(made, Image.fromarray(pixels).resize((12, 12), Image.Resampling.BILINEAR))
    assert np.array_equal(fitted(pixels[:12, :12], Form(size=12)), pixels[:12, :12])


@pytest.mark.parametrize("within", [None, OF_12_BITS])
@pytest.mark.parametrize("edge", [16, 40])
def test_one_channel_is_what_each_of_three_would_be(within: ValueRange | None, edge: int):
    kind = np.uint8 if within is None else np.uint16
    grey = np.repeat(RANDOM.integers(0, 256, (edge, edge, 1), dtype=kind), 3, axis=2)
    one, three = (fitted(grey, Form(size=16, channels=channels, within=within)) for channels in (1, 3))
    assert (one.shape, three.shape) == ((16, 16, 1), (16, 16, 3))
    assert np.array_equal(np.repeat(one, 3, axis=2), three)


@pytest.mark.parametrize("within", [None, OF_12_BITS])
def test_colours_are_not_made_grey_in_silence(within: ValueRange | None):
    pixels = RANDOM.integers(0, 256, (16, 16, 3), dtype=np.uint8 if within is None else np.uint16)
    with pytest.raises(DataError, match=r"has colours, and data\.channels is 1"):
        fitted(pixels, Form(size=16, channels=1, within=within))


def test_a_depth_that_nobody_looked_at_is_refused():
    with pytest.raises(DataError, match="has 16 bits a channel, unlike the others"):
        fitted(np.zeros((8, 8, 1), np.uint16), Form(size=8))
    with pytest.raises(DataError, match="has 8 bits a channel, unlike the others"):
        fitted(np.zeros((8, 8, 3), np.uint8), Form(size=8, within=OF_12_BITS))


class TestCache:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        for number in range(5):
            path = tmp_path / "images" / "cat" / f"{number}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(path, RANDOM.integers(0, 4096, (20, 30), dtype=np.uint16), compression="lzw")
        return tmp_path / "images"

    def make(self, folder: Path, *, within: ValueRange = OF_12_BITS, channels: int = 1, images: int = 5) -> Path:
        dataset = Dataset(as_dataset(folder).samples[:images])
        cache = folder.parent / "cache"
        return decoded(dataset, Originals(folder, Form(size=16, channels=channels, within=within)), cache=cache)

    def test_rows_are_the_fitted_pictures_in_16_bits(self, folder: Path):
        rows = np.load(self.make(folder), mmap_mode="r")
        assert (rows.dtype, rows.shape) == (np.uint16, (5, 16, 16, 1))
        for row, sample in zip(rows, as_dataset(folder).samples, strict=True):
            pixels = tifffile.imread(folder / sample.path)[..., np.newaxis]
            assert np.array_equal(row, fitted(pixels, Form(size=16, channels=1, within=OF_12_BITS)))

    def test_another_range_or_number_of_channels_is_another_file_with_other_rows(self, folder: Path):
        other = ValueRange(0.0, 4094.0, 16)
        made = [self.make(folder), self.make(folder, channels=3), self.make(folder, within=other)]
        assert len(set(made)) == 3
        assert not np.array_equal(np.load(made[0]), np.load(made[2]))

    def test_every_bit_of_them_is_checked(self, folder: Path):
        made = self.make(folder)
        index = read_index(made)
        assert index is not None
        assert (index.number, index.row[-1], is_whole(made, deep=True)) == ("<u2", 1, True)
        content = bytearray(made.read_bytes())
        content[-3] ^= 1
        made.write_bytes(content)
        assert not is_whole(made, deep=True)
        assert [item.path for item in pixel_cache.damaged(made.parent)] == [made]

    def test_what_a_file_of_the_same_range_has_is_copied_from_there(self, folder: Path):
        dataset, cache = as_dataset(folder), folder.parent / "cache"
        few = np.load(self.make(folder, images=3))
        for sample in dataset.samples[:3]:
            (folder / sample.path).unlink()
        all_of_them = decoded(dataset, Originals(folder, Form(size=16, channels=1, within=OF_12_BITS)), cache=cache)
        assert np.array_equal(np.load(all_of_them)[:3], few)


def test_normalising_is_the_plain_arithmetic_for_every_value_of_16_bits():
    spec = InputSpec(256, (0.485,), (0.229,), fixed=False)
    images = np.arange(65_536, dtype=np.uint16).reshape(1, 256, 256, 1)
    made = normalised(torch.from_numpy(images), spec, "cpu")
    wanted = (images.astype(np.float32) / np.float32(65535) - np.float32(0.485)) / np.float32(0.229)
    assert np.array_equal(made.numpy(), wanted.transpose(0, 3, 1, 2))


def test_augmenting_deep_images_moves_their_values_and_changes_none():
    images = RANDOM.integers(1, 2**16, (4, 16, 16, 1), dtype=np.uint16)
    moved = light(images, np.arange(4, dtype=np.uint64))
    assert moved.dtype == np.uint16
    assert set(np.unique(moved)) <= {0, *np.unique(images)}


def test_features_of_deep_images_are_those_of_the_same_shares():
    from foldproof.models.backbone import build

    torch.manual_seed(1)
    classifier = build("small_cnn", classes=2, pretrained=False)
    eight = RANDOM.integers(0, 256, (CHUNK + 3, 16, 16, 3), dtype=np.uint8)
    features = [frozen_features(classifier, images, device="cpu") for images in (eight, eight.astype(np.uint16) * 257)]
    assert torch.allclose(*features, atol=1e-6)
