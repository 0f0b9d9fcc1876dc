"""A fold trained again with another seed: when it is its images, when its training, and when one cannot tell."""

import json
import math
import statistics
import warnings
from dataclasses import replace

import pytest

from foldproof.analysis.diagnosis import reseeded
from foldproof.analysis.diagnosis.reseed import binomial_interval
from foldproof.errors import DamagedFile
from foldproof.records.facts import Reseed, read_facts, reseed_of, title_of
from foldproof.records.record import RunRecord
from journaled import JournaledRun, epoch

ID = "20260102-030405-abcdef"


def run_of(tmp_path, scores, *, finish=None):
    """A run of one epoch whose folds have these accuracies on 200 images each."""
    made = JournaledRun.make(tmp_path, ID, k=len(scores), epochs=1)
    made.start()
    for place, _ in zip(made.places, scores, strict=True):
        made.begin_fold(place, epochs=0)
        made.append(epoch(place, 1, val_accuracy=scores[place[1]]), place=place)
        if finish is None or place[1] in finish:
            made.finish_fold(place)
    return with_images(RunRecord.read(made.folder))


def with_images(record, images=200):
    started = {place: replace(body, validation_images=images) for place, body in record.fold_started.items()}
    return replace(record, fold_started=started)


def again_of(original, fold, score, *, images=200):
    place = (0, fold)
    facts = {**original.facts, "reseed_of": {"run": original.run, "repeat": 0, "fold": fold}}
    return replace(
        with_images(original, images),
        facts=facts,
        epochs={place: (epoch(place, 1, val_accuracy=score),)},
        finished={place: next(iter(original.finished.values()))},
    )


@pytest.mark.parametrize(
    ("score", "code", "words"),
    [
        (0.504, "reseed-training", "its training, not its images"),
        (0.33, "reseed-images", "its images or labels"),
        (0.41, "reseed-open", "cannot tell"),
    ],
)
def test_the_seeds_third_fold(score, code, words, tmp_path):
    original = run_of(tmp_path, [0.51, 0.52, 0.50, 0.32, 0.518])
    found = reseeded(original, again_of(original, 3, score))
    assert found.code == code
    assert words in found.text
    assert "fold 3 scored 32.0 %, the others 51.2 %; retrained with a different seed it scores" in found.text
    assert found.fold_id == (0, 3)
    assert found.evidence["images"] == 200


def test_a_fold_that_never_differed_is_not_explained(tmp_path):
    original = run_of(tmp_path, [0.51, 0.52, 0.50, 0.49, 0.518])
    assert reseeded(original, again_of(original, 3, 0.50)).code == "reseed-agrees"


def test_with_few_images_one_cannot_tell_or_it_did_not_differ(tmp_path):
    original = run_of(tmp_path, [0.51, 0.52, 0.50, 0.32, 0.518])
    assert reseeded(original, again_of(original, 3, 0.33, images=10)).code in ("reseed-agrees", "reseed-open")


def test_without_a_score_of_both_one_cannot_tell(tmp_path):
    original = run_of(tmp_path, [0.5, 0.5, 0.3], finish=(0, 1))
    assert "cannot tell, it has no score" in reseeded(original, again_of(original, 2, 0.5)).text
    failed = replace(again_of(original, 0, 0.5), finished={}, epochs={})
    assert "cannot tell, it was not trained to its end again" in reseeded(original, failed).text


def test_without_other_folds_one_cannot_tell(tmp_path):
    original = run_of(tmp_path, [0.5, 0.5], finish=(0,))
    assert "no other fold" in reseeded(original, again_of(original, 0, 0.5)).text


def test_the_interval_is_wilsons():
    low, high = binomial_interval(0.5, 100)
    assert (low, high) == (pytest.approx(0.402, abs=0.001), pytest.approx(0.598, abs=0.001))
    assert binomial_interval(0.0, 50)[0] == pytest.approx(0)
    assert binomial_interval(0.5, 0) == (0, 1)


def test_what_was_trained_again_stands_in_run_json_and_in_the_title(tmp_path):
    file = JournaledRun.make(tmp_path, ID).folder / "run.json"
    facts = json.loads(file.read_text())
    assert reseed_of(read_facts(file.parent)) is None
    file.write_text(json.dumps({**facts, "reseed_of": {"run": ID, "repeat": 0, "fold": 2}}))
    told = read_facts(file.parent)
    assert reseed_of(told) == Reseed(ID, 0, 2)
    assert title_of(told) == "Run_High_LR fold 2 again"
    right = {"run": ID, "repeat": 0, "fold": 2}
    for wrong in ({**right, "run": "../.."}, {"run": ID, "repeat": 0}, "no", {**right, "fold": "x"}):
        file.write_text(json.dumps({**facts, "reseed_of": wrong}))
        with pytest.raises(DamagedFile):
            read_facts(file.parent)


@pytest.mark.parametrize("images", [200, 1_000_000])
def test_the_others_reach_twice_their_spread_which_is_at_least_that_of_chance(images, tmp_path):
    original = run_of(tmp_path, [0.51, 0.52, 0.50, 0.32, 0.518])
    found = reseeded(original, again_of(original, 3, 0.504, images=images)).evidence
    others = [0.51, 0.52, 0.50, 0.518]
    mean, sd = statistics.mean(others), statistics.stdev(others)
    chance = math.sqrt(mean * (1 - mean) / images)
    assert found["others"] == pytest.approx(mean)
    assert found["others_within"] == pytest.approx(2 * max(sd, chance) * math.sqrt(1 + 1 / 4))
    assert (found["before"], found["again"], found["images"]) == (0.32, 0.504, images)
    assert (found["low"], found["high"]) == pytest.approx(binomial_interval(0.504, images))
    assert found["seed"] == 7


def test_one_other_fold_has_the_spread_of_chance(tmp_path):
    original = run_of(tmp_path, [0.5, 0.3], finish=(0, 1))
    found = reseeded(original, again_of(original, 1, 0.5)).evidence
    assert found["others_within"] == pytest.approx(2 * math.sqrt(0.25 / 200) * math.sqrt(2))


@pytest.mark.parametrize(("share", "count"), [(0.0, 7), (0.2, 30), (0.93, 411)])
def test_the_interval_is_that_of_statsmodels(share, count):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from statsmodels.stats.proportion import proportion_confint
    two_errors = 2 * (1 - statistics.NormalDist().cdf(2.0))
    expected = proportion_confint(share * count, count, alpha=two_errors, method="wilson")
    assert binomial_interval(share, count) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("score", "code"),
    [(0.5867, "reseed-training"), (0.5933, "reseed-open"), (0.438, "reseed-training"), (0.432, "reseed-open")],
)
def test_a_score_is_near_the_others_within_their_reach(score, code, tmp_path):
    """They have 51.2 % and reach 7.9 points; 0.32 is never near."""
    original = run_of(tmp_path, [0.51, 0.52, 0.50, 0.32, 0.518])
    assert reseeded(original, again_of(original, 3, score)).code == code
