"""Keyed randomness: the same numbers on every machine, for ever."""

import numpy as np
import pytest

from foldproof.training.keyed import draw_below, key, order, sample_bits

SAMPLES = np.array([0, 1, 2**63, 2**64 - 1, 0x123456789ABCDEF0], dtype=np.uint64)


def test_a_key_is_what_it_was_in_the_first_version():
    assert key("weights", 42, 0, 0) == 0x21C20736781E1C3D
    assert key("order", 42, 0, 3, 1) == 0xC4142A664F910B02


def test_sample_bits_are_what_they_were_in_the_first_version():
    assert sample_bits(SAMPLES, 7).tolist() == [
        0x0349E02B958F63AF,
        0xB3F2E391EE2AB8A6,
        0xB4B53BAAFFED6AE0,
        0xFB3757E726A60512,
        0xAEC4870EC6F10AB3,
    ]


def test_an_order_is_what_it_was_in_the_first_version():
    assert order(SAMPLES, key("order", 42, 0, 0, 1)).tolist() == [3, 0, 2, 4, 1]


def test_purposes_and_numbers_give_different_keys():
    keys = {key(purpose, a, b) for purpose in ("order", "augment", "step") for a in range(20) for b in range(20)}
    assert len(keys) == 3 * 400


def test_numbers_cannot_be_mistaken_for_one_another():
    assert key("order", 1, 23) != key("order", 12, 3)


def test_a_samples_bits_do_not_depend_on_its_neighbours():
    together = sample_bits(SAMPLES, 99)
    assert [int(sample_bits(SAMPLES[i : i + 1], 99)[0]) for i in range(5)] == together.tolist()


def test_an_order_follows_the_samples_wherever_they_lie():
    samples = np.random.default_rng(0).integers(0, 2**63, 200, dtype=np.uint64)
    shuffled = np.random.default_rng(1).permutation(200)
    first, second = order(samples, 5), order(samples[shuffled], 5)
    assert samples[first].tolist() == samples[shuffled][second].tolist()


@pytest.mark.parametrize("bound", [1, 2, 3, 10, 1000])
def test_below_stays_below_and_reaches_everything_evenly(bound):
    drawn = draw_below(sample_bits(np.arange(20_000, dtype=np.uint64), 11), bound)
    counts = np.bincount(drawn, minlength=bound)
    assert drawn.min() >= 0
    assert len(counts) == bound
    expected = 20_000 / bound
    assert np.abs(counts - expected).max() < 6 * np.sqrt(expected) + 1


def test_an_epoch_does_not_repeat_the_order_of_another():
    samples = np.arange(100, dtype=np.uint64)
    assert order(samples, key("order", 0, 0, 0, 1)).tolist() != order(samples, key("order", 0, 0, 0, 2)).tolist()
