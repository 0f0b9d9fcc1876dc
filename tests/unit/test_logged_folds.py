"""How people log folds to MLflow: which runs are folds of which experiment, and which metric is its score."""

import random

import pytest

from foldproof.trackers.mlflow.fold_numbers import RunSeen
from foldproof.trackers.mlflow.logged_folds import families, taken
from foldproof.trackers.mlflow.measures import measured

KEYS = ("fold", "Fold", "fold_idx", "kfold", "cv", "split", "k")
SCORES = (0.81, 0.78, 0.84, 0.80)


def runs(count=4, *, first=0, prefix="", metric="val_acc", experiment="owls", parent="", **given):
    """A run a fold; texts of `given` hold `{}` for the number of the fold."""
    return [
        RunSeen(
            id=f"{prefix}{at}",
            name=given.get("name", "bold-ant-{}").format(at + first),
            experiment=experiment,
            parent=parent,
            params={key: text.format(at + first) for key, text in given.get("params", {}).items()},
            tags={key: text.format(at + first) for key, text in given.get("tags", {}).items()},
            metrics={metric: SCORES[at], **given.get("more", {})},
        )
        for at in range(count)
    ]


def scores(found):
    return {one.family.name: {fold: score for (_, fold), score in one.by_fold.items()} for one in found}


EXPECTED = dict(enumerate(SCORES))


@pytest.mark.parametrize(
    "name",
    ["val_acc", "val/acc", "valid_accuracy", "eval_accuracy", "Accuracy/val", "valAccuracy", "accuracy", "Val Acc",
     "val_acc_epoch", "validation_accuracy", "test_acc", "val_MulticlassAccuracy", "val_sparse_categorical_accuracy",
     "val_acc_top1", "valid/top-1 accuracy", "val_accuracy_score"],
)  # fmt: skip
def test_an_accuracy_is_known_by_any_usual_name(name):
    assert measured(name).measure == "accuracy"
    assert measured(name).fold is None


@pytest.mark.parametrize(
    ("name", "measure"),
    [("auc", "auc"), ("val_roc_auc", "auc"), ("valid/AUROC", "auc"), ("f1", "f1"), ("F1/val", "f1"),
     ("val_f1_macro", "macro_f1"), ("eval_balanced_accuracy", "balanced_accuracy")],
)  # fmt: skip
def test_other_scores_are_what_they_are_and_no_accuracy(name, measure):
    assert measured(name).measure == measure


@pytest.mark.parametrize(
    "name",
    ["train_acc", "val_loss", "avg_val_accuracy", "val_acc_std", "val_acc_teacher", "recall_class_00", "acc_class_1",
     "lr", "epoch", "val_acc_mean", "train/f1", "test_val_acc", "checkpoint3_acc", ""],
)  # fmt: skip
def test_what_is_no_score_of_a_fold_is_not_taken_for_one(name):
    assert measured(name) is None


@pytest.mark.parametrize(
    "name", ["fold_2_val_acc", "val_acc_fold2", "fold 2/val_acc", "Fold2.val_acc", "k_fold_2_val_acc", "cv2/val_acc"]
)
def test_the_fold_in_a_metrics_name_is_read_wherever_it_stands(name):
    assert (measured(name).measure, measured(name).fold) == ("accuracy", 2)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("parent", ["", "parent"])
@pytest.mark.parametrize(
    "given",
    [{"params": {key: text}} for key in KEYS for text in ("{}", "fold_{}")]
    + [{"tags": {"fold": "{}"}}, {"params": {"fold": "{}/4"}}, {"params": {"fold": "{} of 4"}}]
    + [{"name": name} for name in ("fold {}", "Fold_{}", "resnet-fold{}", "k={}", "split_{}_resnet", "resnet cv{}")],
    ids=str,
)  # fmt: skip
def test_folds_are_told_apart_by_a_param_a_tag_or_a_name_nested_or_side_by_side(given, parent, first):
    above = [RunSeen(id="parent", name="resnet", experiment="owls")] if parent else []
    found = taken(families([*above, *runs(first=first, parent=parent, **given)]))
    ((name, by_fold),) = scores(found).items()
    assert by_fold == {fold + first: score for fold, score in EXPECTED.items()}
    assert name == "resnet" if parent else name in ("resnet", "owls", "split_resnet") or "resnet" in name


def test_runs_side_by_side_are_experiments_by_their_name_without_the_fold():
    some = [*runs(name="small_fold_{}", prefix="a"), *runs(name="large_fold_{}", prefix="b")]
    random.Random(3).shuffle(some)
    assert scores(taken(families(some))) == {"small": EXPECTED, "large": EXPECTED}


