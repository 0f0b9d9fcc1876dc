"""Each thing that `verify` looks at, changed alone: exactly the sentence that is about it, and no other."""

import hashlib
import json
import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from conftest import draw_classes
from foldproof import registry
from foldproof.config.read import load_settings
from foldproof.data.dataset import Dataset
from foldproof.events.fold_id import FoldId
from foldproof.events.types import ArtifactAdded
from foldproof.executors import ExecutorContext
from foldproof.executors.inline import InlineExecutor
from foldproof.executors.stopping import Stopping
from foldproof.folds import Assignment, Fold
from foldproof.metrics import recall_by_class
from foldproof.project import Project
from foldproof.records import predictions
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.recorded import Recorded
from foldproof.training.checkpoint import Checkpoint, weights_sha256
from foldproof.training.task import FoldTask
from foldproof.training_data.load import load_training_data
from foldproof.verify import artifacts, identity, scores, sibling_runs, splits, trained, training_log
from foldproof.verify.epoch import train_on
from foldproof.verify.level import Check, Level, Verification, checked, not_here
from foldproof.verify.levels import verify
from foldproof.verify.rescore import rescore
from foldproof.workflow import run
from forged import rewrite
from journaled import JournaledRun
from planned import opened

SETTINGS = """\
version: 1
data: {path: images, image_size: 8}
folds: {k: 3, seed: 1, repeats: 2}
train: {backbone: small_cnn, batch_size: 5, epochs: 2, seed: 5, lr: 0.01, schedule: cosine}
execution: {executor: inline}
tracking: {enabled: false}
experiments: {one: {}}
"""
PLACE = FoldId(1, 2)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    root = tmp_path_factory.mktemp("checked")
    draw_classes(root / "images", each=6)
    (root / "params.yaml").write_text(SETTINGS)
    threads, mode = torch.get_num_threads(), torch.get_deterministic_debug_mode()
    made = Project(root / "params.yaml")
    run(made, load_settings(made.settings_file), quiet=True)
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode(mode)
    return made


@pytest.fixture(scope="module")
def honest(project) -> Recorded:
    (folder,) = project.run_folders()
    return Recorded.read(folder)


@pytest.fixture
def copied(honest, tmp_path) -> Path:
    shutil.copytree(honest.folder, tmp_path / "runs" / honest.folder.name)
    return tmp_path / "runs" / honest.folder.name


@pytest.fixture(scope="module")
def assignments(honest) -> tuple[Assignment, ...]:
    made, problems = splits.assignments_of(honest)
    assert problems == []
    return made


@pytest.fixture(scope="module")
def fold(assignments) -> Fold:
    return assignments[PLACE[0]].folds(3)[PLACE[1]]


def with_epoch(honest: Recorded, number: int, **changed: Any) -> Recorded:
    """The record with something of one epoch of the fold changed."""
    epochs = list(honest.record.epochs[PLACE])
    epochs[number - 1] = replace(epochs[number - 1], **changed)
    return replace(honest, record=replace(honest.record, epochs={**honest.record.epochs, PLACE: tuple(epochs)}))


def with_finished(honest: Recorded, **changed: Any) -> Recorded:
    finished = {**honest.record.finished, PLACE: replace(honest.record.finished[PLACE], **changed)}
    return replace(honest, record=replace(honest.record, finished=finished))


@pytest.mark.slow
def test_an_honest_record_has_no_problem(honest, assignments, fold):
    assert list(training_log.check_fold(honest, fold)) == []
    assert list(training_log.check_states(honest, PLACE)) == []
    assert list(scores.check_fold(honest, fold)) == []
    assert list(identity.check_hashes(honest, assignments)) == []
    assert list(identity.check_fold_key(honest, fold)) == []
    assert list(identity.check_code(honest)) == []
    assert list(splits.check_leaks(honest, assignments)) == []
    assert list(splits.check_held_out(honest)) == []


@pytest.mark.parametrize(
    ("epoch", "changed", "said"),
    [
        (1, {"lr": 0.0099}, "epoch 1 has the learning rate 0.0099, which is not that of its settings"),
        (2, {"lr": 0.01}, "epoch 2 has the learning rate 0.01, which is not that of its settings"),
        (2, {"steps": 7}, "epoch 2 ends after step 7; that is 6"),
        (1, {"steps": 2}, "epoch 1 ends after step 2; that is 3"),
        (1, {"epoch": 2}, "its epochs are not 1, 2, 3 and so on"),
        (2, {"epoch": 3}, "its epochs are not 1, 2, 3 and so on"),
    ],
)
def test_an_epoch_that_does_not_follow_from_the_settings_is_said(honest, fold, epoch, changed, said):
    assert list(training_log.check_fold(with_epoch(honest, epoch, **changed), fold)) == [said]


