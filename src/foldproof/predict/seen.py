"""Count how many of a run's folds trained on an image, by the content of its file. Pure."""

from collections import Counter
from collections.abc import Collection, Mapping

from foldproof.errors import DamagedFile
from foldproof.events.fold_id import FoldId
from foldproof.reproduce.recorded import Recorded
from foldproof.verify.splits import assignments_of


def count_trained_on(recorded: Recorded, fold_ids: Collection[FoldId]) -> Mapping[str, int]:
    """By SHA-256 of its file, how many of the folds trained on an image; one that is not here was in none.

    Raises DamagedFile where the record's folds are not those of its images.
    """
    assignments, problems = assignments_of(recorded)
    if problems:
        raise DamagedFile(
            f"{recorded.folder / 'folds.csv'} does not fit the run's images: {problems[0]}",
            next_step="restore it from a copy",
        )
    samples, counted = recorded.dataset.samples, Counter[str]()
    for assignment in assignments:
        for fold in assignment.folds(recorded.config.folds.k):
            if fold.id in fold_ids:
                counted.update(samples[position].sha256 for position in fold.train.tolist())
    return counted
