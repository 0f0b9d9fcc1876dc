"""A folder of images in, what can be expected of it out: accuracy, confusions, what is wrong. Start reading here.

Nothing is written into the folder or where one stands; what takes long is kept in the user's cache folder.
"""

import shlex
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from foldproof import folds
from foldproof.analysis.confusion import confusion_of
from foldproof.analysis.foreign.tables import candidate_of
from foldproof.analysis.label_errors import find_label_errors
from foldproof.analysis.lines import lines_of
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.analysis.scoring import ACCURACY
from foldproof.config.schema import DataSettings
from foldproof.data.checks.duplicates import naive_leak
from foldproof.data.dataset import Dataset
from foldproof.data.index import FileIndex
from foldproof.data.labels.said import Rules
from foldproof.data.readers import MOST_PIXELS
from foldproof.data.scan import Scan, scan
from foldproof.data.survey import Progress, Survey, no_progress
from foldproof.data.versions import dvc
from foldproof.errors import DataError
from foldproof.first_look.caches import FEATURES_GB, Caches
from foldproof.first_look.defaults import MOST_IMAGES, SEED, K
from foldproof.first_look.first_look import FirstLook
from foldproof.first_look.head import predict_out_of_fold
from foldproof.first_look.sampling import evenly
from foldproof.folds import Scheme
from foldproof.folds.units import unit_numbers, units_of
from foldproof.plan.installed_features import all_cores, features_of, installed_pass
from foldproof.scaffold.look import look_in, tables_unused
from foldproof.training.frozen.rows import lacking
from foldproof.training_data.look_through import look_through


def look(
    folder: Path,
    *,
    most: int = MOST_IMAGES,
    k: int = K,
    seed: int = SEED,
    label: str = "",
    cache: Path | None = None,
    progress: Progress = no_progress,
) -> FirstLook:
    """What a linear head on frozen features makes of the images in `folder`, at most `most`, in up to `k` folds.

    `label`: the column of a table that holds the label. `cache` instead of the user's cache folder. Raises DataError
    where there are no images that can be looked at, and FoldsError where they cannot be cut into two folds.
    """
    begun = time.monotonic()
    asked = folder
    folder, rules, labelled_by = _rules(asked, label)
    caches = Caches.of(folder, cache)
    with all_cores() as executor:
        if not caches.folder.exists():
            executor.start()  # workers load what they need while files are read
        found = _scanned(folder, rules, most, caches, progress)
        seen = look_through(found, DataSettings(), cache=caches.folder)
        if not len(seen.dataset):
            raise _unreadable(folder, found)
        made, scheme = folds.assign_at_most(seen.dataset, Scheme(k, seed))
        one = installed_pass(
            seen.dataset,
            folder,
            within=seen.within,
            most_pixels=MOST_PIXELS,
            cache=caches.root,
            limit_gb=FEATURES_GB,
        )
        kept = len(seen.dataset) - len(lacking(one.rows))
        features = features_of(one, executor, progress)
    table = predict_out_of_fold(seen.dataset, features, made, scheme.k)
    (line,) = lines_of([candidate_of(folder.resolve().name, _by_unit(table, seen.dataset))], ACCURACY)
    caches.keep_within()
    counts = Counter(seen.dataset.labels.tolist())
    majority = min(counts, key=lambda label: (-counts[label], label))
    return FirstLook(
        asked=asked,
        folder=folder,
        passed_over=found.passed_over,
        told=(*_untold(found.described.told, labelled_by), *_kept_apart(rules)),
        images_by_class=dict(sorted(seen.dataset.count_by_class.items())),
        accuracy=line.interval,
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
        labelled_by=labelled_by,
    )


def _by_unit(table: OutOfFold, dataset: Dataset) -> OutOfFold:
    """The same predictions, with look-alikes as one group: they share a fold, and are right or wrong together."""
    return replace(table, groups=unit_numbers(dataset).astype(np.str_))


def _rules(asked: Path, label: str) -> tuple[Path, Rules, tuple[str, ...]]:
    """Where in `asked` its images are, how they are labelled, as `init` would see it, and how that is said.

    Raises DataError where it is no folder, OtherTask where it is made for something else.
    """
    if not asked.is_dir():
        raise DataError(
            f"{asked} is {'a file' if asked.exists() else 'not there'}",
            next_step="name a folder that holds a folder of images for each class",
        )
    seen = look_in(asked, label=label)
    if seen is None:
        for _, error in tables_unused(asked):
            raise error
        return asked, Rules(), ()
    folder = asked if seen.path == "." else asked / seen.path
    is_folder = seen.test is not None and seen.test_list is None and (seen.table is None or "/" in seen.test)
    test = asked / str(seen.test) if is_folder else None
    inside = test is not None and test.is_relative_to(folder)
    rules = Rules(
        label_by=seen.label_by,
        group_by=seen.group_by,
        table=asked / seen.table if seen.table else None,
        columns=seen.columns or {},
        classes=seen.classes,
        held_split=seen.test if test is None and seen.test_list is None else None,
        held_folder=test.relative_to(folder).as_posix() if test and inside else None,
        held_list=asked / seen.test_list if seen.test_list else None,
        exclude=seen.exclude,
    )
    where = () if seen.path == "." else (f"all images lie in {seen.path}: looked at that",)
    return folder, rules, (*where, *seen.in_words, *([_apart(str(seen.test))] if test and not inside else []))


def _untold(told: Sequence[str], labelled_by: Sequence[str]) -> Sequence[str]:
    """What was not said with the labels."""
    return [line for line in told if not any(line in said for said in labelled_by)]


def _apart(test: str) -> str:
    return f"{test} is kept apart, as a test: nothing was learnt from it"


def _kept_apart(rules: Rules) -> tuple[str, ...]:
    held = rules.held_folder or rules.held_split or (rules.held_list and rules.held_list.name)
    return (_apart(held),) if held else ()


def _unreadable(folder: Path, found: Scan) -> DataError:
    path, trouble = next(iter(found.troubles.items()))
    return DataError(
        f"no image in {folder} can be looked at: {path} ({trouble.text})",
        next_step=f"`foldproof data check {shlex.quote(str(folder))}` shows all that is wrong",
    )


def _scanned(folder: Path, rules: Rules, most: int, caches: Caches, progress: Progress) -> Scan:
    with FileIndex(caches.index) as index:
        return scan(
            folder,
            rules=rules,
            cache_dirs=dvc.cache_folders(folder),
            how=Survey(index=index, progress=progress),
            choose=lambda labels: evenly(labels, most),
        )