@pytest.mark.parametrize("epoch", [1, 2])
def test_a_loss_that_does_not_follow_from_the_steps_is_said(honest, fold, epoch):
    loss = honest.record.epochs[PLACE][epoch - 1].train_loss
    (said,) = training_log.check_fold(with_epoch(honest, epoch, train_loss=loss * (1 + 1e-7)), fold)
    assert said.startswith(f"epoch {epoch} has the training loss")
    assert list(training_log.check_fold(with_epoch(honest, epoch, train_loss=loss * (1 + 1e-12)), fold)) == []


def test_numbers_of_images_and_of_epochs_that_do_not_fit_are_said(honest, fold):
    record = honest.record
    started = replace(record.fold_started[PLACE], train_images=11, validation_images=7)
    forged = replace(honest, record=replace(record, fold_started={**record.fold_started, PLACE: started}))
    assert list(training_log.check_fold(forged, fold)) == [
        "its journal says that 11 images train, folds.csv has 12",
        "its journal says that 7 images validate, folds.csv has 6",
    ]
    short = replace(honest, record=replace(record, epochs={**record.epochs, PLACE: record.epochs[PLACE][:1]}))
    assert list(training_log.check_fold(short, fold)) == ["it finished after 1 of 2 epochs"]
    going = replace(short, record=replace(short.record, finished={}))
    assert list(training_log.check_fold(going, fold)) == []
    unknown = replace(honest, record=replace(record, fold_started={}))
    assert list(training_log.check_fold(unknown, fold)) == []


def test_steps_that_are_cut_off_are_said_and_missing_ones_are_no_harm(honest, copied, fold):
    file = copied / "fold-1-2" / "steps.f32"
    file.write_bytes(file.read_bytes()[:-4])
    moved = replace(honest, folder=copied)
    assert list(training_log.check_fold(moved, fold)) == ["steps.f32 holds 5 losses of 6 steps"]
    file.unlink()
    assert list(training_log.check_fold(moved, fold)) == []


def test_states_that_know_other_epochs_or_cannot_be_read_are_said(honest, copied):
    moved = replace(honest, folder=copied)
    (state, *_) = sorted(path.name for path in (copied / "fold-1-2").glob("state-*.json"))
    forged = with_epoch(moved, 1, val_accuracy=0.5)
    said = list(training_log.check_states(forged, PLACE))
    assert said
    assert set(said) <= {
        f"{path.name} knows of other epochs than its journal" for path in (copied / "fold-1-2").glob("s*.json")
    }
    (copied / "fold-1-2" / state).write_text("{}")
    assert list(training_log.check_states(moved, PLACE)) == [f"{state} cannot be read: 'bodies'"]


def test_a_metric_that_is_newer_than_the_record_accuses_nobody_and_is_checked_where_it_is_recorded(
    honest, fold, monkeypatch
):
    metrics = {**registry.SEAMS["metrics"], "newer": "foldproof.metrics:accuracy"}
    monkeypatch.setattr(registry, "SEAMS", {**registry.SEAMS, "metrics": metrics})
    assert list(scores.check_fold(honest, fold)) == []
    recorded = {**honest.record.finished[PLACE].scores, "newer": 2.0}
    (said,) = scores.check_fold(with_finished(honest, scores=recorded), fold)
    assert said.startswith("its newer is recorded as 2; its predictions give")


@pytest.mark.parametrize(
    "bodies",
    ["{}", "[]", "[[]]", "[3]", "[{}]", '[{"kind": "no such thing"}]', "3", "null", "[" * 100_000, "1e999"],
    ids=lambda text: text[:9],
)
def test_a_state_that_says_nonsense_is_said_to_be_unreadable_or_knows_no_epochs(honest, copied, bodies):
    moved = replace(honest, folder=copied)
    states = sorted((copied / "fold-1-2").glob("state-*.json"))
    for path in states[1:]:
        path.unlink()
    for content in (f'{{"bodies": {bodies}}}', bodies):
        states[0].write_text(content)
        said = list(training_log.check_states(moved, PLACE))
        assert said == [] or said[0].startswith(f"{states[0].name} cannot be read: ")


def test_each_score_is_held_against_the_predictions(honest, fold):
    right = honest.record.finished[PLACE]
    for name, value in right.scores.items():
        forged = with_finished(honest, scores={**right.scores, name: value + 0.125})
        (said,) = scores.check_fold(forged, fold)
        assert said == f"its {name} is recorded as {value + 0.125:.6g}; its predictions give {value:.6g}"
        without = with_finished(honest, scores={key: one for key, one in right.scores.items() if key != name})
        lacking = [f"its result has no {name}"] if name in scores.ALWAYS_MEASURED else []
        assert list(scores.check_fold(without, fold)) == lacking
    of_ones_own = with_finished(honest, scores={**right.scores, "own:metric": 0.3})
    assert list(scores.check_fold(of_ones_own, fold)) == []


