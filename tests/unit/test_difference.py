"""What differs between two runs, and which of it can be the cause."""

from dataclasses import fields, replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foldproof.analysis.causes import first_shows, probable_causes
from foldproof.analysis.difference import Change, Difference, RunSide, differ
from foldproof.analysis.divergence import Divergence
from foldproof.config.schema import FirstShows, FoldSettings, PixelSettings, TrainSettings
from foldproof.data.dataset import Dataset, Sample
from foldproof.folds import Row
from foldproof.records.facts import read_environment
from foldproof.storage import read_if_there

NUMERIC = {"torch": "2", "instruction_set": "AVX512", "fingerprint": "f", "training_code": "t", "plugins": "p"}
ENVIRONMENT = {
    "foldproof": "0.1.0",
    "packages": {"numpy": "2.1", "pytest": "8"},
    "machine": {"processor": "EPYC", "hostname": "kepler"},
    "numeric_class": NUMERIC,
    "git": {"commit": "a" * 40},
}
SAMPLES = [Sample(f"{number:064x}", "cat" if number % 2 else "dog", f"{number}.png") for number in range(8)]


def side(**changed: object) -> RunSide:
    rows = tuple(Row(2, 1, 0, s.sha256, s.label, s.path, "", number % 2) for number, s in enumerate(SAMPLES))
    facts = {"config": {"pixels": {}, "folds": {"k": 2, "seed": 1}, "train": {"lr": 0.01}}, "image_size": 8}
    whole = RunSide(facts=facts, environment=ENVIRONMENT, dataset=Dataset.of(SAMPLES), rows=rows, code_diff=b"")
    return replace(whole, **changed)  # type: ignore[arg-type]


def environment(**parts: object) -> dict[str, object]:
    return {**ENVIRONMENT, **parts}


def at(epoch: int, step: int | None, kind: str) -> Divergence:
    return Divergence(repeat=0, fold=0, epoch=epoch, step=step, kind=kind, then="1", now="2")  # type: ignore[arg-type]


def test_a_run_does_not_differ_from_itself():
    assert not differ(side(), side()).any
    assert [cause.kind for cause in probable_causes(differ(side(), side()), at(1, 1, "loss"))] == ["nothing known"]


@given(st.lists(st.sampled_from(range(8)), min_size=1, unique=True), st.booleans())
def test_what_was_added_the_other_way_round_was_removed(gone, relabel):
    kept = [s._replace(label="cat") if relabel else s for n, s in enumerate(SAMPLES) if n not in gone]
    there, back = differ(side(), side(dataset=Dataset.of(kept))), differ(side(dataset=Dataset.of(kept)), side())
    assert there.images.removed == back.images.added == tuple(sorted(SAMPLES[n].path for n in gone))
    assert there.images.relabelled == back.images.relabelled


def test_a_renamed_file_is_no_difference():
    renamed = [s._replace(path=f"other-{s.path}") for s in SAMPLES]
    assert not differ(side(), side(dataset=Dataset.of(renamed))).images.any


def test_another_content_at_a_path_is_a_change():
    other = [SAMPLES[0]._replace(sha256="f" * 64), *SAMPLES[1:]]
    assert differ(side(), side(dataset=Dataset.of(other))).images.changed == ("0.png",)


def test_settings_are_named_as_the_settings_file_names_them_with_defaults_filled_in():
    facts = {**side().facts, "config": {"pixels": {"resize": "squash"}, "folds": {"k": 2, "seed": 1}, "train": {}}}
    assert differ(side(), side(facts=facts)).settings == (Change("train.lr", "0.01", "0.001"),)


def test_images_in_another_fold_are_counted():
    rows = tuple(row._replace(fold=1 - row.fold) if row.path in ("2.png", "3.png") else row for row in side().rows)
    assert differ(side(), side(rows=rows)).folds.moved == 2


CASES = {
    "data": side(dataset=Dataset.of([SAMPLES[0]._replace(label="cat"), *SAMPLES[1:]])),
    "config": side(facts={**side().facts, "config": {**side().facts["config"], "train": {"lr": 0.0100001}}}),
    "folds": side(rows=tuple(row._replace(fold=1 - row.fold) for row in side().rows)),
    "code": side(environment=environment(numeric_class={**NUMERIC, "plugins": "q"})),
    "instruction set": side(environment=environment(numeric_class={**NUMERIC, "instruction_set": "AVX2"})),
    "package": side(environment=environment(packages={"numpy": "2.2", "pytest": "8"})),
    "processor": side(environment=environment(machine={"processor": "Xeon", "hostname": "kepler"})),
    "nothing known": side(environment=environment(machine={"processor": "EPYC", "hostname": "tycho"})),
}


@pytest.mark.parametrize("kind", CASES)
def test_the_one_thing_that_differs_is_the_cause(kind):
    assert probable_causes(differ(side(), CASES[kind]), at(1, 2, "loss"))[0].kind == kind


@pytest.mark.parametrize("kind", sorted(CASES.keys() - {"nothing known", "processor"}))
def test_an_unrelated_package_and_another_host_are_never_the_first_cause_beside_a_real_one(kind):
    other = CASES[kind]
    packages = {**other.environment["packages"], "pytest": "9"}
    noisy = replace(other, environment={**other.environment, "packages": packages})
    assert probable_causes(differ(side(), noisy), at(1, 2, "loss"))[0].kind == kind


