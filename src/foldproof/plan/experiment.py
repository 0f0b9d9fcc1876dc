"""Describe each experiment once as it would run now: its folds, their keys, and what its run.json would say. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from foldproof.config.identity import canonical, experiment_identity
from foldproof.config.recorded import full_settings
from foldproof.config.schema import CompareSettings, ExecutionConfig, ExperimentConfig
from foldproof.events.fold_id import FoldId
from foldproof.events.types import Notice
from foldproof.plan.splits import Splits
from foldproof.plan.tasks import Model, fold_keys
from foldproof.project import Project
from foldproof.records.facts import SCHEMA_VERSION
from foldproof.training_data.load import TrainingData


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """What all runs of one invocation share. `shared`: others may train other folds of the same runs meanwhile."""

    project: Project
    training_data: TrainingData
    splits: Splits
    execution: ExecutionConfig
    compare: CompareSettings = field(default_factory=CompareSettings)
    shared: bool
    notices: tuple[Notice, ...]


@dataclass(frozen=True, kw_only=True)
class ExperimentPlan:
    """An experiment as it would run here and now. `wanted`: the folds asked for; `facts`: of run.json.

    `fold_keys`: of every fold, also of those that are not wanted.
    """

    config: ExperimentConfig
    model: Model
    context: RunContext
    wanted: Sequence[FoldId]
    facts: Mapping[str, Any]
    fold_keys: Mapping[FoldId, str]

    @staticmethod
    def of(config: ExperimentConfig, model: Model, context: RunContext, wanted: Sequence[FoldId]) -> "ExperimentPlan":
        """Describe an experiment. Facts and keys follow from its arguments but for the images' place and notices."""
        facts = _facts(config, model, context)
        keys = fold_keys(config, context.splits, model)
        return ExperimentPlan(config=config, model=model, context=context, wanted=wanted, facts=facts, fold_keys=keys)

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def identity(self) -> str:
        return str(self.facts["identity"])


def _facts(config: ExperimentConfig, model: Model, context: RunContext) -> dict[str, Any]:
    dataset, held_out, within = context.training_data.dataset, context.training_data.held_out, model.form.within
    folds_digest = context.splits.written(config).digest
    return {
        "v": SCHEMA_VERSION,
        "experiment": config.name,
        "identity": experiment_identity(
            config, fingerprint=dataset.fingerprint, folds_digest=folds_digest, within=within
        ),
        "fingerprint": dataset.fingerprint,
        "folds_digest": folds_digest,
        "classes": list(dataset.classes),
        "images": len(dataset),
        "data_path": context.training_data.path,
        "image_size": model.form.size,
        **({} if within is None else {"range": within._asdict()}),
        "config": canonical(config),
        "settings": full_settings(config, context.execution, context.compare),
        **({"held_out": held_out.fingerprint} if len(held_out) else {}),
    }