def test_recall_the_last_epoch_and_the_end_are_held_against_the_predictions(honest, fold):
    right, last = honest.record.finished[PLACE], honest.record.epochs[PLACE][-1]
    for name, value in right.per_class.items():
        (said,) = scores.check_fold(with_finished(honest, per_class={**right.per_class, name: value / 2 + 0.3}), fold)
        assert said == f"its recall of {name} is not that of its predictions"
    accuracy = last.val_accuracy / 2 + 0.3
    (said,) = scores.check_fold(with_epoch(honest, 2, val_accuracy=accuracy), fold)
    assert said == f"its last epoch has the accuracy {accuracy:.6g}, which is not that of its predictions"
    (said,) = scores.check_fold(with_epoch(honest, 2, val_loss=last.val_loss * 1.01), fold)
    assert said.startswith("its last epoch has the loss")
    assert list(scores.check_fold(with_epoch(honest, 2, val_loss=last.val_loss * 1.00001), fold)) == []
    assert list(scores.check_fold(with_epoch(honest, 1, val_accuracy=0.1, val_loss=9.0), fold)) == []
    (said,) = scores.check_fold(with_finished(honest, weights_sha256="0" * 64), fold)
    assert said == "the weights at its end are not those of its last epoch"
    (said,) = scores.check_fold(with_finished(honest, epochs=3), fold)
    assert said == "it finished after 3 epochs; the last that it has is 2"


def test_predictions_of_other_images_or_that_were_rewritten_are_said(honest, fold):
    other = replace(fold, validation=np.concatenate([fold.validation[1:], fold.train[:1]]))
    (said,) = scores.check_fold(honest, other)
    assert said == "its predictions are of 6 images; 1 that validate in it are missing, 1 do not"
    (said,) = scores.check_fold(with_finished(honest, predictions_sha256="0" * 64), fold)
    assert "it is not the table that its journal names" in said


def certain(honest: Recorded, copied: Path, probability: float, beside: int = 0) -> Recorded:
    """The fold's predictions with one class, the true one or one `beside` it, that is next to impossible.

    With hash and scores to fit, and another loss.
    """
    right = honest.record.finished[PLACE]
    made = predictions.read(honest.folder, "fold-1-2", classes=3, sha256=right.predictions_sha256)
    number = {name: index for index, name in enumerate(honest.dataset.classes)}
    table = made.probabilities.copy()
    first = number[made.samples[0].label]
    table[0] = 0.5
    table[0, (first + beside) % 3] = probability
    sha256 = predictions.write(copied / "fold-1-2", made.samples, table, repeat=1, fold=2, seed=5)
    labels = np.array([number[sample.label] for sample in made.samples])
    recall = recall_by_class(table, labels)
    moved = with_finished(
        replace(honest, folder=copied),
        predictions_sha256=sha256,
        scores={name: registry.load("metrics", name)(table, labels) for name in right.scores},
        per_class={name: float(recall[index]) for name, index in number.items()},
    )
    return with_epoch(moved, 2, val_accuracy=float((table.argmax(axis=1) == labels).mean()), val_loss=99.0)


@pytest.mark.parametrize(("probability", "problems"), [(1e-3, 1), (1e-29, 1), (1e-32, 0)])
def test_a_loss_is_not_held_against_probabilities_that_float32_cannot_tell_from_nothing(
    honest, copied, fold, probability, problems
):
    assert len(list(scores.check_fold(certain(honest, copied, probability), fold))) == problems


def test_a_loss_is_held_against_the_predictions_however_impossible_another_class_is(honest, copied, fold):
    (said,) = scores.check_fold(certain(honest, copied, 1e-32, beside=1), fold)
    assert said.startswith("its last epoch has the loss 99")


def test_of_a_fold_in_which_nothing_validates_it_is_said_that_its_scores_do_not_follow(honest, copied, fold):
    with pq.ParquetWriter(copied / "fold-1-2" / predictions.FILE_NAME, predictions.SCHEMA):
        pass  # no rows
    moved = with_finished(
        replace(honest, folder=copied), predictions_sha256=predictions.predictions_sha256((), np.empty((0, 3)))
    )
    said = list(scores.check_fold(moved, replace(fold, validation=fold.validation[:0])))
    assert all(sentence.endswith(("its predictions give nan", "not that of its predictions")) for sentence in said)
    assert len(said) == len(honest.record.finished[PLACE].scores) + 3 + 2


def with_facts(honest: Recorded, **changed: Any) -> Recorded:
    return replace(honest, record=replace(honest.record, facts={**honest.record.facts, **changed}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"folds_digest": "0" * 64}, "folds.csv is not the assignment that run.json names"),
        ({"identity": "0" * 64}, "the identity in run.json does not match its settings, images and folds"),
        ({"classes": ["cat", "dog", "fox"]}, "the classes in run.json are not those of the images"),
        ({"images": 19}, "run.json speaks of 19 images, dataset.json holds 18"),
    ],
)
def test_what_run_json_says_is_held_against_images_and_folds(honest, assignments, change, said):
    assert said in list(identity.check_hashes(with_facts(honest, **change), assignments))


