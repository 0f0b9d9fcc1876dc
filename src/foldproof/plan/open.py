"""Write the folders of planned runs: nothing else makes a run's folder or adds to its description."""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from foldproof.config.identity import canonical_json
from foldproof.data.checks.card import DATA_CARD, DATA_CARD_PAGE, render_markdown
from foldproof.data.dataset import Dataset
from foldproof.errors import DamagedFile
from foldproof.events.types import Notice
from foldproof.plan.arithmetic import other_arithmetic
from foldproof.plan.decide import Decision, New, Resume, UpToDate, decide
from foldproof.plan.earlier import check_not_locked
from foldproof.plan.environment import circumstances
from foldproof.plan.experiment import ExperimentPlan
from foldproof.plan.make import Plan
from foldproof.plan.planned import PlannedRun, plan_run
from foldproof.plan.room import check_disk
from foldproof.plan.uncommitted import secret_notices
from foldproof.plan.warm_start import add_warm_starts
from foldproof.project import WRITTEN
from foldproof.provenance.git import git_state
from foldproof.records.facts import HELD_OUT, MOST_ENVIRONMENT_BYTES, read_environment
from foldproof.records.store import RunStore, StoredRun
from foldproof.storage import locked, read_json_inside, redact_uris, write_atomically

JOINING_SECONDS = 60.0


@dataclass(frozen=True)
class Circumstances:
    """Under which runs take place: the content of environment.json but for the numeric class, and of code.diff."""

    environment: Mapping[str, Any]
    code_diff: bytes

    def of(self, experiment: ExperimentPlan) -> dict[str, Any]:
        """The content of environment.json of a run of `experiment`."""
        return {**self.environment, "numeric_class": asdict(experiment.model.probe.numeric_class)}


def read_circumstances(plan: Plan, *, tags: Mapping[str, str] = MappingProxyType({})) -> Circumstances:
    """Under which the plan's runs take place, if they begin now. `tags`: what the user calls the runs."""
    project = plan.context.project
    code = git_state(project.root, apart_from=(project.folds_file.name, *WRITTEN))
    environment = circumstances(project, code, plan.context.training_data.version, tags)
    return Circumstances(environment, code.diff if code else b"")


def open_runs(plan: Plan, now: Circumstances) -> tuple[PlannedRun, ...]:
    """Make a folder for each planned run, or add to the one that is there.

    Raises StorageError where the disk is too small, a folder cannot be written or somebody trains one of its folds, and
    DamagedFile where a run to be resumed is not as it was written.
    """
    project, options, store = plan.context.project, plan.options, plan.store
    plan = plan.ready(plan.models, secret_notices(now.code_diff))
    if options.joins:
        with locked(project.home / ".foldproof" / "runs.lock", what="the list of runs", wait_seconds=JOINING_SECONDS):
            store = RunStore.read(project.run_folders())
            runs = [_open(decided, now) for decided in _decide_again(plan, store)]
        left = [(plan.models[run.config.name], len(run.tasks)) for run in runs]
        check_disk(project.runs, left, at_once=plan.at_once)
    else:
        if plan.work:
            check_disk(project.runs, plan.work, at_once=plan.at_once)
        runs = [_open(decided, now) for decided in plan.decisions]
    return add_warm_starts(runs, plan.context.splits, plan.models, store, options)


def _decide_again(plan: Plan, store: RunStore) -> list[Decision]:
    """Among the runs that others may have begun meanwhile; what had nothing left to train stays so."""
    return [
        decide(decided.experiment, store, plan.options) if decided.fold_ids else decided for decided in plan.decisions
    ]


def _open(decision: Decision, circumstances: Circumstances) -> PlannedRun:
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
    write_atomically(folder / "dataset.json", context.splits.dataset_json + b"\n")
    write_atomically(folder / "folds.csv", context.splits.written(experiment.config).table)
    if len(context.training_data.held_out):
        _write_json(folder / HELD_OUT, context.training_data.held_out.to_json())
    if context.training_data.card:
        _write_json(folder / DATA_CARD, context.training_data.card)
        write_atomically(folder / DATA_CARD_PAGE, render_markdown(context.training_data.card))
    if circumstances.code_diff:
        write_atomically(folder / "code.diff", redact_uris(circumstances.code_diff))
    _write_json(folder / "environment.json", circumstances.of(experiment))
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    again = {"reseed_of": asdict(new.reseed)} if new.reseed else {}
    facts = {**experiment.facts, **again, "before": new.earlier, "run": folder.name, "created": created}
    _write_json(folder / "run.json", facts)
    notices = (*new.notices, *context.splits.notices(experiment.config))
    return plan_run(experiment, folder, new.fold_ids, notices=notices)


def _resumed(resume: Resume, circumstances: Circumstances) -> PlannedRun:
    """The run's folder gets one more environment."""
    experiment, run, left = resume.experiment, resume.run, resume.fold_ids
    if not left:
        done = Notice(code="done", text=f"{experiment.name}: nothing to do, run {run.run} has {run.share}")
        return plan_run(experiment, run.folder, (), begun=run, notices=[done])
    _refuse_other_manifest(run)
    check_not_locked(run, left, shared=experiment.context.shared)
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
