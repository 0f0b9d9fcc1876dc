"""The stream from images to rows: in order, bounded, and with a reason for each image without a label."""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from PIL import Image

from foldproof.data.pixels.fitted import Form
from foldproof.errors import ModelError
from foldproof.events.fold_id import FoldId
from foldproof.predict.ensemble import Ensemble
from foldproof.predict.images import ImageFile, ImageHere
from foldproof.predict.label import PIECE, Labeller
from foldproof.predict.rows import Labelled, Unlabelled
from foldproof.provenance.machine import available_cores
from foldproof.training.chunks import CHUNK

FOLDS = (FoldId(0, 0), FoldId(0, 1))


@dataclass(frozen=True)
class Brightness:
    """Says how bright an image is; of a white one it knows no number, and green ones it cannot bear."""

    fold_id: FoldId
    sizes: list[int] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)

    def judge(self, pixels):
        self.sizes.append(len(pixels))
        self.threads.add(torch.get_num_threads())
        if (pixels[..., 1] > pixels[..., 0]).any():
            raise RuntimeError("green")
        bright = pixels.mean(axis=(1, 2, 3)) / 255
        bright[bright == 1] = np.nan
        return {self.fold_id: np.stack([bright, 1 - bright], axis=1).astype(np.float32)}


def labeller(*judges, threads=1, trained_on=None):
    ensemble = Ensemble(judges or (Brightness(FOLDS[0]),), Form(size=8), ("light", "dark"), FOLDS[: len(judges) or 1])
    return Labeller(ensemble, torch.device("cpu"), threads, trained_on or {}, 10**6)


def grey(level):
    return ImageHere(f"{level}", np.full((8, 8), level, dtype=np.uint8))


@pytest.mark.parametrize("count", [0, 1, PIECE, PIECE + 1, CHUNK, CHUNK + 1, 5 * CHUNK + 3])
def test_every_image_has_its_row_in_the_order_given(count):
    levels = [number % 250 for number in range(count)]
    rows = list(labeller().label(map(grey, levels)))
    assert [row.path for row in rows] == [str(level) for level in levels]
    assert [round(255 * float(row.probabilities[0])) for row in rows] == levels


def test_no_more_is_begun_than_a_few_chunks_ahead():
    begun = 0

    def images():
        nonlocal begun
        for number in range(100 * CHUNK):
            begun += 1
            yield grey(number % 250)

    ahead = [begun - done for done, _ in enumerate(labeller().label(images()))]
    assert max(ahead) <= 2 * (available_cores() + 3) * CHUNK
    assert len(ahead) == 100 * CHUNK


def test_an_image_of_which_one_model_says_no_number_has_no_label_and_its_neighbours_have():
    class Even(Brightness):
        def judge(self, pixels):
            return {self.fold_id: np.full((len(pixels), 2), 0.5, dtype=np.float32)}

    rows = list(labeller(Brightness(FOLDS[0]), Even(FOLDS[1])).label([grey(10), grey(255), grey(20)]))
    assert [type(row) for row in rows] == [Labelled, Unlabelled, Labelled]
    assert "no numbers" in rows[1].reason


def test_a_model_that_fails_is_an_error_with_the_next_step():
    green = ImageHere("green", np.full((8, 8, 3), (0, 200, 0), dtype=np.uint8))
    with pytest.raises(ModelError, match="RuntimeError: green") as raised:
        list(labeller().label([grey(1), green]))
    assert raised.value.next_step


def test_where_no_image_can_be_read_no_model_is_asked(tmp_path):
    judge = Brightness(FOLDS[0])
    (tmp_path / "empty.png").touch()
    rows = list(labeller(judge).label([ImageFile("empty.png", str(tmp_path / "empty.png"))] * 3))
    assert [row.reason for row in rows] == ["empty (0 bytes)"] * 3
    assert judge.sizes == []


def test_a_file_that_is_not_there_is_said_of_it():
    (row,) = labeller().label([ImageFile("gone.png", "nowhere/gone.png")])
    assert row == Unlabelled("gone.png", "cannot be read: No such file or directory")


def test_models_are_asked_in_any_order_and_counted_in_that_of_their_folds():
    class Reverse(Brightness):
        def judge(self, pixels):
            return {self.fold_id: super().judge(pixels)[self.fold_id][:, ::-1]}

    (row,) = labeller(Reverse(FOLDS[1]), Brightness(FOLDS[0])).label([grey(51)])
    assert row.probabilities.tolist() == [0.5, 0.5]
    assert (row.number, row.folds_disagree) == (0, 1)


def test_torch_computes_with_the_threads_of_the_run_in_every_thread():
    for threads in (1, 2):
        judge = Brightness(FOLDS[0])
        list(labeller(judge, threads=threads).label(map(grey, range(200))))
        assert judge.threads == {threads}


def test_seen_is_by_the_content_of_a_file(tmp_path):
    for number in (0, 1):
        Image.new("L", (8, 8), 100 + number).save(tmp_path / f"{number}.png")
    sha256 = hashlib.sha256((tmp_path / "0.png").read_bytes()).hexdigest()
    files = [ImageFile("a", str(tmp_path / f"{number}.png")) for number in (0, 1)]
    rows = list(labeller(trained_on={sha256: 4}).label([*files, grey(3)]))
    assert [row.seen for row in rows] == [4, 0, None]
