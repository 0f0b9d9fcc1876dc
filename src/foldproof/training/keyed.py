"""Derive randomness as a pure function of integer keys: order, bits and generator seeds.

Scheme `rng: 1`. A key is a purpose and the integers it belongs to, hashed by BLAKE2b to 64 bits; a sample's own bits
come from its content hash mixed with a key by the finaliser of SplitMix64 (Steele, Lea & Flood 2014), which is integer
arithmetic and therefore the same on every machine. Test vectors stand in `tests/unit/test_keyed.py`.
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

RNG_SCHEME = 1


def key(purpose: str, *numbers: int) -> int:
    """64 bits for a purpose such as "order" and its (seed, repeat, fold, …)."""
    text = f"foldproof rng {RNG_SCHEME} {purpose} {' '.join(str(number) for number in numbers)}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def sample_bits(samples: NDArray[np.uint64], mixed_with: int) -> NDArray[np.uint64]:
    """64 bits for each sample under a key.  # [sample] -> [sample] uint64"""
    with np.errstate(over="ignore"):
        return _finalise(_finalise(samples + np.uint64(0x9E3779B97F4A7C15)) ^ np.uint64(mixed_with))


def order(samples: NDArray[np.uint64], mixed_with: int) -> NDArray[np.int64]:
    """A permutation of positions by the samples' own bits; where the samples lie does not count.  # [sample]"""
    return np.argsort(sample_bits(samples, mixed_with), kind="stable").astype(np.int64)


def draw_below(bits: NDArray[np.uint64], bound: int) -> NDArray[np.int64]:
    """Integers in 0 … bound-1 from the upper 32 bits, even up to bound / 2^32.  # [sample] int64"""
    return (((bits >> np.uint64(32)) * np.uint64(bound)) >> np.uint64(32)).astype(np.int64)


def _finalise(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
