"""Plan what experiments would train now, among the runs that are there. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from foldproof.config.schema import ExperimentConfig
from foldproof.events.types import Notice
from foldproof.plan.decide import Decision, decide
from foldproof.plan.experiment import ExperimentPlan, RunContext
from foldproof.plan.models import MeasuredExperiments
from foldproof.plan.options import RunOptions
from foldproof.plan.tasks import Model
from foldproof.records.store import RunStore


@dataclass(frozen=True)
class Plan:
    """A decision for every experiment, in order, given the runs of `store`.

    `at_once`: folds that are trained at the same time.
    """

    decisions: tuple[Decision, ...]
    context: RunContext
    at_once: int
    store: RunStore
    options: RunOptions

    @property
    def models(self) -> Mapping[str, Model]:
        """By the experiment's name."""
        return {made.experiment.name: made.experiment.model for made in self.decisions}

    @property
    def to_train(self) -> tuple[ExperimentConfig, ...]:
        """The experiments of which a fold is to be trained."""
        return tuple(made.experiment.config for made in self.decisions if made.fold_ids)

    @property
    def work(self) -> list[tuple[Model, int]]:
        """The model of every experiment to train, and how many of its folds."""
        return [(made.experiment.model, len(made.fold_ids)) for made in self.decisions if made.fold_ids]

    def ready(self, models: Mapping[str, Model], notices: Iterable[Notice]) -> "Plan":
        """The same with models that have their images, and more notices."""
        context = replace(self.context, notices=(*self.context.notices, *notices))
        decisions = (
            replace(made, experiment=replace(made.experiment, model=models[made.experiment.name], context=context))
            for made in self.decisions
        )
        return replace(self, decisions=tuple(decisions), context=context)


def make_plan(measured: MeasuredExperiments, store: RunStore, options: RunOptions) -> Plan:
    """Decide on every experiment. Raises what `decide` raises."""
    experiments = (
        ExperimentPlan.of(config, measured.models[config.name], measured.context, measured.wanted[config.name])
        for config in measured.configs
    )
    return Plan(
        decisions=tuple(decide(one, store, options) for one in experiments),
        context=measured.context,
        at_once=measured.at_once,
        store=store,
        options=options,
    )
