"""Read the `ExperimentConfig` of run.json, checked as a settings file is.

And the way back: settings in, all that run.json says of them out.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from foldproof import registry
from foldproof.config.check import check, contradictions
from foldproof.config.read import experiment_of, resolved_experiment
from foldproof.config.schema import CompareSettings, ExecutionConfig, ExperimentConfig
from foldproof.errors import SettingsError

SECTIONS: Mapping[str, str] = {"pixels": "data", "folds": "folds", "train": "train"}  # of a record, of the settings


def recorded_config(facts: Mapping[str, Any]) -> ExperimentConfig:
    """The experiment that a run.json describes. Raises SettingsError where this version cannot train it."""
    asked = facts["config"]
    settings, findings = check({section: dict(asked.get(part, {})) for part, section in SECTIONS.items()})
    wrong = [*findings, *contradictions(settings)]
    if wrong:
        name = ".".join(wrong[0].keys[0])
        raise SettingsError(
            f"run {facts['run']} has a setting that this foldproof does not know: {name} {wrong[0].text}",
            next_step="use the foldproof that made it: `foldproof reproduce RUN --env rebuild`",
        )
    return experiment_of(str(facts["experiment"]), settings)


def full_settings(config: ExperimentConfig, execution: ExecutionConfig, compare: CompareSettings) -> dict[str, Any]:
    """All that decides a result or how it is judged, and how it is carried out, by section, defaults filled in."""
    return {**resolved_experiment(config), "execution": asdict(execution), "compare": asdict(compare)}


def own_code(config: ExperimentConfig) -> tuple[str, ...]:
    """The dotted paths among the names of an experiment: code that is neither built in nor installed by name."""
    names = (value for value in asdict(config.train).values() if isinstance(value, str))
    return tuple(dict.fromkeys(name for name in names if registry.is_dotted_path(name)))