@pytest.mark.parametrize(
    "change",
    [
        {"train": {"lr": 0.1}},
        {"train": {"precision": "bfloat16"}},  # at its default it is left out of what is hashed
        {"folds": {"k": 4}},
        {"data": {"image_size": 9}},
    ],
)
def test_full_settings_that_are_not_those_of_the_identity_are_said(honest, assignments, change):
    full = honest.record.facts["settings"]
    other = {**full, **{section: {**full[section], **changed} for section, changed in change.items()}}
    said = ["the full settings in run.json do not match its identity"]
    assert list(identity.check_hashes(with_facts(honest, settings=other), assignments)) == said


def test_a_setting_that_a_later_foldproof_has_or_has_no_more_accuses_nobody(honest, assignments):
    full = honest.record.facts["settings"]
    fewer = {key: value for key, value in full["train"].items() if key != "precision"}
    for train in (fewer, {**full["train"], "of_before": 1}):
        settings = {**full, "train": train}
        assert list(identity.check_hashes(with_facts(honest, settings=settings), assignments)) == []
    cut = {**full, "train": {key: value for key, value in full["train"].items() if key != "lr"}}
    assert list(identity.check_hashes(with_facts(honest, settings=cut), assignments)) != []


def test_a_record_from_before_full_settings_holds_and_says_that_they_are_not_recorded(honest, copied):
    said = "settings, 18 images and folds match the identity of the run"
    assert checks_of(copied)["identity"].said == said
    old = {name: value for name, value in honest.record.facts.items() if name != "settings"}
    (copied / "run.json").write_text(json.dumps({**old, "v": 1}), encoding="utf-8")
    found = checks_of(copied)
    assert {check.state for check in found.values()} <= {"holds", "not here"}
    assert found["identity"].said == f"{said}; defaults of settings are not recorded"


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"experiment": "two"}, "experiment"),
        ({"identity": "0" * 64}, "identity"),
        ({"fingerprint": "0" * 64}, "fingerprint"),
        ({"folds": 4}, "number of folds"),
        ({"repeats": 3}, "number of repeats"),
        ({"epochs": 3}, "number of epochs"),
    ],
)
def test_the_runs_journal_says_what_run_json_says(honest, assignments, change, name):
    forged = replace(honest, record=replace(honest.record, started=replace(honest.record.started, **change)))
    said = f"the run's journal has a different {name} from run.json"
    assert list(identity.check_hashes(forged, assignments)) == [said]
    unsaid = replace(honest, record=replace(honest.record, started=None))
    assert list(identity.check_hashes(unsaid, assignments)) == []


def test_settings_are_held_against_the_identity_and_the_journal_of_a_fold(honest, assignments, fold):
    other = replace(honest, config=replace(honest.config, train=replace(honest.config.train, lr=0.1)))
    assert list(identity.check_hashes(other, assignments)) == [
        "the identity in run.json does not match its settings, images and folds"
    ]
    said = ["fold 1.2: its journal was written for different settings, images, folds or arithmetic"]
    assert list(identity.check_fold_key(other, fold)) == said
    assert list(identity.check_fold_key(with_facts(honest, image_size=9), fold)) == said
    elsewhere = {**honest.environment, "numeric_class": {"torch": "1.0"}}
    assert list(identity.check_fold_key(replace(honest, environments=(elsewhere,)), fold)) == said
    assert list(identity.check_fold_key(replace(honest, environments=(elsewhere, honest.environment)), fold)) == []


@pytest.mark.parametrize(
    ("stated", "diff", "said"),
    [
        (None, b"", []),
        (None, b"+1", ["code.diff is there, but the code had no changes"]),
        ("of", b"", ["code.diff is missing: the code had changes that were not committed"]),
        ("of", b"+1", []),
        ("of another", b"+1", ["code.diff is not what was hashed"]),
        ("of another", b"+https://user@host/", []),  # an address, from which a password was taken out
    ],
)
def test_recorded_changes_of_the_code_are_those_that_were_hashed(honest, stated, diff, said):
    sha256 = {None: None, "of": hashlib.sha256(diff or b"x").hexdigest(), "of another": "0" * 64}[stated]
    environment = {**honest.environment, "git": {"diff_sha256": sha256}}
    assert list(identity.check_code(replace(honest, environments=(environment,), code_diff=diff))) == said


def moved_rows(honest: Recorded, **changed: Any) -> Recorded:
    """The first row of the second repeat changed."""
    rows = list(honest.rows)
    at = next(number for number, row in enumerate(rows) if row.repeat == 1)
    rows[at] = rows[at]._replace(**changed)
    return replace(honest, rows=tuple(rows))


