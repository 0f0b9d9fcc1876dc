"""A run cut into work: which folds, what each is told, how long it takes; and passes over images that folds share."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foldproof.config.schema import ExecutionConfig, PixelSettings, TrainSettings
from foldproof.data.dataset import Dataset, Sample
from foldproof.data.pixels.fitted import Form
from foldproof.data.pixels.originals import Originals
from foldproof.data.value_range import ValueRange
from foldproof.errors import FoldsError, ModelError
from foldproof.events.reuse import Reuse
from foldproof.plan import features
from foldproof.plan.tasks import Model, estimated_seconds, fold_key, fold_keys, select, tasks
from foldproof.project import Project
from foldproof.training.frozen import rows
from foldproof.training.frozen.rows import FeatureStore
from foldproof.training.task import FeatureSpan, FeatureTask, FoldTask, WarmStart
from planned import CONFIG, DATASET, NUMERIC, PROBE, SPLITS, request_of

FORM, DEEP = Form(size=24), Form(size=24, within=ValueRange(0.0, 9.0, 16))


def made(wanted: tuple[tuple[int, int], ...] = ((1, 0), (0, 1)), form: Form = FORM) -> tuple[FoldTask, ...]:
    model = Model(request=request_of(), probe=PROBE, form=form, images=Path("images.npy"))
    return tasks(
        CONFIG,
        SPLITS,
        model,
        folder=Path("runs/a-run"),
        identity="identity",
        keys=fold_keys(CONFIG, SPLITS, model),
        checkpoint_seconds=60.0,
        cuda_graphs=False,
        wanted=wanted,
    )


def test_a_task_is_told_all_of_its_fold():
    first, second = made(form=DEEP)
    assert [(one.repeat, one.fold) for one in (first, second)] == [(0, 1), (1, 0)]
    assert (first.train_positions.tolist(), first.validation_positions.tolist()) == ([0, 1, 2], [3, 4, 5])
    assert (second.train_positions.tolist(), second.validation_positions.tolist()) == ([1, 3, 5], [0, 2, 4])
    assert (second.run, second.identity, second.folder) == ("a-run", "identity", Path("runs/a-run/fold-1-0"))
    assert (second.dataset, second.images) == (Path("runs/a-run/dataset.json"), Path("images.npy"))
    assert (second.model.device, second.form) == ("cpu", DEEP)
    assert (second.train, second.features) == (CONFIG.train, None)
    assert (second.checkpoint_seconds, second.cuda_graphs, second.stop_after, second.warm_starts) == (
        60.0,
        False,
        None,
        (),
    )


def test_each_fold_has_the_key_of_its_settings_images_split_and_arithmetic():
    keys = fold_keys(CONFIG, SPLITS, Model(request=request_of(), probe=PROBE, form=FORM))
    assert list(keys) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert len(set(keys.values())) == 4
    fold = SPLITS.of(CONFIG)[1].folds(2)[0]
    assert keys[1, 0] == fold_key(CONFIG, DATASET, fold, image_size=24, numeric_class=NUMERIC)
    (task,) = made(((1, 0),))
    assert task.fold_key == keys[1, 0]
    deep = fold_keys(CONFIG, SPLITS, Model(request=request_of(), probe=PROBE, form=DEEP))
    assert not set(deep.values()) & set(keys.values())


@pytest.mark.parametrize(
    ("selection", "places"),
    [
        (None, ((0, 0), (0, 1), (1, 0), (1, 1))),
        ({(None, 1)}, ((0, 1), (1, 1))),
        ({(1, 0)}, ((1, 0),)),
        ({(1, 0), (None, 1)}, ((0, 1), (1, 0), (1, 1))),
    ],
)
def test_folds_are_selected_by_number_in_every_repeat_or_in_one(selection, places):
    assert select(CONFIG, selection and frozenset(selection)) == places


@pytest.mark.parametrize(
    ("selection", "what", "next_step"),
    [
        ((None, 2), "one has no fold 2", "its folds are 0 to 1, of repeats 0 to 1"),
        ((2, 0), "one has no fold 2.0", "its folds are 0 to 1, of repeats 0 to 1"),
        ((1, 2), "one has no fold 1.2", "its folds are 0 to 1, of repeats 0 to 1"),
    ],
)
def test_a_fold_that_is_not_there_is_said_with_those_that_are(selection, what, next_step):
    with pytest.raises(FoldsError) as raised:
        select(CONFIG, frozenset({selection}))
    assert (raised.value.what, raised.value.next_step) == (what, next_step)
    once = replace(CONFIG, folds=replace(CONFIG.folds, repeats=1))
    with pytest.raises(FoldsError) as raised:
        select(once, frozenset({(None, 5)}))
    assert raised.value.next_step == "its folds are 0 to 1"


def seconds(images: int = 0, **train: Any) -> float:
    """12 images train and 4 validate; a step takes 10 s and an image half a second."""
    (task,) = made(((0, 1),))
    settings = TrainSettings(epochs=3, batch_size=5, **train)
    task = replace(task, train=settings, train_positions=np.arange(12), validation_positions=np.arange(4))
    return estimated_seconds(task, PROBE, images=images)


def test_a_fold_takes_its_steps_and_what_it_validates():
    assert seconds(100) == 3 * 3 * 10 + 3 * 4 * 0.5


def test_a_frozen_backbone_sees_every_image_once_and_augmented_ones_in_every_epoch():
    assert seconds(100, freeze_backbone=True) == 100 * 0.5 + 9 * 10
    assert seconds(100, freeze_backbone=True, augment="light") == (100 + 3 * 12) * 0.5 + 9 * 10


def test_epochs_that_another_fold_has_trained_take_no_time():
    (task,) = made(((0, 1),))
    reuse = Reuse(run="r", experiment="e", epochs=2)
    begun = replace(
        task,
        train=TrainSettings(epochs=3, batch_size=5),
        train_positions=np.arange(12),
        validation_positions=np.arange(4),
        warm_starts=(WarmStart(reuse=reuse, fold_key="k", folder=Path("f")),),
    )
    assert begun.epochs_of_others == 2
    assert estimated_seconds(begun, PROBE, images=100) == 3 * 10 + 4 * 0.5


@dataclass
class Computing:
    """An executor that computes made-up features: of image n, n three times over."""

    workers: int = 1
    asked: list[FeatureTask] = field(default_factory=list)
    fails: bool = False

    def parallel_folds(self, device: str) -> int:
        assert device == "cpu"
        return self.workers

    def extract(self, wanted: Any) -> Iterator[FeatureSpan]:
        for task in wanted:
            self.asked.append(task)
            if self.fails:
                raise ModelError("it cannot be computed", next_step="do without")
            rows = np.repeat(task.positions.astype(np.float32)[:, None], 3, axis=1)
            yield FeatureSpan(positions=task.positions, rows=rows)


def frozen(cache: Path, form: Form = FORM) -> Model:
    store = FeatureStore(cache=cache, limit_gb=1.0, width=3, backbone="net", numeric_class=NUMERIC, precision="float32")
    request = request_of(freeze_backbone=True, pretrained=True)
    return Model(request=request, probe=PROBE, form=form, images=Path("images.npy"), store=store)


def no_progress(done: int, total: int) -> None:
    """Nobody listens."""


def many(images: int) -> Dataset:
    return Dataset.of([Sample(f"{at:064x}", "ab"[at % 2], f"{at}.png") for at in range(images)])


@pytest.mark.parametrize(("images", "workers"), [(1, 1), (70, 1), (70, 4), (600, 1), (1500, 2)])
def test_a_pass_gives_every_image_to_somebody_once_in_whole_chunks(tmp_path, images, workers):
    executor, heard = Computing(workers), []
    (one,) = features.passes({"one": frozen(tmp_path)}, [CONFIG], many(images))
    notices = features.carried_out([one], executor, progress=lambda *said: heard.append(said))
    assert notices == ()
    given = [task.positions.tolist() for task in executor.asked]
    assert sorted(chain.from_iterable(given)) == list(range(images))
    assert all(len(part) % 32 == 0 for part in given[:-1])
    assert all(len(part) <= 32 * 16 for part in given)
    assert len(given) >= min(-(-images // 32), 8 * workers)
    assert heard == [(sum(map(len, given[: at + 1])), images) for at in range(len(given))]
    assert all(task.trunk == "trunk" and task.model.device == "cpu" and task.samples == () for task in executor.asked)
    np.testing.assert_array_equal(np.load(one.rows.path)[:, 1], np.arange(images, dtype=np.float32))
    assert features.carried_out([one], executor, progress=no_progress) == ()
    assert len(executor.asked) == len(given)  # all are kept


def test_a_long_pass_is_kept_in_parts_that_end_as_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(rows, "PART", 64)
    executor = Computing()
    (one,) = features.passes({"one": frozen(tmp_path)}, [CONFIG], many(150))
    assert features.seconds_left([one]) == 150 * 0.5
    assert features.carried_out([one], executor, progress=no_progress) == ()
    asked = [task.positions.tolist() for task in executor.asked]
    assert asked == [list(range(start, min(start + 32, 150))) for start in range(0, 150, 32)]
    np.testing.assert_array_equal(np.load(one.rows.path)[:, 2], np.arange(150, dtype=np.float32))
    assert [path.name for path in tmp_path.glob("features-*.npy")] == [one.rows.path.name]
    assert features.seconds_left([one]) == 0


def test_images_that_are_decoded_for_a_pass_alone_are_told_one_by_one(tmp_path):
    originals = Originals(tmp_path, FORM)
    executor, dataset = Computing(), many(40)
    model = replace(frozen(tmp_path), images=originals)
    features.carried_out(features.passes({"one": model}, [CONFIG], dataset), executor, progress=no_progress)
    told = [(task.positions.tolist(), task.samples) for task in executor.asked]
    assert all(samples == tuple(dataset.samples[at] for at in positions) for positions, samples in told)


def test_what_cannot_be_computed_is_said_and_left_to_the_folds(tmp_path):
    (one,) = features.passes({"one": frozen(tmp_path)}, [CONFIG], many(3))
    (notice,) = features.carried_out([one], Computing(fails=True), progress=no_progress)
    assert notice.code == "features_not_kept"
    assert notice.text == "it cannot be computed: each fold computes the features of all images for itself"


def test_experiments_of_one_form_share_a_pass_and_others_have_their_own(tmp_path):
    same, padded = replace(CONFIG, name="two"), replace(CONFIG, name="pad", pixels=PixelSettings(resize="pad"))
    random = replace(CONFIG, name="random")
    models = {name: frozen(tmp_path) for name in ("one", "two")}
    models["pad"] = frozen(tmp_path, Form(size=24, resize="pad"))
    models["random"] = replace(models["one"], request=replace(models["one"].request, pretrained=False))
    found = features.passes(models, [CONFIG, same, padded, random], DATASET)
    assert len(found) == 2
    assert found[0].task.model == replace(models["one"].request, device="cpu")


@pytest.mark.parametrize(("shared", "pretrained"), [(True, True), (True, False), (False, True)])
def test_a_frozen_backbone_has_a_store_and_is_featured_where_passes_are_shared(tmp_path, shared, pretrained):
    request = request_of(freeze_backbone=True, pretrained=pretrained)
    models = {"one": Model(request=request, probe=PROBE, form=FORM)}
    models["whole"] = replace(models["one"], request=request_of())
    project = Project(tmp_path / "params.yaml")
    found = features.add_feature_stores(models, project, ExecutionConfig(cache_gb=3.0), shared=shared)
    store = found["one"].store
    assert (store.cache, store.limit_gb, store.width, store.backbone) == (project.cache, 3.0, 3, "small_cnn")
    assert (store.numeric_class, store.precision) == (NUMERIC, "float32")
    assert found["one"].featured == (shared and pretrained)
    assert found["whole"] is models["whole"]


@pytest.mark.parametrize(
    ("train", "said"),
    [
        ({"freeze_backbone": True, "augment": "light"}, True),
        ({"freeze_backbone": True}, False),
        ({"augment": "light"}, False),
    ],
)
def test_a_frozen_backbone_with_augmentation_is_said_to_be_slow(train, said):
    notices = features.plain_path(replace(CONFIG, train=TrainSettings(**train)))
    assert [notice.code for notice in notices] == (["features_of_augmented"] if said else [])
