"""Read run.json of a run's folder into facts whose every value has the type that a run writes. Runs nothing.

The folder may be somebody else's: names are those that this project gives, so they can be printed and sent as they are.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldproof.config.schema import EXPERIMENT_NAME
from foldproof.data.value_range import ValueRange
from foldproof.errors import DamagedFile
from foldproof.storage import cleaned, read_json_inside

SCHEMA_VERSION = 2  # 2: with the full settings
FILE_NAME = "run.json"
HELD_OUT = "held-out.json"  # images that were never trained on, as dataset.json has the others
MOST_BYTES = 32 * 2**20
MOST_ENVIRONMENT_BYTES = 4 * 2**30
MOST_FOLDS = 100  # of a partition, and as many partitions: what the settings allow
_RUN_ID = re.compile(r"\w[\w.-]{0,99}", re.ASCII)
_SHA256 = re.compile("[0-9a-f]{64}")
_MOST_BEFORE = 1000
_WITH_SETTINGS = 2  # the first schema that has them
_SECTIONS = {"data", "folds", "train", "execution", "compare"}  # of the settings
_MOST_METRIC = 500  # characters of its name
_MOST_ROPE = 100  # points
_KEY = re.compile(r"[a-z][a-z0-9_]{0,99}")


def read_facts(folder: Path) -> Mapping[str, Any]:
    """The content of run.json. Raises DamagedFile where it is not one this version can read, or as a run writes it."""
    file = folder / FILE_NAME
    try:
        facts = read_json_inside(folder, FILE_NAME, most_bytes=MOST_BYTES)
        version = facts["v"]
        if type(version) is int and version > SCHEMA_VERSION:
            raise DamagedFile(f"{file} is of a newer schema, {version}", next_step="read it with a newer foldproof")
        _check(facts)
    except (OSError, ValueError, KeyError, TypeError, OverflowError) as error:
        raise DamagedFile(
            f"{file} cannot be read: {cleaned(repr(error), most=200)}",
            next_step="restore it from a copy, or leave it out",
        ) from error
    return facts


def read_environment(folder: Path) -> dict[str, Any]:
    """The content of a run's environment.json, nothing where there is none. Raises DamagedFile."""
    try:
        return read_json_inside(folder, "environment.json", most_bytes=MOST_ENVIRONMENT_BYTES)
    except FileNotFoundError:
        return {}


@dataclass(frozen=True)
class Reseed:
    """A run that retrained one fold of the run `run` with a different seed."""

    run: str
    repeat: int
    fold: int


def reseed_of(facts: Mapping[str, Any]) -> Reseed | None:
    """The fold that was retrained; None for a run of an experiment."""
    said = facts.get("reseed_of")
    return None if said is None else Reseed(**said)


def range_in_use(facts: Mapping[str, Any]) -> ValueRange | None:
    """The range from black to white that a run's images shared; None for 8-bit images."""
    said = facts.get("range")
    return None if said is None else ValueRange(float(said["low"]), float(said["high"]), said["bits"])


def judged_by(facts: Mapping[str, Any]) -> tuple[str, float] | None:
    """The metric, as the settings name it, and the rope, in its units, when the run began; None: not recorded."""
    said = facts.get("settings")
    return None if said is None else (str(said["compare"]["metric"]), said["compare"]["rope"] / 100)


def title_of(facts: Mapping[str, Any]) -> str:
    """The experiment's name; of a fold that was trained again `NAME fold F again`, which names no experiment."""
    again = reseed_of(facts)
    if again is None:
        return str(facts["experiment"])
    fold = f"{again.repeat}.{again.fold}" if facts["config"]["folds"]["repeats"] > 1 else f"{again.fold}"
    return f"{facts['experiment']} fold {fold} again"


class Described:
    """What a run is, for whatever holds its `facts`."""

    facts: Mapping[str, Any]

    @property
    def experiment(self) -> str:
        return str(self.facts["experiment"])

    @property
    def identity(self) -> str:
        return str(self.facts["identity"])

    @property
    def title(self) -> str:
        """The experiment's name, or which fold of which experiment was trained again."""
        return title_of(self.facts)

    @property
    def reseed(self) -> Reseed | None:
        """The fold and run that was retrained; None for a run of an experiment."""
        return reseed_of(self.facts)


