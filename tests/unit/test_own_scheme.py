"""A fold scheme of one's own: a fold for each image, checked as those that are built in are."""

import sys
from types import ModuleType

import numpy as np
import pytest

from foldproof import folds
from foldproof.config.schema import FoldSettings
from foldproof.data.dataset import Dataset, Sample
from foldproof.errors import FoldsError

IMAGES = Dataset.of([Sample(f"{n:064x}", "ab"[n // 6], f"{'ab'[n // 6]}/{n}.png") for n in range(12)])


def found(monkeypatch, answer: list[int], k: int = 3) -> tuple[folds.Assignment, int]:
    module = ModuleType("own_scheme")
    module.cut = lambda *_: answer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "own_scheme", module)
    return folds.find_folds(folds.SchemeInput(dataset=IMAGES, folds=FoldSettings(k=k, scheme="own_scheme:cut")))


def test_its_folds_are_taken_as_they_are(monkeypatch):
    answer = [0, 1, 2, 0, 1, -1] * 2
    made, k = found(monkeypatch, answer)
    assert (made.fold_of.tolist(), k, made.ordered) == (answer, 3, False)
    assert np.array_equal(made.folds(k)[0].validation, [0, 3, 6, 9])


@pytest.mark.parametrize(
    "answer", [[0] * 11, [0, 2] * 6, [0, 1, 2, 3] * 3, [0, -2] * 6, [0] * 12, [-1] * 12, [0] * 6 + [1] * 6]
)
def test_folds_that_nothing_can_be_trained_on_are_refused(monkeypatch, answer):
    with pytest.raises(FoldsError, match="own_scheme:cut"):
        found(monkeypatch, answer)
