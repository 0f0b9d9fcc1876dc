"""What every registered augmentation, optimiser, schedule and weighting of classes promises."""

import numpy as np
import pytest
import torch

from foldproof import registry
from foldproof.config.schema import TrainSettings
from foldproof.training.keyed import sample_bits


def every(seam: str) -> pytest.MarkDecorator:
    known = registry.names(seam)
    return pytest.mark.parametrize("thing", [registry.load(seam, name) for name in known], ids=known)


IMAGES = np.random.default_rng(0).integers(0, 256, (12, 9, 11, 3), dtype=np.uint8)
BITS = sample_bits(np.arange(12, dtype=np.uint64), 3)


@every("augmentations")
def test_an_augmentation_keeps_shape_and_type_and_leaves_its_input_alone(thing):
    before = IMAGES.copy()
    changed = thing(IMAGES, BITS)
    assert changed.shape == IMAGES.shape
    assert changed.dtype == np.uint8
    assert np.array_equal(IMAGES, before)


@every("augmentations")
def test_an_augmentation_changes_an_image_the_same_way_in_any_batch(thing):
    alone = np.concatenate([thing(IMAGES[i : i + 1], BITS[i : i + 1]) for i in range(12)])
    assert np.array_equal(thing(IMAGES, BITS), alone)


@every("optimizers")
def test_an_optimiser_lowers_a_loss_and_does_it_the_same_way_twice(thing):
    def descend() -> torch.Tensor:
        weights = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
        optimizer = thing([weights], TrainSettings(lr=0.01))
        for _ in range(50):
            optimizer.zero_grad()
            weights.square().sum().backward()
            optimizer.step()
        return weights.detach()

    first = descend()
    assert float(first.square().sum()) < 13.0
    assert torch.equal(first, descend())


@every("schedules")
def test_a_schedule_starts_at_the_settings_rate_and_stays_between_it_and_zero(thing):
    factors = [thing(done, 7) for done in range(7)]
    assert factors[0] == 1.0
    assert all(0 <= factor <= 1 for factor in factors)


@every("class_weights")
def test_class_weights_are_one_for_balanced_classes_and_finite_for_absent_ones(thing):
    assert thing(np.array([0, 1, 2, 2, 1, 0]), 3).tolist() == [1.0, 1.0, 1.0]
    weights = thing(np.array([0, 0, 1]), 4)
    assert weights.dtype == np.float32
    assert weights.shape == (4,)
    assert np.isfinite(weights).all()