def test_where_two_part_weighs_the_causes():
    train = {"lr": 0.02, "seed": 7}
    both = differ(side(), side(facts={**side().facts, "config": {**side().facts["config"], "train": train}}))
    assert "train.seed" in probable_causes(both, at(0, None, "initial weights"))[0].text
    assert "train.lr" in probable_causes(both, at(1, 2, "loss"))[0].text


def test_a_side_of_which_nothing_is_known_is_no_difference():
    assert not differ(side(), side(environment={})).packages
    assert Difference().any is False


DECISIVE = [
    (section, name, item.name)
    for section, name, kind in (
        ("pixels", "data", PixelSettings),
        ("folds", "folds", FoldSettings),
        ("train", "train", TrainSettings),
    )
    for item in fields(kind)
]
AT = {
    "before": at(0, None, "initial weights"),
    "first step": at(1, 1, "loss"),
    "later": at(1, 2, "loss"),
    "end": at(1, None, "predictions"),
}


@pytest.mark.parametrize(("section", "name", "key"), DECISIVE, ids=lambda part: str(part))
def test_every_setting_that_defines_a_result_is_named_first_where_it_first_shows_and_wherever_it_may(
    section, name, key
):
    """Beside what it changes by itself: fingerprint, instruction set, number of threads."""
    config = {**side().facts["config"]}
    config[section] = {**config[section], key: "another"}
    arithmetic = {**NUMERIC, "fingerprint": "g", "instruction_set": "AVX2", "threads": 2}
    other = side(facts={**side().facts, "config": config}, environment=environment(numeric_class=arithmetic))
    earliest = list(AT).index(first_shows(f"{name}.{key}"))
    for stage in list(AT)[earliest:]:
        first = probable_causes(differ(side(), other), AT[stage])[0]
        assert f"{name}.{key}" in first.text, stage
    for stage in list(AT)[:earliest]:
        assert f"{name}.{key}" not in probable_causes(differ(side(), other), AT[stage])[0].text, stage


def test_every_setting_that_defines_a_result_says_where_it_first_shows():
    kinds = (PixelSettings, FoldSettings, TrainSettings)
    assert {item.metadata.get("first_shows") for kind in kinds for item in fields(kind)} == set(get_args(FirstShows))


def test_another_commit_is_named_by_its_first_characters():
    then, now = side(), side(environment=environment(git={"commit": "b" * 40}))
    found = differ(then, now).code.commit
    assert (found.then, found.now) == ("a" * 12, "b" * 12)
    assert differ(then, side(environment=environment(git={}))).code.commit.now == "absent"


def test_a_commit_is_a_cause_only_where_the_modules_of_the_settings_are_the_same():
    committed = environment(git={"commit": "b" * 40})
    own = {**committed, "numeric_class": {**NUMERIC, "plugins": "q"}}
    said = [
        cause.text for cause in probable_causes(differ(side(), side(environment=own)), None) if cause.kind == "code"
    ]
    assert said == ["code: the modules that the settings name differ"]
    causes = probable_causes(differ(side(), side(environment=committed)), None)
    assert [cause.kind for cause in causes] == ["code"]
    assert causes[0].text.endswith("the modules that the settings name are the same")
    diff = probable_causes(differ(side(), side(code_diff=b"+1")), None)
    assert diff[0].text == "code: changes that were not committed; the modules that the settings name are the same"


def test_what_a_record_may_lack_is_empty(tmp_path):
    assert read_environment(tmp_path) == {}
    assert read_if_there(tmp_path, "code.diff", most_bytes=1) is None
    (tmp_path / "environment.json").write_text('{"a": 1}')
    assert read_environment(tmp_path) == {"a": 1}


def test_changes_that_were_not_committed_are_shown_with_a_line_around_them():
    then, now = side(code_diff=b"a\nb\nc\nd\ne\n"), side(code_diff=b"a\nb\nX\nd\ne\n")
    shown = differ(then, now).code.hunks
    assert shown == ("--- uncommitted then", "+++ uncommitted now", "@@ -2,3 +2,3 @@", " b", "-c", "+X", " d")
    assert differ(then, then).code.hunks == ()


@pytest.mark.parametrize(
    "changed",
    [
        {"environment": environment(packages={"numpy": "2.2", "pytest": "8"})},
        {"environment": environment(machine={"processor": "Xeon", "hostname": "kepler"})},
        {"environment": environment(numeric_class={**NUMERIC, "torch": "3"})},
        {"environment": environment(git={"commit": "b" * 40})},
        {"facts": {"config": {"pixels": {}, "folds": {"k": 2, "seed": 1}, "train": {"lr": 0.02}}, "image_size": 8}},
        {"dataset": Dataset.of(SAMPLES[1:])},
        {"code_diff": b"+1"},
    ],
    ids=["packages", "machine", "arithmetic", "commit", "settings", "images", "code"],
)
def test_whatever_differs_two_runs_differ(changed):
    assert differ(side(), side(**changed)).any
