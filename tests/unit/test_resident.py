"""A data set that lies on the device: the batches of one that is read from the disk, bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from foldproof import registry
from foldproof.models.backbone import InputSpec
from foldproof.training.augment import Drawn, light
from foldproof.training.batches import PixelBatches
from foldproof.training.gpu.resident import Resident, ResidentPixels, fits, resident
from foldproof.training.keyed import sample_bits

CPU = torch.device("cpu")
KEYS = sample_bits(np.arange(40, dtype=np.uint64), 9)


def signed(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images.view(np.int16) if images.dtype == np.uint16 else images)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("name", registry.names("augmentations"))
@pytest.mark.parametrize("channels", [1, 3])
def test_a_resident_data_set_gives_the_same_batches_bit_for_bit(dtype, name, channels, tmp_path):
    pixels = np.random.default_rng(2).integers(0, np.iinfo(dtype).max, (40, 12, 9, channels), dtype=dtype)
    np.save(tmp_path / "pixels.npy", pixels)
    mapped = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    spec = InputSpec(12, (0.4, 0.5, 0.6)[:channels], (0.2, 0.3, 0.25)[:channels], fixed=False)
    augment = registry.load("augmentations", name)
    assert isinstance(augment, Drawn)
    streamed = PixelBatches(mapped, KEYS, spec, augment, CPU)
    held = ResidentPixels(Resident.of(mapped, CPU), KEYS, spec, augment)
    for positions in (np.array([3, 1, 39]), np.arange(40)):
        for augmented_by in (None, 5, 2**64 - 1, 5):
            one, other = (batches.at(positions, augmented_by=augmented_by) for batches in (streamed, held))
            assert torch.equal(one, other)
            assert one.stride() == other.stride()


@pytest.mark.slow
@given(
    images=st.sampled_from([np.uint8, np.uint16]).flatmap(
        lambda dtype: arrays(dtype, st.tuples(*(st.integers(1, edge) for edge in (5, 20, 20, 3))))
    ),
    data=st.data(),
)
def test_light_is_the_same_on_tensors_as_on_arrays(images, data):
    bits = data.draw(arrays(np.uint64, len(images)))
    drawn = light.draw(bits, *images.shape[1:3])
    on_tensors = light.on_tensors(signed(images), torch.from_numpy(drawn))
    assert np.array_equal(on_tensors.numpy().view(images.dtype), light(images, bits))


def test_a_data_set_lies_on_a_gpu_where_it_leaves_half_of_the_memory_to_the_training():
    assert fits(1_000, free_bytes=2_000)
    assert not fits(1_001, free_bytes=2_000)


def test_on_a_cpu_images_stay_on_the_disk(tmp_path):
    np.save(tmp_path / "pixels.npy", np.zeros((2, 4, 4, 3), dtype=np.uint8))
    assert resident(tmp_path / "pixels.npy", CPU) is None