def test_runs_with_names_of_chance_are_experiments_by_the_params_that_differ():
    some = [
        *runs(params={"fold": "{}", "lr": "0.1", "k": "4"}, prefix="a"),
        *runs(params={"fold": "{}", "lr": "0.01", "k": "4"}, prefix="b", name="calm-owl-{}7"),
    ]
    found = taken(families(some))
    assert scores(found) == {"lr=0.1": EXPECTED, "lr=0.01": EXPECTED}
    assert found[0].family.params == {"lr": "0.1", "k": "4"}


def test_runs_of_one_name_that_differ_in_a_param_are_two_experiments():
    some = [run for at in range(2) for run in runs(name="fold {}", params={"model": f"m{at}"}, prefix=str(at))]
    assert scores(taken(families(some))) == {"owls (model=m0)": EXPECTED, "owls (model=m1)": EXPECTED}


@pytest.mark.parametrize("name", ["bold-ant-{}", "train"])
def test_params_that_go_with_the_fold_or_the_run_make_no_experiment(name):
    some = []
    for model in ("small", "large"):
        params = {"data.fold": "{}", "model": model, "seed": "1{}", "out": f"out/{model}-{{}}"}
        some += runs(params=params, prefix=model, name=f"{name}{model[0] if '{' in name else ''}")
    found = taken(families(some))
    assert [list(each) for each in scores(found).values()] == [[0, 1, 2, 3]] * 2
    assert all(f"model={model}" in text for model, text in zip(("small", "large"), scores(found), strict=True))
    halves = [
        *runs(2, params={"fold": "{}", "model": "small"}, prefix="a", name="quiet-{}"),
        *runs(2, first=2, params={"fold": "{}", "model": "large"}, prefix="b", name="loud-{}"),
    ]
    assert {len(each) for each in scores(taken(families(halves))).values()} == {2}


def test_runs_are_experiments_by_their_names_whatever_the_date_in_them():
    some = [
        RunSeen(
            id=f"{net}{at}", name=f"{net}_2024-05-0{at + 1}_fold{at}_s42", experiment="owls", metrics={"val_acc": one}
        )
        for net in ("small", "large18")
        for at, one in EXPECTED.items()
    ]
    assert scores(taken(families(some))) == {"small s42": EXPECTED, "large18 s42": EXPECTED}


def test_a_name_may_end_with_the_number_that_a_param_says():
    some = [*runs(name="small_f{}", params={"fold": "{}"}, prefix="a"), *runs(name="large-0{}", params={"fold": "{}"})]
    assert scores(taken(families(some))) == {"small": EXPECTED, "large": EXPECTED}


def test_an_experiment_that_has_begun_spoils_no_other():
    begun = RunSeen(id="x", name="huge_fold_0", experiment="owls", metrics={"val_acc": 0.1})
    some = [*runs(name="small_fold_{}", prefix="a"), begun, *runs(name="large_fold_{}", prefix="b")]
    assert scores(taken(families(some))) == {"small": EXPECTED, "huge": {0: 0.1}, "large": EXPECTED}


def test_where_nothing_says_whose_folds_they_are_none_is_read():
    once = [RunSeen(id=str(at), name=f"ant-{7 * at}", experiment="owls", params={"fold": str(at)},
                    metrics={"val_acc": one}) for at, one in EXPECTED.items()]  # fmt: skip
    assert scores(taken(families(once))) == {"owls": EXPECTED}
    other = [RunSeen(id=f"x{run.id}", name=f"bee-{run.id}", experiment="owls", params=run.params,
                     metrics={"val_acc": 0.5}) for run in once]  # fmt: skip
    assert not families([*once, *other])


def test_of_a_fold_that_was_logged_twice_the_newest_counts_and_that_is_known():
    again = runs(1, name="net fold {}", prefix="again")
    older = [*runs(name="net fold {}")]
    older[0] = RunSeen(id="older", name="net fold 0", experiment="owls", metrics={"val_acc": 0.1})
    (found,) = taken(families([*older, *again]))
    assert scores([found]) == {"net": EXPECTED}
    assert found.family.again == 1


def test_what_numbers_something_else_is_no_fold():
    neighbours = [
        RunSeen(id=str(k), name=f"knn {k}", experiment="owls", params={"k": str(k)}, metrics={"val_acc": 0.5})
        for k in (3, 5, 7)
    ]
    of_five = RunSeen(id="x", name="net", experiment="owls", metrics={"acc_k1": 0.5, "acc_k5": 0.8})
    always = runs(params={"cv": "5"})
    assert not families([*neighbours, of_five])
    assert not families(always)


@pytest.mark.parametrize("key", ["datamodule.fold", "data/fold_idx", "cfg.data.Fold-Index", "current_fold", "foldId"])
def test_a_param_that_says_fold_is_known_in_any_group_and_spelling(key):
    found = taken(families(runs(params={key: "{}", "lr": "0.1"})))
    assert scores(found) == {"owls": EXPECTED}
    assert found[0].family.params == {"lr": "0.1"}


