"""Folds of many images: cut, written, read and cut again with every image known.

    python benchmarks/cut_folds.py [IMAGES] [GROUPS]

Ten classes, five folds; groups of uneven size across classes, or none.
Prints processor seconds of one run on one core and the peak of memory.
"""

import hashlib
import resource
import sys
import time

from foldproof import folds
from foldproof.data.dataset import Dataset, Sample


def timed(what, action):
    begun = time.process_time()
    result = action()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{what:<28}{time.process_time() - begun:8.2f} s{peak:8.0f} MB")
    return result


def drawn(count, groups):
    def sample(number):
        sha256 = hashlib.sha256(str(number).encode()).hexdigest()
        group = f"g{number * number % groups}" if groups else ""
        return Sample(sha256, f"class{number % 10}", f"class{number % 10}/{number}.png", group)

    return [sample(number) for number in range(count)]


def main(count, groups):
    samples, scheme = drawn(count, groups), folds.Scheme(k=5, seed=42)
    dataset = timed("dataset", lambda: Dataset.of(samples))
    timed("fingerprint", lambda: dataset.fingerprint)
    first = timed("first cut", lambda: folds.assign(dataset, scheme))
    text = timed("first folds.csv", lambda: folds.to_csv(folds.merge([], folds.make_rows(dataset, scheme, first))))
    begun = time.process_time()
    rows = timed("read folds.csv", lambda: folds.from_csv(text))
    known = folds.known_folds(rows, scheme, 0)
    again = timed("cut again, all known", lambda: folds.assign(dataset, scheme, known=known))
    assert timed("merge", lambda: folds.merge(rows, folds.make_rows(dataset, scheme, again))) == rows
    timed("digest", lambda: folds.digest(dataset, [again]))
    timed("digests of five splits", lambda: [folds.split_digest(dataset, fold) for fold in again.folds(5)])
    timed("folds.csv of the run", lambda: folds.to_csv(sorted(folds.make_rows(dataset, scheme, again))))
    print(f"{'a second run, in all':<28}{time.process_time() - begun:8.2f} s")


if __name__ == "__main__":
    main(*(int(value) for value in [*sys.argv[1:], 100_000, 0][:2]))
