"""The images of `singles` in; the intervals that need trainings of their own, nested and conservative z, out.

Nested: Bates, Hastie & Tibshirani 2023, algorithm 1, 10 repetitions. Conservative z: Nadeau & Bengio 2003, 10 times two
halves of the images, each cross-validated by itself. Parts that are done are kept.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from kept import Outcome, carry_out
from numpy.typing import NDArray
from population import Population
from scipy import stats
from singles import LEARNERS, Drawn, Ints, Single, drawn, grouped_folds

K, TIMES = 5, 10
DRAWS_A_PART, PARTS = 10, 20
Z = float(stats.norm.ppf(0.975))


@dataclass(frozen=True)
class Nested:
    """Beside the plain draws of `single`."""

    single: Single

    @property
    def name(self) -> str:
        return f"nested-{self.single.learner}-{self.single.images}"


def settings() -> list[Nested]:
    return [Nested(Single(learner, images, K, "plain")) for images in (300, 1000) for learner in LEARNERS]


def outcome(setting: Nested, draw: int, population: Population) -> Outcome:
    """The `bounds` of the error: nested, conservative z.  # [2, 2]"""
    single = setting.single
    found = drawn(single, draw, population)
    rng = np.random.default_rng([zlib.crc32(f"nested {single.name}".encode()), draw])
    images = single.images

    def wrong(parts: list[Ints], asked: list[Ints]) -> list[NDArray[np.bool_]]:
        said = LEARNERS[single.learner](found.seen, found.labels, parts, asked, images, rng)
        return [answers != found.labels[own] for answers, own in zip(said, asked, strict=True)]

    return {"bounds": np.array([nested(found, images, wrong, rng), conservative(found, images, wrong, rng)])}


Wrong = Callable[[list[Ints], list[Ints]], list[NDArray[np.bool_]]]


def nested(found: Drawn, images: int, wrong: Wrong, rng: np.random.Generator) -> tuple[float, float]:
    squares, chances, inner_means, outer_means = [], [], [], []
    singles = []
    for _ in range(TIMES):
        fold = grouped_folds(found.labels[:images], found.groups, K, int(rng.integers(2**31)))
        at = [np.flatnonzero(fold == number) for number in range(K)]
        outer = wrong([np.flatnonzero(fold != number) for number in range(K)], at)
        pairs = list(combinations(range(K), 2))
        both = wrong(
            [np.flatnonzero((fold != a) & (fold != b)) for a, b in pairs],
            [np.concatenate([at[a], at[b]]) for a, b in pairs],
        )
        of_pair = {
            pair: (errors[: len(at[pair[0]])], errors[len(at[pair[0]]) :])
            for pair, errors in zip(pairs, both, strict=True)
        }
        for number in range(K):
            inner = np.concatenate(
                [of_pair[min(number, j), max(number, j)][0 if j < number else 1] for j in range(K) if j != number]
            )
            squares.append((inner.mean() - outer[number].mean()) ** 2)
            chances.append(outer[number].var(ddof=1) / len(outer[number]))
            inner_means.append(inner.mean())
        outer_means.append(np.concatenate(outer).mean())
        singles.append(np.concatenate(outer).std(ddof=1) / np.sqrt(images))
    least = float(np.mean(singles))
    error = float(np.clip(np.sqrt(max(np.mean(squares) - np.mean(chances), 0.0)), least, np.sqrt(K) * least))
    bias = (1 + (K - 2) / K) * (np.mean(inner_means) - np.mean(outer_means))
    middle, half = float(np.mean(inner_means) - bias), Z * np.sqrt((K - 1) / K) * error
    return middle - half, middle + half


def conservative(found: Drawn, images: int, wrong: Wrong, rng: np.random.Generator) -> tuple[float, float]:
    whole = grouped_folds(found.labels[:images], found.groups, K, int(rng.integers(2**31)))
    at = [np.flatnonzero(whole == number) for number in range(K)]
    mean = np.concatenate(wrong([np.flatnonzero(whole != number) for number in range(K)], at)).mean()
    squares = []
    for _ in range(TIMES):
        half_of = grouped_folds(found.labels[:images], found.groups, 2, int(rng.integers(2**31)))
        means = []
        for half in range(2):
            mine = np.flatnonzero(half_of == half)
            fold = grouped_folds(found.labels[mine], found.groups[mine], K, int(rng.integers(2**31)))
            parts = [mine[fold != number] for number in range(K)]
            means.append(np.concatenate(wrong(parts, [mine[fold == number] for number in range(K)])).mean())
        squares.append((means[0] - means[1]) ** 2)
    half = Z * np.sqrt(np.mean(squares) / 2)
    return mean - half, mean + half


def main() -> None:
    """Make what is lacking."""
    carry_out(((setting, part) for part in range(PARTS) for setting in settings()), outcome, a_part=DRAWS_A_PART)


if __name__ == "__main__":
    main()
