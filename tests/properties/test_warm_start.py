"""Which fold goes on from the end of which other, of drawn plans and earlier runs, against the rule written out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldproof.config.identity import canonical
from foldproof.config.schema import ExperimentConfig, FoldSettings, PixelSettings, TrainSettings
from foldproof.data.pixels.fitted import Form
from foldproof.folds import Assignment, Scheme
from foldproof.plan.options import ONLY_CHANGED
from foldproof.plan.planned import PlannedRun
from foldproof.plan.splits import Splits
from foldproof.plan.tasks import Model, fold_keys, tasks
from foldproof.plan.warm_start import add_warm_starts
from foldproof.records.record import RunRecord
from foldproof.records.store import RunStore, StoredRun
from foldproof.training.resuming.state_files import stem
from foldproof.training.task import ModelRequest
from planned import DATASET, PROBE

PLACES = ((0, 0), (0, 1))
EPOCHS = (1, 2, 3)
SPLITS = Splits(DATASET, {(Scheme(2, 7), 0): Assignment(0, np.array([0, 0, 0, 1, 1, 1]))})
SECONDS_AN_EPOCH = 10.0 + 3 * 0.5  # one step, three images that validate


@dataclass(frozen=True)
class Settings:
    """Of an experiment or of an earlier run of one."""

    epochs: int
    lr: float
    schedule: str
    optimizer: str

    def config(self, name: str) -> ExperimentConfig:
        return ExperimentConfig(
            name=name,
            pixels=PixelSettings(),
            folds=FoldSettings(k=2, seed=7),
            train=TrainSettings(
                epochs=self.epochs, lr=self.lr, schedule=self.schedule, optimizer=self.optimizer, batch_size=5
            ),
        )

    @property
    def identity(self) -> str:
        return str(self)

    @property
    def may_be_shared(self) -> bool:
        return self.schedule == "constant" and self.optimizer == "adam"

    def differs_in_epochs_alone(self, other: "Settings") -> bool:
        return replace(self, epochs=other.epochs) == other


@dataclass(frozen=True)
class Earlier:
    """A run that has ended: of which places the last state is kept, and what of it is of another project."""

    settings: Settings
    kept: frozenset[tuple[int, int]]
    elsewhere: str


some = st.builds(
    Settings,
    st.sampled_from(EPOCHS),
    st.sampled_from([0.1, 0.1, 0.2]),
    st.sampled_from(["constant"] * 4 + ["cosine"]),
    st.sampled_from(["adam"] * 4 + ["plugins:own"]),
)
of_places = st.frozensets(st.sampled_from(PLACES))
plans_drawn = st.lists(st.tuples(some, of_places), min_size=1, max_size=4)
runs_drawn = st.lists(
    st.builds(Earlier, some, of_places, st.sampled_from(["", "", "repeats", "repeats", "images", "pixels"])), max_size=3
)


def model(config: ExperimentConfig) -> Model:
    request = ModelRequest.of(config, classes=("a", "b"), device="auto", plugins=Path("plugins"))
    return Model(request=request, probe=PROBE, form=Form(size=24), images=Path("images.npy"))


def planned(name: str, said: Settings, wanted: frozenset[tuple[int, int]]) -> PlannedRun:
    config = said.config(name)
    made = tasks(
        config,
        SPLITS,
        model(config),
        folder=Path("runs") / f"run-of-{name}",
        identity=said.identity,
        keys=fold_keys(config, SPLITS, model(config)),
        checkpoint_seconds=60.0,
        cuda_graphs=False,
        wanted=wanted,
    )
    return PlannedRun(
        folder=Path("runs") / f"run-of-{name}",
        config=config,
        identity=said.identity,
        fingerprint=DATASET.fingerprint,
        tasks=made,
        seconds=-1.0,
        bytes=0,
        begun=None,
        shared=False,
        notices=(),
        device="cpu",
    )


@pytest.fixture(scope="module")
def kept(tmp_path_factory) -> Mapping[tuple[int, frozenset[tuple[int, int]]], Path]:
    """Folders of runs by their epochs and the places whose last state is there; of the others there is one before."""
    found = {}
    root = tmp_path_factory.mktemp("kept")
    for epochs, first, second in product(EPOCHS, (False, True), (False, True)):
        folder = root / f"{epochs}-{first}-{second}"
        for (repeat, fold), whole in zip(PLACES, (first, second), strict=True):
            (folder / f"fold-{repeat}-{fold}").mkdir(parents=True)
            (folder / f"fold-{repeat}-{fold}" / f"{stem(epochs + whole, 0)}.json").touch()
        found[epochs, frozenset(place for place, whole in zip(PLACES, (first, second), strict=True) if whole)] = folder
    return found


def begun(folder: Path, earlier: Earlier) -> StoredRun:
    config = earlier.settings.config("earlier")
    pixels = {"resize": "crop"} if earlier.elsewhere == "pixels" else {}
    facts = {
        "identity": earlier.settings.identity + ("" if earlier.elsewhere != "repeats" else " repeats"),
        "fingerprint": "another" if earlier.elsewhere == "images" else DATASET.fingerprint,
        "experiment": "earlier",
        "config": {**canonical(config), "pixels": {**canonical(config.pixels), **pixels}},
    }
    record = RunRecord(
        folder=folder,
        facts=facts,
        started=None,
        started_at=None,
        ended_at=None,
        status="finished",
        fold_started={},
        epochs={},
        finished={},
        failed={},
        notices=(),
        fold_keys=fold_keys(config, SPLITS, model(config)),
    )
    made = StoredRun(folder, facts)
    vars(made)["record"] = record  # as if its journals had been read
    return made


def expected(
    of: Settings,
    place: tuple[int, int],
    plans: list[tuple[Settings, frozenset[tuple[int, int]]]],
    runs: list[Earlier],
) -> Iterator[tuple[str, int]]:
    """The experiment and the number of epochs that a fold may begin with, in the order in which to try."""
    if not of.may_be_shared:
        return
    for epochs in range(of.epochs, 0, -1):
        there = [
            run
            for run in runs
            if run.settings.differs_in_epochs_alone(of) and run.settings.epochs == epochs and place in run.kept
            if run.elsewhere == "repeats" or (run.elsewhere == "" and run.settings.epochs != of.epochs)
        ]
        if there:
            yield "earlier", epochs
            yield from (
                ("earlier", fewer)
                for fewer in range(epochs - 1, 0, -1)
                if any(
                    run.settings == replace(of, epochs=fewer) and place in run.kept and run.elsewhere in ("", "repeats")
                    for run in runs
                )
            )
            return
        ahead = [
            number
            for number, (other, wanted) in enumerate(plans)
            if other == replace(of, epochs=epochs) and epochs < of.epochs and place in wanted
        ]
        if ahead:
            yield f"plan-{ahead[-1]}", epochs


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(plans=plans_drawn, runs=runs_drawn)
def test_a_fold_begins_with_the_longest_end_that_is_there_or_will_be_of_settings_that_differ_in_epochs_alone(
    kept, plans, runs
):
    before = [planned(f"plan-{number}", *drawn) for number, drawn in enumerate(plans)]
    earlier = [begun(kept[run.settings.epochs, run.kept], run) for run in runs]
    models = {item.config.name: model(item.config) for item in before}
    reused = add_warm_starts(before, SPLITS, models, RunStore(tuple(earlier), {}), ONLY_CHANGED)
    for (said, _), item, found in zip(plans, before, reused, strict=True):
        wanted = {
            (task.repeat, task.fold): list(expected(said, (task.repeat, task.fold), plans, runs)) for task in item.tasks
        }
        told = {
            (task.repeat, task.fold): [(one.reuse.experiment, one.reuse.epochs) for one in task.warm_starts]
            for task in found.tasks
        }
        assert told == wanted
        if not any(wanted.values()):
            assert found is item
            continue
        left = [said.epochs - (first[0][1] if first else 0) for first in wanted.values()]
        assert found.seconds == pytest.approx(SECONDS_AN_EPOCH * sum(left))
        (notice,) = found.notices
        assert (notice.code, notice.text) == (
            "beginning",
            f"{item.config.name} begins with the {found.begins_with}; --no-reuse trains them again",
        )
        for task in found.tasks:
            for one in task.warm_starts:
                keys = fold_keys(replace(said, epochs=one.reuse.epochs).config("x"), SPLITS, models[item.config.name])
                assert one.fold_key == keys[task.repeat, task.fold]
                run = one.folder.parent.name
                assert (one.folder.name, one.reuse.run) == (f"fold-{task.repeat}-{task.fold}", run)
                assert (run == f"run-of-{one.reuse.experiment}") is (one.reuse.experiment != "earlier")
