"""Events: what can happen, its one spelling, and what a comparison looks at."""

import json
import math
from dataclasses import fields, replace
from typing import Any

import pytest

from foldproof.errors import DamagedFile
from foldproof.events.types import (
    DIVERGED,
    FOLLOWS_THE_CLOCK,
    KINDS,
    ArtifactAdded,
    CheckpointSaved,
    EpochFinished,
    Event,
    FoldFailed,
    FoldFinished,
    FoldResumed,
    FoldStarted,
    Notice,
    RunFinished,
    RunStarted,
    comparable,
    from_json,
    to_json,
)

EPOCH = EpochFinished(
    epoch=1,
    steps=3,
    lr=0.1,
    train_loss=0.1 + 0.2,
    train_accuracy=1 / 3,
    val_loss=math.inf,
    val_accuracy=0.0,
    weights_sha256="b" * 64,
)
BODIES = [
    RunStarted(experiment="A", identity="i", fingerprint="f", folds=2, repeats=1, epochs=1),
    FoldStarted(train_images=4, validation_images=2, parameters=9, trained_parameters=9, weights_sha256="a" * 64),
    FoldResumed(epoch=1, step=2, file="state-2.json"),
    EPOCH,
    CheckpointSaved(epoch=1, file="model.safetensors"),
    FoldFinished(
        epochs=1,
        scores={"accuracy": 0.5, "log_loss": math.nan},
        per_class={"cat": 1.0, "düne": -math.inf},
        weights_sha256="b" * 64,
        predictions_sha256="c" * 64,
    ),
    FoldFailed(error="ValueError", reason="half a name: \udcff, and a line\nbreak", code=DIVERGED),
    ArtifactAdded(file="report.html", sha256="d" * 64),
    Notice(code="dirty", text="uncommitted code"),
    RunFinished(status="finished"),
]


def event(body: Any, **changes: Any) -> Event:
    known = Event(run="r", repeat=0, fold=1, seq=0, time=1.5, body=body, about={"host": "h", "ports": [1, math.inf]})
    return replace(known, **changes)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_an_event_reads_back_as_it_was_written(body: Any) -> None:
    written = event(body, about={"host": "h", "n": [1, 2.5]})
    assert to_json(from_json(to_json(written))) == to_json(written)
    if "nan" not in str(body):
        assert from_json(to_json(written)).body == written.body


def test_there_is_an_example_of_every_kind() -> None:
    assert {type(body).__name__ for body in BODIES} == set(KINDS)


def test_one_event_is_one_line_of_utf_8() -> None:
    for body in BODIES:
        line = to_json(event(body))
        assert b"\n" not in line
        assert json.loads(line.decode("utf-8"))["kind"] == type(body).__name__


def test_numbers_that_json_lacks_are_texts_and_come_back_as_numbers() -> None:
    body = replace(EPOCH, train_loss=math.nan, val_loss=-math.inf)
    raw = json.loads(to_json(event(body)))
    assert (raw["data"]["train_loss"], raw["data"]["val_loss"]) == ("nan", "-inf")
    back = from_json(to_json(event(body))).body
    assert isinstance(back, EpochFinished)
    assert math.isnan(back.train_loss)
    assert back.val_loss == -math.inf
    assert raw["about"]["ports"] == [1, "inf"]


def test_floats_have_their_shortest_exact_spelling() -> None:
    assert b'"train_loss":0.30000000000000004' in to_json(event(EPOCH))
    assert b'"train_accuracy":0.3333333333333333,' in to_json(event(EPOCH))


def test_an_event_knows_its_fold() -> None:
    assert event(EPOCH).fold_id == (0, 1)
    assert event(BODIES[0], repeat=None, fold=None).fold_id is None


def test_when_and_where_it_happened_is_never_compared() -> None:
    elsewhere = event(EPOCH, run="other", seq=9, time=99.0, about={"pid": 5})
    assert comparable(elsewhere) == comparable(event(EPOCH))


def test_what_follows_the_clock_is_never_compared() -> None:
    ignored = {type(body) for body in BODIES if comparable(event(body)) is None}
    assert ignored == set(FOLLOWS_THE_CLOCK) == {CheckpointSaved, FoldResumed, Notice}


def test_the_report_of_a_run_is_never_compared_and_a_file_of_a_fold_is() -> None:
    report = ArtifactAdded(file="report/report.html", sha256="d" * 64)
    assert comparable(event(report, repeat=None, fold=None)) is None
    assert comparable(event(report)) is not None


@pytest.mark.parametrize("name", [item.name for item in fields(EpochFinished)])
def test_every_figure_of_an_epoch_is_compared(name: str) -> None:
    value = getattr(EPOCH, name)
    changed = replace(EPOCH, **{name: f"{value}x" if isinstance(value, str) else math.nextafter(value, 2.0)})
    assert comparable(event(changed)) != comparable(event(EPOCH))


def test_two_nans_are_equal_in_a_comparison() -> None:
    assert comparable(event(replace(EPOCH, lr=math.nan))) == comparable(event(replace(EPOCH, lr=float("nan"))))


GOOD = json.loads(to_json(event(EPOCH, about={})))


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        5,
        {},
        {**GOOD, "v": "1"},
        {**GOOD, "kind": "FoldExploded"},
        {**GOOD, "kind": ["EpochFinished"]},
        {**GOOD, "run": 5},
        {**GOOD, "seq": "0"},
        {**GOOD, "seq": True},
        {**GOOD, "repeat": 0.5},
        {**GOOD, "time": "noon"},
        {**GOOD, "about": []},
        {**GOOD, "data": {}},
        {**GOOD, "data": []},
        {**GOOD, "data": {**GOOD["data"], "epoch": 1.5}},
        {**GOOD, "data": {**GOOD["data"], "weights_sha256": None}},
        {**GOOD, "data": {**GOOD["data"], "lr": "fast"}},
        {**json.loads(to_json(event(BODIES[4]))), "data": {"epochs": 1, "scores": [], "per_class": {}}},
    ],
    ids=str,
)
def test_anything_else_is_not_an_event(raw: Any) -> None:
    with pytest.raises(DamagedFile, match="not an event of foldproof"):
        from_json(json.dumps(raw).encode())


@pytest.mark.parametrize("line", [b"", b"{", b"\xff", b"[" * 100_000])
def test_bytes_that_are_not_json_are_not_an_event(line: bytes) -> None:
    with pytest.raises(DamagedFile, match="not an event of foldproof"):
        from_json(line)


def test_an_event_of_a_newer_schema_says_so() -> None:
    with pytest.raises(DamagedFile, match="schema version 3; this foldproof reads up to 2") as caught:
        from_json(json.dumps({**GOOD, "v": 3}).encode())
    assert "newer foldproof" in caught.value.next_step


def test_a_field_that_came_later_does_not_trouble_an_older_reader() -> None:
    raw = {**GOOD, "data": {**GOOD["data"], "colour": "blue"}, "later": 1}
    assert from_json(json.dumps(raw).encode()) == event(EPOCH, about={})


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        ("TrainingError", "the loss is nan in step 3 of epoch 1", DIVERGED),
        ("TrainingError", "the validation loss is nan", ""),
        ("WorkerDied", "the loss is nan in step 3 of epoch 1", ""),
    ],
)
def test_a_failure_written_before_failures_had_codes_gets_the_code_that_it_would_have_now(error, reason, code):
    line = json.loads(to_json(event(FoldFailed(error=error, reason=reason))))
    assert "code" not in line["data"]
    assert from_json(json.dumps(line).encode()).body == FoldFailed(error=error, reason=reason, code=code)
