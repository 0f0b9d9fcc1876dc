"""Diagnosis under hypothesis: no curve and no table breaks it, and what it says can be read."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldproof.analysis.diagnosis import diagnose
from foldproof.analysis.diagnosis.rules import RULES
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.events.fold_id import FoldId
from foldproof.events.types import DIVERGED, EpochFinished, FoldFailed, FoldFinished, FoldStarted
from foldproof.records.record import RunRecord

LOSS = st.one_of(st.floats(0, 10), st.floats(0, 1e30), st.sampled_from([math.nan, math.inf, 0.0, 1e-300]))
SHARE = st.floats(0, 1)
EPOCH = st.tuples(LOSS, SHARE, LOSS, st.one_of(SHARE, st.just(math.nan)))
FOLD = st.tuples(st.lists(EPOCH, max_size=6), st.sampled_from(["finished", "failed", "diverged", "running"]))


def record_of(folds, classes):
    epochs, finished, failed = {}, {}, {}
    for fold, (points, state) in enumerate(folds):
        place = FoldId(0, fold)
        epochs[place] = tuple(
            EpochFinished(
                epoch=number,
                steps=1,
                lr=0.1,
                train_loss=point[0],
                train_accuracy=point[1],
                val_loss=point[2],
                val_accuracy=point[3],
                weights_sha256="",
            )
            for number, point in enumerate(points, start=1)
        )
        if state == "finished" and points:
            finished[place] = FoldFinished(
                epochs=len(points), scores={}, per_class={}, weights_sha256="", predictions_sha256=""
            )
        if state == "failed":
            failed[place] = FoldFailed(error="RuntimeError", reason="no luck")
        if state == "diverged":
            failed[place] = FoldFailed(error="TrainingError", reason="the loss is nan", code=DIVERGED)
    started = FoldStarted(train_images=9, validation_images=5, parameters=1, trained_parameters=1, weights_sha256="")
    return RunRecord(
        folder=None,
        facts={
            "run": "r",
            "experiment": "e",
            "classes": [str(n) for n in range(classes)],
            "config": {"folds": {"k": max(len(folds), 2), "repeats": 1}, "train": {"lr": 0.1}},
        },
        started=None,
        started_at=None,
        ended_at=None,
        status="running",
        fold_started=dict.fromkeys(epochs, started),
        epochs=epochs,
        finished=finished,
        failed=failed,
        notices=(),
    )


def table_of(seed, rows, classes):
    random = np.random.default_rng(seed)
    names = np.array([str(n) for n in range(rows)], dtype=np.str_)
    probabilities = random.dirichlet(np.full(classes, 0.3), rows).astype(np.float32).reshape(rows, classes)
    if rows and seed % 3 == 0:
        probabilities[0] = np.nan
    return OutOfFold(
        classes=tuple(str(n) for n in range(classes)),
        paths=names,
        sha256=names,
        groups=names,
        labels=random.integers(0, classes, rows),
        repeats=np.zeros(rows, dtype=np.int64),
        folds=random.integers(0, 5, rows),
        probabilities=probabilities,
    )


@pytest.mark.slow
@settings(max_examples=200, deadline=None)
@given(st.lists(FOLD, max_size=4), st.integers(1, 5), st.integers(0, 2**32), st.integers(0, 30), st.booleans())
def test_no_curve_breaks_it(folds, classes, seed, rows, with_table):
    found = diagnose(record_of(folds, classes), table_of(seed, rows, classes) if with_table else None)
    codes = [one.code for one in found]
    assert codes == sorted(set(codes), key=list(RULES).index)
    for one in found:
        assert one.text.isprintable()
        assert " nan" not in one.text.replace("loss is nan", "")
        json.dumps(dict(one.evidence), allow_nan=False)
        silenced = RULES[one.code].silences
        assert not set(codes[codes.index(one.code) :]) & set(silenced)
