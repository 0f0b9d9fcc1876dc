"""What run.json says of a run: all that it is known by, every setting with its default, and how runs are judged."""

import json
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from foldproof.config.identity import canonical, experiment_identity
from foldproof.config.schema import CompareSettings, ExecutionConfig, FoldSettings, PixelSettings, TrainSettings
from foldproof.data.pixels.fitted import Form
from foldproof.data.value_range import ValueRange
from foldproof.data.versions.versioned import DataVersion
from foldproof.errors import DamagedFile
from foldproof.plan.experiment import ExperimentPlan, RunContext
from foldproof.plan.tasks import Model
from foldproof.project import Project
from foldproof.records.facts import FILE_NAME, SCHEMA_VERSION, judged_by, read_facts
from foldproof.training_data.load import TrainingData
from planned import CONFIG, DATASET, PROBE, SPLITS, request_of

WITHIN = ValueRange(0.0, 9.0, 16)
COMPARE = CompareSettings(metric="macro_f1", rope=2.5)
EXECUTION = ExecutionConfig(executor="inline")


def said(**changed: Any) -> dict[str, Any]:
    """The facts of a run of `CONFIG`, as they come back from the file."""
    version = DataVersion(state="unversioned", dvc_hash=None)
    context = RunContext(
        project=Project(Path("params.yaml")),
        training_data=TrainingData(
            "images", Path("images"), DATASET, version, (), {}, held_out=SPLITS.dataset, within=WITHIN
        ),
        splits=SPLITS,
        execution=EXECUTION,
        compare=COMPARE,
        shared=False,
        notices=(),
    )
    model = Model(request=request_of(), probe=PROBE, form=Form(size=24, within=WITHIN))
    planned = ExperimentPlan.of(replace(CONFIG, **changed), model, context, ())
    return dict(json.loads(json.dumps(planned.facts)))


def written(folder: Path, facts: Mapping[str, Any]) -> Path:
    (folder / FILE_NAME).write_text(json.dumps(facts), encoding="utf-8")
    return folder


def test_run_json_says_all_that_a_run_is_known_by():
    digest = SPLITS.written(CONFIG).digest
    identity = experiment_identity(CONFIG, fingerprint=DATASET.fingerprint, folds_digest=digest, within=WITHIN)
    facts = said()
    del facts["settings"]
    assert facts == {
        "v": SCHEMA_VERSION,
        "experiment": "one",
        "identity": identity,
        "fingerprint": DATASET.fingerprint,
        "folds_digest": digest,
        "classes": ["a", "b"],
        "images": 6,
        "data_path": "images",
        "image_size": 24,
        "range": {"low": 0.0, "high": 9.0, "bits": 16},
        "config": canonical(CONFIG),
        "held_out": DATASET.fingerprint,
    }


def test_run_json_has_every_setting_with_its_default_also_those_that_the_identity_leaves_out():
    settings = said(train=TrainSettings(epochs=7))["settings"]
    kinds = {"data": PixelSettings, "folds": FoldSettings, "train": TrainSettings, "execution": ExecutionConfig}
    assert {name: set(settings[name]) for name in settings} == {
        name: {item.name for item in fields(kind)} for name, kind in {**kinds, "compare": CompareSettings}.items()
    }
    assert (settings["train"]["epochs"], settings["train"]["precision"]) == (7, "float32")
    assert (settings["folds"]["repeats"], settings["execution"]["executor"]) == (2, "inline")
    assert settings["compare"] == {"metric": "macro_f1", "rope": 2.5}


def test_what_is_written_can_be_read_and_says_by_what_runs_are_judged(tmp_path):
    facts = read_facts(written(tmp_path, {**said(), "run": "a-run"}))
    assert judged_by(facts) == ("macro_f1", 0.025)


def test_a_record_of_before_says_nothing_of_it_and_is_read_all_the_same(tmp_path):
    old = {name: value for name, value in said().items() if name != "settings"}
    facts = read_facts(written(tmp_path, {**old, "v": 1, "run": "a-run"}))
    assert judged_by(facts) is None
    with pytest.raises(DamagedFile, match="settings is not as a run writes it"):
        read_facts(written(tmp_path, {**old, "run": "a-run"}))


@pytest.mark.parametrize(
    "settings",
    [
        [],
        {},
        "all",
        {"compare": {"metric": "auto", "rope": 1.0}},
        {"compare": []},
        {"compare": {"metric": 3}},
        {"compare": {"metric": "x" * 501}},
        {"compare": {"metric": "a\nb"}},
        {"compare": {"metric": "auto", "rope": -1.0}},
        {"compare": {"metric": "auto", "rope": 101}},
        {"compare": {"metric": "auto", "rope": True}},
        {"compare": {"metric": "auto", "rope": "1"}},
        {"compare": {"rope": 1.0}},
        {"compare": {"metric": "auto"}},
        {"train": {"epochs": {}}},
        {"train": {"Epochs": 1}},
        {"folds": 3},
        {"tracking": {"uri": "http://host"}},
    ],
)
def test_settings_that_no_run_writes_are_refused(tmp_path, settings):
    facts = said()
    changed = {**facts["settings"], **settings} if isinstance(settings, dict) and len(settings) else settings
    if settings == {"compare": {"metric": "auto", "rope": 1.0}}:
        changed = settings  # without the other sections
    with pytest.raises(DamagedFile, match="settings is not as a run writes it"):
        read_facts(written(tmp_path, {**facts, "settings": changed, "run": "a-run"}))