def test_rows_of_other_images_missing_and_repeated_ones_are_said(honest):
    assert splits.assignments_of(moved_rows(honest, sha256="0" * 64))[1] == [
        "repeat 1: folds.csv has 18 rows of 18 images, 1 missing, 1 of none of them"
    ]
    assert splits.assignments_of(moved_rows(honest, label="fox"))[1] == [
        "repeat 1: folds.csv has 18 rows of 18 images, 1 missing, 1 of none of them"
    ]
    first = next(row for row in honest.rows if row.repeat == 1)
    twice = replace(honest, rows=(*honest.rows, first._replace(fold=(first.fold + 1) % 3)))
    assert splits.assignments_of(twice)[1] == [
        "repeat 1: folds.csv has 19 rows of 18 images, 0 missing, 1 of none of them",
        f"repeat 1: 1 images stand in several folds, as {first.sha256[:12]}",
    ]


def test_groups_that_straddle_folds_and_folds_in_which_nothing_validates_are_said(honest, assignments):
    positions = [int(np.flatnonzero(assignments[1].fold_of == number)[0]) for number in (0, 1)]
    samples = list(honest.dataset.samples)
    for position in positions:
        samples[position] = samples[position]._replace(group="patient")
    grouped = replace(honest, dataset=Dataset(tuple(samples)))
    said = list(splits.check_leaks(grouped, assignments[1:]))
    assert said == [f"repeat 1: 1 groups or copies straddle folds, as of {samples[min(positions)].path}"]
    empty = replace(assignments[1], fold_of=np.where(assignments[1].fold_of == 1, 0, assignments[1].fold_of))
    assert list(splits.check_leaks(honest, (empty,))) == ["repeat 1: nothing validates in fold 1"]


def test_images_that_were_held_out_are_in_no_fold(honest):
    apart = Dataset.of([honest.dataset.samples[0]._replace(sha256="0" * 64, path="apart.png")])
    held_out = with_facts(replace(honest, held_out=apart), held_out=apart.fingerprint)
    assert list(splits.check_held_out(held_out)) == []
    other = with_facts(held_out, held_out="0" * 64)
    assert list(splits.check_held_out(other)) == ["held-out.json is not the set of images that run.json names"]
    inside = Dataset.of(honest.dataset.samples[:2])
    said = list(splits.check_held_out(with_facts(replace(honest, held_out=inside), held_out=inside.fingerprint)))
    names = ", ".join(sample.path for sample in inside.samples)
    assert said == [f"2 images that were held out stand in the folds, as {names}"]


def neighbour(copied: Path, name: str, change: Callable[[dict[str, Any]], None]) -> Path:
    """Another run beside the copy, with a changed run.json."""
    folder = copied.with_name(name)
    folder.mkdir()
    facts = json.loads((copied / "run.json").read_text()) | {"run": name}
    change(facts)
    (folder / "run.json").write_text(json.dumps(facts))
    return folder


def test_runs_that_are_named_and_not_there_or_changed_are_said(honest, copied):
    earlier = neighbour(copied, "20250101-000000-aaaaaa", lambda facts: facts.update(before={}))
    sha256 = hashlib.sha256((earlier / "run.json").read_bytes()).hexdigest()
    named = with_facts(replace(honest, folder=copied), before={earlier.name: sha256})
    found = sibling_runs.check_runs(named, [earlier], expected=True)
    assert (found.state, found.said) == ("holds", "1 earlier runs of this experiment, none left out")
    gone = sibling_runs.check_runs(named, [], expected=True)
    assert gone.problems == (f"run {earlier.name} of this experiment, which {copied.name} names, was left out",)
    assert sibling_runs.check_runs(named, [], expected=False).state == "not here"
    changed = with_facts(named, before={earlier.name: "0" * 64})
    (said,) = sibling_runs.check_runs(changed, [earlier], expected=True).problems
    assert said == f"the run.json of {earlier.name} is not the one that {copied.name} names"
    old = replace(
        named, record=replace(named.record, facts={k: v for k, v in named.record.facts.items() if k != "before"})
    )
    assert sibling_runs.check_runs(old, [earlier], expected=True).state == "not here"


def test_a_later_run_of_the_same_experiment_tells_of_one_that_was_left_out_and_one_of_another_does_not(honest, copied):
    def names_a_lost_one(facts: dict[str, Any]) -> None:
        facts["before"] = {"20250101-000000-aaaaaa": "0" * 64}

    def of_another(facts: dict[str, Any]) -> None:
        names_a_lost_one(facts)
        facts["experiment"] = "two"

    named = with_facts(replace(honest, folder=copied), before={})
    later = neighbour(copied, "20990101-000000-bbbbbb", names_a_lost_one)
    other = neighbour(copied, "20990101-000000-cccccc", of_another)
    broken = neighbour(copied, "20990101-000000-aaaaaa", lambda facts: facts.pop("config"))
    assert sibling_runs.check_runs(named, [broken, other], expected=True).state == "holds"
    again = neighbour(copied, "20990101-000000-dddddd", names_a_lost_one)
    (said,) = sibling_runs.check_runs(named, [broken, later, again, other], expected=True).problems
    assert said == "run 20250101-000000-aaaaaa of this experiment, which 20990101-000000-bbbbbb names, was left out"