def _check(facts: Mapping[str, Any]) -> None:
    config, classes = facts["config"], facts["classes"]
    _demand("config", isinstance(config, dict))
    _demand("classes", isinstance(classes, list) and all(map(_is_text(4096), classes)))
    _demand("classes", len(set(classes)) == len(classes))
    for name, fits in _RULES.items():
        _demand(name, fits(facts[name]))
    for name, fits in _OPTIONAL.items():
        _demand(name, facts.get(name) is None or fits(facts[name]))
    if facts["v"] >= _WITH_SETTINGS:
        _demand("settings", facts.get("settings") is not None)
    for section in ("pixels", "folds", "train"):
        _demand(f"config.{section}", _is_section(config[section]))
    for name in ("k", "repeats"):
        _demand(f"config.folds.{name}", _is_count(1, MOST_FOLDS)(config["folds"][name]))


def _demand(name: str, fits: object) -> None:
    if not fits:
        raise ValueError(f"{name} is not as a run writes it")


def _is_count(least: int, most: int) -> Callable[[object], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _is_text(most: int) -> Callable[[object], bool]:
    """Whether a value is text that can be written as UTF-8 and be a path: half characters raise ValueError."""
    return lambda value: isinstance(value, str) and len(value.encode()) >= len(value) <= most and "\0" not in value


def _is_printable(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 1000 and value.isprintable()


def _is_setting(value: object) -> bool:
    some: Iterable[object] = value if isinstance(value, list) else (value,)
    return all(
        one is None or _is_printable(one) or type(one) in (bool, float) or _is_count(-(2**63), 2**63)(one)
        for one in some
    )


def _is_section(value: object) -> bool:
    return isinstance(value, dict) and all(_KEY.fullmatch(key) and _is_setting(one) for key, one in value.items())


def _is_settings(value: object) -> bool:
    if not isinstance(value, dict) or value.keys() != _SECTIONS or not all(map(_is_section, value.values())):
        return False
    metric, rope = (value["compare"].get(name) for name in ("metric", "rope"))
    is_name = isinstance(metric, str) and len(metric) <= _MOST_METRIC
    return is_name and type(rope) in (int, float) and 0 <= rope <= _MOST_ROPE


def _is_reseed(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == {"run", "repeat", "fold"}
        and isinstance(value["run"], str)
        and _RUN_ID.fullmatch(value["run"]) is not None
        and all(_is_count(0, MOST_FOLDS - 1)(value[name]) for name in ("repeat", "fold"))
    )


def _is_range(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() == set(ValueRange._fields)
        and all(type(value[name]) in (int, float) for name in ("low", "high"))
        and -math.inf < value["low"] < value["high"] < math.inf
        and type(value["bits"]) is int
        and value["bits"] in (8, 16)
    )


def _is_before(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= _MOST_BEFORE
        and all(_RUN_ID.fullmatch(run) and isinstance(sha256, str) for run, sha256 in value.items())
        and all(_SHA256.fullmatch(sha256) for sha256 in value.values())
    )


_RULES: Mapping[str, Callable[[Any], object]] = {
    "v": _is_count(1, SCHEMA_VERSION),
    "run": lambda value: isinstance(value, str) and _RUN_ID.fullmatch(value),
    "experiment": lambda value: isinstance(value, str) and EXPERIMENT_NAME.fullmatch(value),
    "identity": _is_printable,
    "fingerprint": _is_printable,
    "folds_digest": _is_printable,
    "images": _is_count(0, 2**53),
}
_OPTIONAL: Mapping[str, Callable[[Any], object]] = {
    "image_size": _is_count(1, 2**16),
    "range": _is_range,
    "data_path": _is_text(4096),
    "created": _is_printable,
    "reseed_of": _is_reseed,
    "before": _is_before,
    "settings": _is_settings,
    "held_out": _is_printable,
}
