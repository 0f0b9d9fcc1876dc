"""Write the folders of decided runs: the only place that makes a run's folder or adds to its description."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from foldproof.config.identity import canonical_json
from foldproof.data.checks.card import DATA_CARD, DATA_CARD_PAGE, as_markdown
from foldproof.data.dataset import Dataset
from foldproof.errors import DamagedFile
from foldproof.events.types import Notice
from foldproof.plan.arithmetic import other_arithmetic
from foldproof.plan.decide import Decision, New, Resume, UpToDate
from foldproof.plan.earlier import refuse_worked_on
from foldproof.plan.experiment import ExperimentPlan
from foldproof.plan.planned import PlannedRun, plan_run
from foldproof.records.facts import HELD_OUT, MOST_ENVIRONMENT_BYTES, read_environment
from foldproof.records.store import StoredRun
from foldproof.storage import read_json_inside, redact_uris, write_atomically


@dataclass(frozen=True)
class Circumstances:
    """Under which runs take place: the content of environment.json but for the numeric class, and of code.diff."""

    environment: Mapping[str, Any]
    code_diff: bytes

    def of(self, experiment: ExperimentPlan) -> dict[str, Any]:
        """The content of environment.json of a run of `experiment`."""
        return {**self.environment, "numeric_class": asdict(experiment.model.probe.numeric_class)}


def open_run(decision: Decision, circumstances: Circumstances) -> PlannedRun:
    """Make the run's folder, or add to one, as was decided.

    Raises StorageError where that cannot be written or somebody trains one of its folds, and DamagedFile where a run to
    be resumed is not as it was written.
    """
    match decision:
        case New():
            return _new(decision, circumstances)
        case Resume():
            return _resumed(decision, circumstances)
        case UpToDate(experiment, run, notices):
            return plan_run(experiment, run.folder, (), begun=run, notices=notices)


def _new(new: New, circumstances: Circumstances) -> PlannedRun:
    """run.json comes last: a folder without it is no run."""
    experiment, context = new.experiment, new.experiment.context
    folder = context.project.new_run_folder()
    write_atomically(folder / "dataset.json", context.cuts.dataset_json + b"\n")
    write_atomically(folder / "folds.csv", context.cuts.written(experiment.config).table)
    if len(context.training_data.held_out):
        _write_json(folder / HELD_OUT, context.training_data.held_out.to_json())
    if context.training_data.card:
        _write_json(folder / DATA_CARD, context.training_data.card)
        write_atomically(folder / DATA_CARD_PAGE, as_markdown(context.training_data.card))
    if circumstances.code_diff:
        write_atomically(folder / "code.diff", redact_uris(circumstances.code_diff))
    _write_json(folder / "environment.json", circumstances.of(experiment))
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    again = {"reseed_of": asdict(new.reseed)} if new.reseed else {}
    facts = {**experiment.facts, **again, "before": new.earlier, "run": folder.name, "created": created}
    _write_json(folder / "run.json", facts)
    notices = (*new.notices, *context.cuts.notices(experiment.config))
    return plan_run(experiment, folder, new.fold_ids, notices=notices)


def _resumed(resume: Resume, circumstances: Circumstances) -> PlannedRun:
    """The run's folder gets one more environment."""
    experiment, run, left = resume.experiment, resume.run, resume.fold_ids
    if not left:
        done = Notice(code="done", text=f"{experiment.name}: nothing to do, run {run.run} has {run.share}")
        return plan_run(experiment, run.folder, (), begun=run, notices=[done])
    _refuse_other_manifest(run)
    refuse_worked_on(run, left, shared=experiment.context.shared)
    environment = circumstances.of(experiment)
    goes_on = Notice(code="goes_on", text=f"{experiment.name} goes on in run {run.run}: {run.share}")
    notices = (goes_on, *other_arithmetic(read_environment(run.folder), environment))
    number = 2 + len(list(run.folder.glob("environment-*.json")))
    _write_json(run.folder / f"environment-{number}.json", environment)
    return plan_run(experiment, run.folder, left, begun=run, notices=notices)


def _write_json(path: Path, content: Any) -> None:
    write_atomically(path, canonical_json(content) + b"\n")


def _refuse_other_manifest(run: StoredRun) -> None:
    """Raises DamagedFile where dataset.json is not the one that the run was begun with."""
    try:
        manifest = read_json_inside(run.folder, "dataset.json", most_bytes=MOST_ENVIRONMENT_BYTES)
    except FileNotFoundError:
        manifest = {}
    if Dataset.from_json(manifest).fingerprint != run.facts["fingerprint"]:
        raise DamagedFile(
            f"{run.folder / 'dataset.json'} is not of this run",
            next_step="restore it, or start over with `foldproof run`",
        )
