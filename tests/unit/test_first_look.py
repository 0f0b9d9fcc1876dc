"""What a first look is made of: the choice of images, what is kept of folders, the linear head, the way on."""

import shlex
from dataclasses import replace

import numpy as np
import pytest

from conftest import draw_classes
from foldproof import folds
from foldproof.analysis.foreign.tables import candidate_of
from foldproof.analysis.lines import lines_of
from foldproof.data.dataset import Dataset, Sample
from foldproof.first_look.caches import Caches
from foldproof.first_look.head import predict_out_of_fold
from foldproof.first_look.next_steps import next_steps
from foldproof.first_look.sampling import evenly, shares
from foldproof.folds import Scheme
from foldproof.scaffold.make import scaffold
from tabled import table


def labels(**counts):
    return {f"{name}/{number:05d}.jpg": name for name, count in counts.items() for number in range(count)}


def test_images_are_chosen_evenly_and_small_classes_leave_their_share_to_others():
    assert shares({"a": 1000, "b": 10, "c": 500}, 310) == {"a": 150, "b": 10, "c": 150}
    chosen = evenly(labels(a=1000, b=10, c=500), 310)
    assert len(chosen) == len(set(chosen)) == 310


def test_a_folder_that_grows_keeps_nearly_all_of_its_choice():
    before, after = set(evenly(labels(a=1000, b=1000), 200)), set(evenly(labels(a=1010, b=1000), 200))
    assert len(before & after) > 190


def test_where_all_fit_all_are_looked_at():
    assert evenly(labels(a=3, b=2), 5) == list(labels(a=3, b=2))


def test_what_was_found_in_folders_stays_within_its_limit(tmp_path):
    import os

    places = [Caches.of(tmp_path / f"{number}", tmp_path / "cache") for number in range(4)]
    for age, place in enumerate(places):
        place.folder.mkdir(parents=True)
        place.index.write_bytes(bytes(1000))
        os.utime(place.folder, (1000 + age, 1000 + age))
    places[1].keep_within(2500)
    assert [place.folder.exists() for place in places] == [False, True, False, True]


def test_every_image_is_judged_by_a_head_that_has_not_seen_it():
    """Features that name the image and nothing else: a head that had seen them would know every label."""
    labels = ["a", "b"] * 20
    dataset = Dataset(tuple(Sample(f"{number:064x}", label, f"{number}") for number, label in enumerate(labels)))
    made = folds.assign(dataset, Scheme(5, 1))
    table = predict_out_of_fold(dataset, np.eye(40, dtype=np.float32), made, 5)
    assert np.allclose(table.probabilities, 0.5, atol=0.05)
    assert np.array_equal(table.labels, dataset.labels)
    assert np.array_equal(table.folds, made.fold_of)


def test_a_head_finds_what_features_tell():
    labels = ["a", "b", "c"] * 10
    dataset = Dataset(tuple(Sample(f"{number:064x}", label, f"{number}") for number, label in enumerate(labels)))
    features = 9 * np.eye(3, dtype=np.float32)[dataset.labels]
    table = predict_out_of_fold(dataset, features, folds.assign(dataset, Scheme(3, 1)), 3)
    assert np.array_equal(table.predicted, dataset.labels)


def test_few_images_that_are_all_right_leave_doubt_and_look_alikes_are_one():
    folds_of_images = np.arange(48)[None] % 4
    all_right = table(np.ones((1, 48), dtype=bool), folds_of_images)
    twins = replace(all_right, groups=np.tile(np.arange(24), 2).astype(np.str_))
    alone, together = (lines_of([candidate_of("A", one)], "accuracy")[0].interval for one in (all_right, twins))
    assert together.low == pytest.approx(0.8575, abs=1e-4)  # Clopper and Pearson, of 24
    assert together.low < alone.low < together.high == alone.high == 1.0


def test_the_way_on_from_a_folder_beside_nothing_else_is_a_project_around_it(tmp_path):
    photos = draw_classes(tmp_path / "work" / "my photos")
    init, change, add, run = next_steps(photos)
    assert shlex.split(init) == ["foldproof", "init", str(photos.parent)]
    assert shlex.split(change) == ["cd", str(photos.parent)]
    assert shlex.split(add) == ["foldproof", "data", "add", "my photos"]
    assert run == "foldproof run"


def test_the_way_on_from_one_of_several_folders_is_a_project_of_its_own(tmp_path):
    draw_classes(tmp_path / "a")
    photos = draw_classes(tmp_path / "b")
    assert shlex.split(next_steps(photos)[0]) == ["foldproof", "init", str(tmp_path / "b-project")]


def test_the_way_on_within_a_project_makes_no_other(tmp_path):
    photos = draw_classes(tmp_path / "data" / "train")
    scaffold(tmp_path)
    assert not any("init" in line for line in next_steps(photos))
