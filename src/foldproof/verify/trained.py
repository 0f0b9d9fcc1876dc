"""Check levels L1 and L2: compute predictions from the weights again, and train one epoch again."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, nullcontext
from typing import Any

from foldproof import registry
from foldproof.config.identity import canonical_json
from foldproof.data.survey import Progress, no_progress
from foldproof.errors import DamagedFile, FoldproofError
from foldproof.events.fold_id import FoldId
from foldproof.executors import ExecutorContext
from foldproof.executors.memory import keep_freed_memory
from foldproof.executors.stopping import Stopping
from foldproof.plan.inputs import prepare_inputs
from foldproof.plan.make import make_plan
from foldproof.plan.models import measure
from foldproof.plan.options import NEW_RUNS
from foldproof.plan.planned import plan_run
from foldproof.project import Project
from foldproof.provenance.numeric import CODE
from foldproof.records.store import RunStore
from foldproof.records.weights import weights_of
from foldproof.reproduce.errors import CannotCheck
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.recorded import Recorded
from foldproof.reproduce.request import Request
from foldproof.reproduce.retrain import only_from
from foldproof.reproduce.staging import Staged, execution_like, stage_as_recorded
from foldproof.reproduce.trust import refuse_untrusted
from foldproof.reproduce.worktree import open_worktree
from foldproof.storage import write_atomically
from foldproof.training.task import FoldTask
from foldproof.verify.level import TITLES, Check, Level, checked, not_here

NO_RUNS = RunStore((), {})


def check_further(
    recorded: Recorded,
    subject: RecordSource,
    project: Project | None,
    *,
    highest: int,
    trust_code: bool,
    progress: Progress = no_progress,
) -> Iterator[Level]:
    """L1 and, where that holds, L2; a level that cannot be checked here says why."""
    started = time.monotonic()
    request = Request(trust_code=trust_code)
    with ExitStack() as held:
        try:
            refuse_untrusted(recorded, subject, request)
            place = held.enter_context(open_worktree(project))
            staged = stage_as_recorded(recorded, subject, project, place)
            tasks, same_arithmetic = _tasks(recorded, staged, project, progress, held)
        except CannotCheck as reason:
            yield _unreached(1, f"{reason.why}; needed: {reason.needed}", started)
            return
        except FoldproofError as error:
            yield _unreached(1, f"{error.what}; {error.next_step}", started)
            return
        finished = [fold_id for fold_id in recorded.record.finished if fold_id in tasks]
        first = _level(1, list(_predictions(recorded, tasks, finished, same_arithmetic)), started)
        yield first
        if highest > 1 and first.state != "broken":
            started = time.monotonic()
            yield _level(2, [_epoch(recorded, tasks, finished, same_arithmetic)], started)


def _tasks(
    recorded: Recorded, staged: Staged, project: Project | None, progress: Progress, held: ExitStack
) -> tuple[dict[FoldId, FoldTask], bool]:
    """The tasks of the run's folds, as they would be trained here, and whether this place computes as the run's did."""
    only_from(staged.project.root)
    stopping = held.enter_context(closing(Stopping()))
    train = staged.config.train
    context = ExecutorContext(parallel_folds=None, threads=train.threads, stopping=stopping, portable=train.portable)
    here = held.enter_context(registry.load("executors", "inline")(context))
    keep_freed_memory()
    execution = execution_like(recorded, project)
    one_pass = train.freeze_backbone and train.pretrained  # over all images, for all folds: by all cores, then
    with registry.load("executors", "process")(context) if one_pass else nullcontext(here) as executor:
        measured = measure(staged.project, [staged.config], staged.training_data, executor, execution, NEW_RUNS)
        plan = prepare_inputs(make_plan(measured, NO_RUNS, NEW_RUNS), executor, progress=progress)
    (decided,) = plan.decisions
    planned = plan_run(decided.experiment, staged.project.runs / "checked", decided.fold_ids)
    planned.folder.mkdir(parents=True)
    write_atomically(planned.folder / "dataset.json", plan.context.splits.dataset_json)
    tasks = {task.fold_id: task for task in planned.tasks}
    now = json.loads(canonical_json(decided.experiment.model.probe.numeric_class))
    return tasks, _same_arithmetic(recorded, now)


def _predictions(
    recorded: Recorded, tasks: dict[FoldId, FoldTask], finished: Sequence[FoldId], same_arithmetic: bool
) -> Iterator[Check]:
    from foldproof.verify.rescore import rescore

    problems, made, absent, largest = list[str](), 0, 0, 0.0
    for fold_id in finished:
        try:
            weights = weights_of(recorded.folder, fold_id)
        except FileNotFoundError:
            absent += 1
            continue
        except DamagedFile as error:
            problems.append(f"{fold_id}: {error.what}")
            continue
        found = rescore(recorded, tasks[fold_id], weights, same_class=same_arithmetic)
        problems += [f"{fold_id}: {problem}" for problem in found.problems]
        largest = max(largest, found.largest)
        made += 1
    if not made and not problems:
        yield not_here("predictions", "the weights of the folds are not here")
        return
    how = "bit for bit" if largest == 0 else f"within {largest:.1g}, with different arithmetic"
    beside = f"; {absent} folds have no weights here" if absent else ""
    yield checked("predictions", problems, f"weights of {made} folds give the stored predictions, {how}{beside}")


def _epoch(
    recorded: Recorded, tasks: dict[FoldId, FoldTask], finished: Sequence[FoldId], same_arithmetic: bool
) -> Check:
    from foldproof.verify.epoch import train_on

    if not same_arithmetic:
        return not_here("training", "bits are only comparable in the numeric class of the run; this one differs")
    if not finished:
        return not_here("training", "no fold has finished")
    fold_id = finished[0]
    found = train_on(recorded, tasks[fold_id])
    return checked("training", [f"{fold_id}: {problem}" for problem in found.problems], f"{fold_id}, {found.said}")


def _same_arithmetic(recorded: Recorded, now: Mapping[str, Any]) -> bool:
    """Whether the numeric class of every environment of the record is, except for its code, the one here."""
    then = [environment.get("numeric_class") or {} for environment in recorded.environments]
    return not any({name for name in one if one[name] != now.get(name)} - set(CODE) for one in then)


def _level(number: int, checks: list[Check], started: float) -> Level:
    return Level(number=number, title=TITLES[number], checks=tuple(checks), seconds=time.monotonic() - started)


def _unreached(number: int, why: str, started: float) -> Level:
    return _level(number, [not_here("images and code", why)], started)