@pytest.fixture
def task(project, honest, tmp_path) -> FoldTask:
    """The fold as it would be trained here, into a folder of its own."""
    loaded = load_settings(project.settings_file)
    training_data = load_training_data(project, loaded.settings, allow_dirty=False)
    with (
        closing(Stopping()) as stopping,
        InlineExecutor(ExecutorContext(parallel_folds=1, threads=1, stopping=stopping)) as executor,
    ):
        (planned,) = opened(project, loaded.experiments, training_data, executor, loaded.settings.execution)
    shutil.move(planned.folder, tmp_path / "planned")
    (made,) = [one for one in planned.tasks if (one.repeat, one.fold) == PLACE]
    folder = tmp_path / "planned" / made.folder.name
    return replace(made, folder=folder, dataset=tmp_path / "planned" / "dataset.json")


@pytest.mark.slow
def test_weights_give_the_stored_predictions_or_it_is_said_how_many_they_do_not(honest, task, tmp_path):
    weights = honest.folder / "fold-1-2" / "model.safetensors"
    found = rescore(honest, task, weights, same_class=True)
    assert (found.problems, found.largest) == ((), 0.0)
    stored = Checkpoint.load(weights)
    changed = {**stored.weights, "head.bias": stored.weights["head.bias"] + torch.tensor([5.0, 0.0, 0.0])}
    other = replace(stored, weights=changed).save(tmp_path / "other.safetensors")
    (said,) = rescore(honest, task, other, same_class=True).problems
    assert said == "its weights are not those that its journal names"
    fitting = with_finished(honest, weights_sha256=weights_sha256(changed))
    for same_class in (True, False):
        found = rescore(fitting, task, other, same_class=same_class)
        assert found.problems[0].startswith("6 of 6 stored predictions are not those of its weights (up to")
        assert found.largest > 0.1
    nearly = {**stored.weights, "head.bias": stored.weights["head.bias"] + torch.tensor([2e-4, 0.0, 0.0])}
    close = replace(stored, weights=nearly).save(tmp_path / "close.safetensors")
    fitting = with_finished(honest, weights_sha256=weights_sha256(nearly))
    assert rescore(fitting, task, close, same_class=False).problems == ()
    assert 0 < rescore(fitting, task, close, same_class=False).largest < 1e-3
    assert len(rescore(fitting, task, close, same_class=True).problems) == 1


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"run": "another"}, "its weights belong to a different run, experiment or fold"),
        ({"identity": "0" * 64}, "its weights belong to a different run, experiment or fold"),
        ({"repeat": 0}, "its weights belong to a different run, experiment or fold"),
        ({"fold": 1}, "its weights belong to a different run, experiment or fold"),
        ({"classes": ("cat", "dog", "fox")}, "its weights have different classes"),
    ],
)
def test_weights_of_another_fold_are_said_to_be(honest, task, tmp_path, changed, said):
    stored = Checkpoint.load(honest.folder / "fold-1-2" / "model.safetensors")
    other = replace(stored, **changed).save(tmp_path / "other.safetensors")
    assert rescore(honest, task, other, same_class=True).problems == (said,)


def test_weights_of_another_network_are_said_to_be(honest, task, tmp_path):
    stored = Checkpoint.load(honest.folder / "fold-1-2" / "model.safetensors")
    weights = {**stored.weights, "head.bias": torch.zeros(4)}
    other = replace(stored, weights=weights).save(tmp_path / "other.safetensors")
    found = rescore(with_finished(honest, weights_sha256=weights_sha256(weights)), task, other, same_class=True)
    (said,) = found.problems
    assert said.startswith("its weights belong to a different network: ")
    assert found.largest == 0.0


@pytest.mark.slow
def test_an_epoch_is_trained_again_from_the_last_state_or_the_beginning_to_equal_bits(honest, copied, task):
    moved = replace(honest, folder=copied)
    assert train_on(moved, task).problems == ()
    assert train_on(moved, task).said.endswith("equal bits")
    assert train_on(moved, task).said.startswith("epoch 2 of 2 trained again from the state stored before step 1 of it")
    forged = with_epoch(moved, 2, weights_sha256="0" * 64)
    (said,) = train_on(forged, task).problems
    assert said.startswith("parts at fold 1.2, epoch 2 (weights: ")
    for state in (copied / "fold-1-2").glob("state-*"):
        state.unlink()
    found = train_on(moved, task)
    assert (found.problems, found.said) == ((), "epoch 1 of 2 trained again from its initial weights: equal bits")
    assert train_on(forged, task).problems == ()  # the second epoch is not trained, then
    (said,) = train_on(with_epoch(moved, 1, val_loss=0.5), task).problems
    assert said.startswith("parts at fold 1.2, epoch 1 (")