def test_how_many_folds_there_are_is_no_fold():
    counts = [
        RunSeen(id=k, name="net", experiment="owls", params={"kfold": k}, metrics={"val_acc": 0.5})
        for k in ("3", "5", "10")
    ]
    assert not families(counts)
    named = runs(name="net fold {}", params={"k_fold": "5"})
    assert scores(taken(families(named))) == {"net": EXPECTED}


@pytest.mark.parametrize("name", ["cv5_fold{}_net", "net kfold4 fold{}", "k=4 net fold {}"])
def test_a_name_that_says_folds_twice_says_the_fold_by_the_plainest_word(name):
    ((_, by_fold),) = scores(taken(families(runs(name=name)))).items()
    assert by_fold == EXPECTED


def test_a_fold_and_a_measure_may_be_words_of_one_name():
    run = RunSeen(
        id="x", name="net", experiment="owls", metrics={f"Fold{at}ValAcc": one for at, one in EXPECTED.items()}
    )
    assert scores(taken(families([run]))) == {"net": EXPECTED}


@pytest.mark.parametrize(
    "name", ["net-kfold-{}-of-4", "net fold {}/4", "net fold {} of 4", "net_fold{}/4", "net fold {}"]
)
def test_how_many_folds_a_name_says_is_no_part_of_it(name):
    assert scores(taken(families(runs(name=name, first=1)))) == {"net": {at + 1: one for at, one in EXPECTED.items()}}


def test_a_nested_run_on_all_images_is_left_out_and_named():
    above = RunSeen(id="parent", name="net", experiment="owls")
    last = RunSeen(id="x", name="final", experiment="owls", parent="parent", metrics={"val_acc": 0.99})
    (found,) = taken(families([above, *runs(name="fold {}", parent="parent"), last]))
    assert scores([found]) == {"net": EXPECTED}
    assert "(none: final)" in found.family.how
    others = [RunSeen(id=f"x{at}", name=f"try-{at}", experiment="owls", parent="parent") for at in range(4)]
    assert not families([above, *runs(name="fold {}", parent="parent"), *others])


def test_trials_of_a_search_are_no_folds_though_they_are_nested():
    above = RunSeen(id="parent", name="search", experiment="owls")
    trials = runs(parent="parent", name="trial", params={"lr": "0.{}1"})
    assert not families([above, *trials])


def test_a_run_alone_has_its_folds_in_names_of_metrics_or_in_the_steps_of_one():
    named = RunSeen(
        id="a", name="one", experiment="owls",
        metrics={**{f"fold_{at}/val_auc": score for at, score in EXPECTED.items()}, "mean_val_auc": 0.8},
    )  # fmt: skip
    stepped = RunSeen(
        id="b", name="two", experiment="owls", metrics={"fold_auc": SCORES[-1]}, steps={"fold_auc": EXPECTED}
    )
    found = taken(families([named, stepped]))
    assert scores(found) == {"one": EXPECTED, "two": EXPECTED}
    assert {one.measured.measure for one in found} == {"auc"}


def test_the_last_epoch_is_preferred_to_the_best_and_validation_to_test():
    more = {"best_val_acc": 0.99, "test_acc": 0.5, "val_f1": 0.4}
    (found,) = taken(families(runs(name="net fold {}", more=more)))
    assert found.metric == "val_acc"
    (best,) = taken(families(runs(name="net fold {}", metric="best_val_acc")))
    assert best.measured.optimistic


@pytest.mark.parametrize("wanted", ["val_f1", "f1"])
def test_another_metric_can_be_asked_for_by_its_own_name_or_as_it_is_known_here(wanted):
    (found,) = taken(families(runs(name="net fold {}", more={"val_f1": 0.4})), wanted)
    assert (found.metric, found.measured.measure) == ("val_f1", "f1")
    assert not taken(families(runs(name="net fold {}")), wanted)


def test_a_metric_that_most_folds_lack_is_not_taken():
    some = runs(name="net fold {}")
    odd = RunSeen(id="odd", name="net fold 9", experiment="owls", metrics={"accuracy": 0.5})
    (found,) = taken(families([*some, odd]))
    assert found.metric == "val_acc"
    assert scores([found]) == {"net": EXPECTED}


def test_repeats_are_told_apart():
    some = [
        run for at in range(2) for run in runs(name="net", params={"fold": "{}", "repeat": str(at)}, prefix=str(at))
    ]
    (found,) = taken(families(some))
    assert set(found.by_fold) == {(repeat, fold) for repeat in range(2) for fold in range(4)}
