"""The random scheme `rng: 1` from its description, the docstrings of `training/keyed.py`, in Python's own integers."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

_BITS = 2**64
_T = TypeVar("_T")


def key(purpose: str, *numbers: int) -> int:
    """BLAKE2b of the purpose and what it belongs to, 64 bits, big-endian."""
    words = ["foldproof", "rng", "1", purpose, *map(str, numbers)]
    return int(hashlib.blake2b(" ".join(words).encode(), digest_size=8).hexdigest(), 16)


def bits_of(sample: int, mixed_with: int) -> int:
    """A sample's own 64 bits under a key: SplitMix64's step and finaliser, then the finaliser over what is mixed in."""
    return _finalised(_finalised((sample + 0x9E3779B97F4A7C15) % _BITS) ^ mixed_with)


def in_order(samples: Sequence[tuple[int, _T]], mixed_with: int) -> list[_T]:
    """What belongs to each sample, by the samples' bits ascending."""
    return [
        thing
        for _, _, thing in sorted((bits_of(one, mixed_with), at, thing) for at, (one, thing) in enumerate(samples))
    ]


def below(bits: int, bound: int) -> int:
    """An integer of 0 … bound-1 from the upper half of the bits."""
    return (bits >> 32) * bound >> 32


def _finalised(value: int) -> int:
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 % _BITS
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB % _BITS
    return value ^ (value >> 31)