def test_a_state_of_another_fold_is_not_trained_from(honest, copied, task):
    for state in (copied / "fold-1-2").glob("state-*"):
        state.unlink()
    for state in (copied / "fold-1-1").glob("state-*"):
        shutil.copy(state, copied / "fold-1-2" / state.name)
    (said,) = train_on(replace(honest, folder=copied), task).problems
    assert said.endswith("is the state of a different fold or experiment")


HOLDS, BROKEN, AWAY = checked("a", [], "fine"), checked("b", ["x", "y"], "fine"), not_here("c", "gone")


@pytest.mark.parametrize(
    ("checks", "state"),
    [((HOLDS, AWAY), "holds"), ((HOLDS, BROKEN, AWAY), "broken"), ((AWAY,), "not here"), ((), "not here")],
)
def test_a_rung_is_broken_where_one_check_is_and_not_here_where_none_could_be_made(checks, state):
    assert Level(number=0, title="", checks=checks, seconds=0.0).state == state


def test_what_was_verified_is_told_as_json_with_every_check():
    checks = (checked("files", ["one", "two"], "seen"), not_here("company", "alone"))
    levels = (
        Level(number=0, title="the record", checks=checks[1:], seconds=0.5),
        Level(number=1, title="weights and images", checks=checks, seconds=1.5),
    )
    told = Verification(run="a-run", experiment="one", levels=levels, training_seconds=3.0).to_json()
    files = {"name": "files", "state": "broken", "said": "seen", "problems": ("one", "two")}
    alone = {"name": "company", "state": "not here", "said": "alone", "problems": ()}
    assert told == {
        "v": 1,
        "run": "a-run",
        "experiment": "one",
        "verdict": "DOES NOT HOLD at L1 (weights and images): 2 problems",
        "sound": False,
        "training_seconds": 3.0,
        "rungs": [
            {"level": 0, "title": "the record", "state": "not here", "seconds": 0.5, "checks": [alone]},
            {"level": 1, "title": "weights and images", "state": "broken", "seconds": 1.5, "checks": [files, alone]},
        ],
    }


def test_a_verdict_counts_the_problems_of_the_first_level_that_is_broken():
    levels = [
        Level(number=number, title="t", checks=(check,), seconds=0.0)
        for number, check in enumerate((HOLDS, AWAY, BROKEN))
    ]
    found = Verification(run="r", experiment="e", levels=tuple(levels), training_seconds=None)
    assert (found.verdict, found.is_sound) == ("DOES NOT HOLD at L2 (t): 2 problems", False)
    one = replace(levels[2], checks=(checked("b", ["x"], ""),))
    assert replace(found, levels=(one,)).verdict == "DOES NOT HOLD at L2 (t): 1 problem"
    sound = replace(found, levels=tuple(levels[:2]))
    assert (sound.verdict, sound.is_sound) == ("HOLDS: L0", True)
    assert sound.to_json()["rungs"][0]["checks"] == [{"name": "a", "state": "holds", "said": "fine", "problems": ()}]
    assert isinstance(AWAY, Check)


def checks_of(folder: Path, *, highest: int = 0) -> dict[str, Check]:
    """The checks of the record alone, by name."""
    heard = []
    found = verify(RecordSource(folder=folder, is_foreign=False), None, highest=highest, heard=heard.append)
    assert heard == list(found.levels)
    assert [(level.number, level.title) for level in found.levels] == [(0, "the record")]
    return {check.name: check for check in found.levels[0].checks}


def test_the_record_alone_is_looked_at_from_all_sides(copied):
    found = checks_of(copied)
    assert list(found) == ["journals", "folds", "identity", "training", "scores", "company", "files", "tables"]
    assert {name for name, check in found.items() if check.state == "broken"} == set()
    assert found["journals"].said == "whole and in order; 18 epochs and results of 6 folds"
    assert found["folds"].said == "3 folds, 2 times; no image, copy or group in two of them"
    assert "18 images" in found["identity"].said


def test_each_side_of_a_record_finds_what_is_its_own(copied):
    def better(event: dict[str, Any]) -> None:
        if event["kind"] == "FoldFinished":
            event["data"]["scores"]["macro_f1"] = 0.123

    rewrite(copied / "fold-1-2", better)
    found = checks_of(copied)
    assert [name for name, check in found.items() if check.state == "broken"] == ["scores"]
    assert found["scores"].problems[0].startswith("fold 1.2: its macro_f1 is recorded as 0.123")
    losses = np.fromfile(copied / "fold-0-1" / "steps.f32", dtype="<f4")
    losses[0] *= 2
    losses.tofile(copied / "fold-0-1" / "steps.f32")
    found = checks_of(copied)
    assert [name for name, check in found.items() if check.state == "broken"] == ["training", "scores"]
    assert found["training"].problems[0].startswith("fold 1: epoch 1 has the training loss")


