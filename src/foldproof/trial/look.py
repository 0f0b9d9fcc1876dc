"""A folder of images in, what can be expected of it out: accuracy, confusions, what is wrong. Start reading here.

Nothing is written into the folder or where one stands; what takes long is kept in the user's cache folder.
"""

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from foldproof import folds
from foldproof.analysis.confusion import confusion_of
from foldproof.analysis.foreign.tables import contender_of
from foldproof.analysis.label_errors import find_label_errors
from foldproof.analysis.lines import lines_of
from foldproof.analysis.scoring import ACCURACY
from foldproof.data.checks.duplicates import naive_leak
from foldproof.data.dataset import Dataset
from foldproof.data.index import Index
from foldproof.data.pixels.images import decoded
from foldproof.data.readers import MOST_PIXELS
from foldproof.data.scan import TRAINING, Scan, are_parts, scan
from foldproof.data.survey import Progress, Survey, unheard
from foldproof.data.versions import dvc
from foldproof.errors import DataError
from foldproof.folds import Scheme
from foldproof.folds.units import units_of
from foldproof.material import look_through
from foldproof.trial.caches import Caches
from foldproof.trial.defaults import MOST_IMAGES, SEED, K
from foldproof.trial.extraction import Extractors
from foldproof.trial.first_look import FirstLook
from foldproof.trial.head import Floats, out_of_fold, unless_all_agree
from foldproof.trial.sampling import evenly
from foldproof.trial.shelf import Shelf
from foldproof.trial.space import RESIZE, SIZE, feature_space


def look(
    folder: Path,
    *,
    most: int = MOST_IMAGES,
    k: int = K,
    seed: int = SEED,
    cache: Path | None = None,
    progress: Progress = unheard,
) -> FirstLook:
    """What a linear head on frozen features makes of the images in `folder`, at most `most`, in up to `k` folds.

    `cache` instead of the user's cache folder. Raises DataError where there are no images that can be looked at, and
    FoldsError where they cannot be cut into two folds.
    """
    begun = time.monotonic()
    where = _classes_in(folder)
    caches = Caches.of(where, cache)
    with ExitStack() as held:
        extractors = held.enter_context(Extractors())
        found = _scanned(where, most, caches, extractors, progress)
        seen = look_through(found, cache=caches.folder)
        made, scheme = folds.assign_at_most(seen.dataset, Scheme(k, seed))
        features, kept = _features(seen.dataset, where, caches, extractors, progress)
    table = out_of_fold(seen.dataset, features, made, scheme.k)
    (line,) = lines_of([contender_of(where.name, table)], ACCURACY)
    caches.keep_within()
    counts = Counter(seen.dataset.labels.tolist())
    majority = min(counts, key=lambda label: (-counts[label], label))
    return FirstLook(
        asked=folder,
        folder=where,
        passed_over=found.passed_over,
        images_by_class=dict(sorted(seen.dataset.count_by_class.items())),
        accuracy=unless_all_agree(line.interval, len(units_of(seen.dataset))),
        balanced_accuracy=line.pooled["balanced_accuracy"],
        majority=(seen.dataset.classes[majority], counts[majority] / len(seen.dataset)),
        k=scheme.k,
        asked_k=k,
        seed=seed,
        confusion=confusion_of(table),
        findings=seen.findings,
        label_errors=find_label_errors(table),
        naive_leak=naive_leak([unit.members for unit in units_of(seen.dataset)], scheme.k),
        seconds=time.monotonic() - begun,
        features_kept=kept,
    )


def _classes_in(folder: Path) -> Path:
    """`folder`, or the training part of it where it holds the parts of a data set. Raises DataError."""
    if not folder.is_dir():
        raise DataError(
            f"{folder} is {'a file' if folder.exists() else 'not there'}",
            next_step="name a folder that holds a folder of images for each class",
        )
    names = sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    if not are_parts(names):
        return folder
    return folder / next(name for name in names if name.lower() in TRAINING)


def _scanned(folder: Path, most: int, caches: Caches, extractors: Extractors, progress: Progress) -> Scan:
    is_new = not caches.folder.exists()

    def choose(paths: Sequence[str]) -> Sequence[str]:
        if is_new:
            extractors.start()  # they load the model while files are read
        return evenly(paths, most)

    with Index(caches.index) as index:
        return scan(
            folder,
            cache_dirs=dvc.cache_folders(folder),
            how=Survey(index=index, progress=progress),
            choose=choose,
        )


def _features(
    dataset: Dataset, folder: Path, caches: Caches, extractors: Extractors, progress: Progress
) -> tuple[Floats, int]:
    """Features in manifest order, [image, feature], and how many images had theirs from before."""
    space = feature_space()
    with Shelf(caches.features) as shelf, TemporaryDirectory() as room:
        rows = shelf.rows(space, {sample.sha256 for sample in dataset.samples})
        kept = sum(sample.sha256 in rows for sample in dataset.samples)
        new = {sample.sha256: sample for sample in dataset.samples if sample.sha256 not in rows}
        if new:
            extractors.start()
            lacking = Dataset.of(list(new.values()))
            images = decoded(
                lacking,
                folder,
                size=SIZE,
                resize=RESIZE,
                cache=Path(room),
                most_pixels=MOST_PIXELS,
                progress=partial(progress, "decoding images"),
            )
            done = 0
            progress("computing features", done, len(lacking))
            for part, features in extractors.features(images, len(lacking)):
                fresh = dict(zip((s.sha256 for s in lacking.samples[part]), features, strict=True))
                shelf.keep(space, fresh)
                rows |= fresh
                done += len(fresh)
                progress("computing features", done, len(lacking))
    return np.stack([rows[sample.sha256] for sample in dataset.samples]), kept
