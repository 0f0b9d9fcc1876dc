"""The identity of an experiment: what it depends on, and what it does not."""

import dataclasses
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from foldproof.config.identity import canonical, canonical_json, digest, experiment_identity
from foldproof.config.read import load_settings, resolved
from foldproof.config.schema import ExperimentConfig, FoldSettings, PixelSettings, TrainSettings, setting
from foldproof.data.value_range import ValueRange

CONFIG = ExperimentConfig(name="A", pixels=PixelSettings(), folds=FoldSettings(), train=TrainSettings())
PLACES = [
    (part, item.name) for part in ("pixels", "folds", "train") for item in dataclasses.fields(getattr(CONFIG, part))
]


def identity(config: ExperimentConfig, *, fingerprint: str = "f", folds_digest: str = "d") -> str:
    return experiment_identity(config, fingerprint=fingerprint, folds_digest=folds_digest)


def another(value: Any) -> Any:
    match value:
        case bool():
            return not value
        case int() | float():
            return value + 1
        case _:
            return f"{value}-other"


def read(folder: Path, text: str) -> ExperimentConfig:
    file = folder / "params.yaml"
    file.write_text(text, encoding="utf-8")
    return load_settings(file).experiments[0]


@pytest.mark.parametrize(("part", "name"), PLACES)
def test_every_setting_that_defines_a_result_changes_the_identity(part: str, name: str) -> None:
    section = getattr(CONFIG, part)
    changed = replace(CONFIG, **{part: replace(section, **{name: another(getattr(section, name))})})
    assert identity(changed) != identity(CONFIG)


def test_no_two_settings_share_a_place_in_the_identity() -> None:
    one = replace(CONFIG, folds=replace(CONFIG.folds, seed=7))
    other = replace(CONFIG, train=replace(CONFIG.train, seed=7))
    assert len({identity(CONFIG), identity(one), identity(other)}) == 3


def test_the_images_and_the_assignment_change_the_identity() -> None:
    assert len({identity(CONFIG), identity(CONFIG, fingerprint="g"), identity(CONFIG, folds_digest="e")}) == 3


def test_the_range_of_values_changes_the_identity_and_8_bit_images_have_the_identity_of_before_there_was_one() -> None:
    small = replace(CONFIG, pixels=PixelSettings(image_size=28))
    known = identity(small, fingerprint="f" * 64, folds_digest="d" * 64)
    assert known == "40857e4dfe4d466a18ae8330768c922e6d16609544c990f4925aea82849dd836"
    ranges = (None, ValueRange(0.0, 4095.0, 16), ValueRange(1.0, 4095.0, 16), ValueRange(0.0, 4095.0, 8))
    assert (
        len({experiment_identity(CONFIG, fingerprint="f", folds_digest="d", within=within) for within in ranges}) == 4
    )


def test_the_name_does_not_change_the_identity() -> None:
    assert identity(replace(CONFIG, name="B")) == identity(CONFIG)


def test_where_the_data_lie_and_how_a_run_is_carried_out_do_not_change_the_identity(tmp_path: Path) -> None:
    here = read(tmp_path, "data: {path: here}\nexecution: {executor: inline}\n")
    there = read(tmp_path, "data: {path: there}\nexecution: {parallel_folds: 3}\ntracking: {enabled: false}\n")
    assert identity(here) == identity(there)


def test_neither_the_order_of_keys_nor_spelling_a_default_out_changes_the_identity(tmp_path: Path) -> None:
    absent = read(tmp_path, "train: {epochs: 3, lr: 0.01}\n")
    turned = read(tmp_path, "train: {lr: 1e-2, epochs: 3}\nfolds: {}\n")
    spelled = resolved(load_settings(tmp_path / "params.yaml"))
    spelled_out = read(tmp_path, canonical_json(spelled).decode())
    assert identity(absent) == identity(turned) == identity(spelled_out)


def test_a_number_is_the_same_with_and_without_its_point(tmp_path: Path) -> None:
    assert identity(read(tmp_path, "train: {lr: 1}\n")) == identity(read(tmp_path, "train: {lr: 1.0}\n"))


@dataclass(frozen=True, kw_only=True)
class Before:
    lr: float = setting(0.1, "rate")


@dataclass(frozen=True, kw_only=True)
class After:
    lr: float = setting(0.1, "rate")
    warmup: int = setting(0, "came with version 2", added=2)


def test_a_key_added_later_counts_as_absent_while_it_has_its_default() -> None:
    assert digest(After()) == digest(Before())
    assert digest(After(lr=0.5)) == digest(Before(lr=0.5))
    assert digest(After(warmup=1)) != digest(Before())


def test_a_key_of_the_first_version_counts_even_at_its_default() -> None:
    assert canonical(Before()) == {"lr": 0.1}


def test_the_identity_of_the_defaults_is_the_one_that_was_published() -> None:
    assert identity(CONFIG) == "9a9a4808193d78d23d40bbe3674bf5f75aab2ca2ded41e2a024767b7994f9e6b"


def test_canonical_json_has_one_spelling() -> None:
    value = {"b": (1, 2.5, True, None), "a": {"é": [math.nan, math.inf, -math.inf]}, 3: "x"}
    assert canonical_json(value) == '{"3":"x","a":{"é":["nan","inf","-inf"]},"b":[1,2.5,true,null]}'.encode()


def test_a_digest_is_64_hexadecimal_characters() -> None:
    assert digest({}) == "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