def test_without_folds_that_hold_nothing_else_is_looked_at(copied):
    lines = (copied / "folds.csv").read_text().splitlines()
    (copied / "folds.csv").write_text("\n".join(lines[:-1]) + "\n")
    found = checks_of(copied, highest=2)
    assert list(found) == ["journals", "folds", "results"]
    assert [check.state for check in found.values()] == ["holds", "broken", "not here"]


def test_a_journal_that_cannot_be_read_is_a_broken_record(copied):
    file = copied / "fold-0-0" / "events.jsonl"
    file.write_bytes(b"x" + file.read_bytes()[1:])
    found = checks_of(copied, highest=2)
    assert [(name, check.state) for name, check in found.items()] == [("journals", "broken")]


@pytest.mark.slow
def test_weights_that_are_not_here_are_no_harm_and_counted(honest, copied, task):
    moved = replace(honest, folder=copied)
    (found,) = trained._predictions(moved, {PLACE: task}, [PLACE], True)
    assert (found.state, found.said) == (
        "holds",
        "weights of 1 folds give the stored predictions, bit for bit",
    )
    (found,) = (
        trained._predictions(moved, {PLACE: task}, [FoldId(0, 0), PLACE], True) if away(copied, "fold-0-0") else ()
    )
    assert found.said == "weights of 1 folds give the stored predictions, bit for bit; 1 folds have no weights here"
    away(copied, "fold-1-2")
    (found,) = trained._predictions(moved, {PLACE: task}, [FoldId(0, 0), PLACE], True)
    assert (found.state, found.said) == ("not here", "the weights of the folds are not here")


def test_weights_that_are_a_link_are_a_problem_and_the_others_are_looked_at(honest, copied, task, tmp_path):
    weights = copied / "fold-0-0" / "model.safetensors"
    shutil.move(weights, tmp_path / "elsewhere")
    weights.symlink_to(tmp_path / "elsewhere")
    here = SimpleNamespace(same_arithmetic=True)
    moved = replace(honest, folder=copied)
    (found,) = trained._predictions(moved, {PLACE: task}, [FoldId(0, 0), PLACE], here)
    assert (found.state, len(found.problems)) == ("broken", 1)
    assert found.problems[0].startswith(f"fold 0: {weights}")
    assert found.said.startswith("weights of 1 folds give the stored predictions")


def away(copied: Path, fold: str) -> bool:
    (copied / fold / "model.safetensors").unlink()
    return True


@pytest.mark.slow
def test_an_epoch_is_trained_again_where_the_arithmetic_is_the_same_and_a_fold_has_finished(honest, copied, task):
    moved = replace(honest, folder=copied)
    found = trained._epoch(moved, {PLACE: task}, [PLACE, FoldId(0, 0)], True)
    assert (found.state, found.said.startswith("fold 1.2, epoch 2 of 2 trained again")) == ("holds", True)
    forged = with_epoch(moved, 2, weights_sha256="0" * 64)
    assert trained._epoch(forged, {PLACE: task}, [PLACE], True).problems[0].startswith("fold 1.2: parts at")
    assert trained._epoch(moved, {}, [], True).said == "no fold has finished"
    assert trained._epoch(moved, {PLACE: task}, [PLACE], False).state == "not here"


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({}, True),
        ({"training_code": "x"}, True),
        ({"plugins": "x"}, True),
        ({"torch": "x"}, False),
        ({"new": 1}, False),
    ],
)
def test_the_arithmetic_is_the_same_where_only_code_is_another(honest, changed, same):
    environment = {**honest.environment, "numeric_class": {**honest.environment["numeric_class"], **changed}}
    now = honest.environment["numeric_class"]
    assert trained._same_arithmetic(replace(honest, environments=(environment,)), now) == same
    both = (honest.environment, environment)
    assert trained._same_arithmetic(replace(honest, environments=both), now) == same


def test_files_that_the_journals_speak_of_are_as_they_were_written_or_away(tmp_path):
    made = JournaledRun.make(tmp_path).complete()
    (made.folder / "report" / "report.html").write_text("changed", encoding="utf-8")
    found = artifacts.check_files(made.folder)
    assert found.problems == ("report/report.html is not the file that was written",)
    sha256 = hashlib.sha256(b"changed").hexdigest()
    made.append(ArtifactAdded(file="report/report.html", sha256=sha256))
    found = artifacts.check_files(made.folder)
    assert (found.state, found.said) == ("holds", "1 files as they were written")
    made.append(ArtifactAdded(file="fold-0-0/more.txt", sha256=sha256), place=(0, 0))
    assert artifacts.check_files(made.folder).said == "1 files as they were written, 1 not here"
    (made.folder / "report" / "report.html").unlink()
    assert artifacts.check_files(made.folder).state == "not here"
    (made.folder / "fold-0-0" / "more.txt").write_text("other")
    assert artifacts.check_files(made.folder).problems == ("fold-0-0/more.txt is not the file that was written",)
