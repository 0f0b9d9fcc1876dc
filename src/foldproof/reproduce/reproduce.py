"""Train a recorded run again and say whether it came out the same. Start reading here.

Code of the recorded commit in a clean folder, images by their content, folds and settings from the record; trained by
the same executors; then two journals are compared, and what differs between the two runs is weighed as the cause.
"""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from foldproof.analysis.difference import Difference, RunSide, differ
from foldproof.analysis.divergence import FoldTrace
from foldproof.data.survey import Progress, no_progress
from foldproof.errors import FoldsError, SettingsError
from foldproof.events.fold_id import FoldId
from foldproof.executors.stopping import Stopping
from foldproof.plan.tasks import select
from foldproof.project import Project
from foldproof.records.record import RunRecord
from foldproof.reproduce.agreement import disagreements
from foldproof.reproduce.errors import CannotCheck
from foldproof.reproduce.rebuild import retrain_with_own_foldproof
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.recorded import Recorded, losses
from foldproof.reproduce.request import Request
from foldproof.reproduce.retrain import Share, retrain
from foldproof.reproduce.staging import Staged, execution_like, stage_as_it_is, stage_as_recorded
from foldproof.reproduce.states import Stored, said_by_states, state_before
from foldproof.reproduce.trust import refuse_untrusted
from foldproof.reproduce.verdict import (
    Extent,
    FoldCheck,
    ReproductionVerdict,
    cannot,
    check_fold,
    excuse_other_foldproof,
    judge,
)
from foldproof.reproduce.worktree import open_worktree


def reproduce(
    subject: RecordSource,
    project: Project | None,
    request: Request,
    *,
    stopping: Stopping,
    quiet: bool,
    progress: Progress = no_progress,
) -> ReproductionVerdict | None:
    """The verdict; None where it was interrupted. Raises FoldproofError for what the user can fix first."""
    _refuse_contradiction(request)
    recorded = Recorded.read(subject.folder)
    refuse_untrusted(recorded, subject, request)
    try:
        fold_ids = _fold_ids(recorded, request)
        with open_worktree(project) as place:
            if request.env == "rebuild":
                folder = retrain_with_own_foldproof(subject, recorded, project, request, place, stopping, quiet=quiet)
                return None if folder is None else _judged(recorded, folder, fold_ids, request)
            if request.as_is:
                staged = stage_as_it_is(recorded, project, place, progress)
            else:
                staged = stage_as_recorded(recorded, subject, project, place)
                _refuse_other_packages(recorded, request, staged)
            folder = retrain(
                staged,
                Share(fold_ids=fold_ids, last_epoch=request.epochs, states=_states(recorded, fold_ids, request)),
                execution=execution_like(recorded, project),
                stopping=stopping,
                quiet=quiet,
                progress=progress,
            )
            if stopping.asked:
                return None
            if request.keep is not None:
                shutil.copytree(folder, request.keep)
            return _judged(recorded, folder, fold_ids, request)
    except CannotCheck as reason:
        return cannot(reason.why, needed=reason.needed)


def _refuse_contradiction(request: Request) -> None:
    if request.as_is and request.env == "rebuild":
        raise SettingsError(
            "--as-is trains with what is here now, --env rebuild with what was recorded",
            next_step="leave out one of the two",
        )


def _fold_ids(recorded: Recorded, request: Request) -> tuple[FoldId, ...]:
    """The folds to train again. Raises FoldsError for one that is not there, CannotCheck for one without a result."""
    wanted = select(recorded.config, request.folds)
    epochs = recorded.config.train.epochs
    for name, value in (("--epochs", request.epochs), ("--from-epoch", request.from_epoch)):
        if value is not None and not 1 <= value <= epochs:
            raise FoldsError(f"{name} {value}: the run has {epochs} epochs", next_step=f"give 1 to {epochs}")
    have = [fold_id for fold_id in wanted if len(recorded.record.epochs.get(fold_id, ())) >= (request.epochs or epochs)]
    if request.epochs is None:
        have = [fold_id for fold_id in have if fold_id in recorded.record.finished]
    if not have:
        raise CannotCheck(
            "no fold of the run got so far: there is nothing to compare with",
            needed="a run whose folds finished; `foldproof run --resume` completes one that was cut off",
        )
    return tuple(have)


def _states(recorded: Recorded, fold_ids: Sequence[FoldId], request: Request) -> dict[FoldId, Stored]:
    """The stored states to go on from. Raises CannotCheck where there is none."""
    if request.from_epoch == 1:
        return {}
    found = {}
    for fold_id in fold_ids:
        state = state_before(recorded.folder, fold_id, request.from_epoch)
        if state is None:
            raise CannotCheck(
                f"{fold_id} has no stored state from which epoch {request.from_epoch} can be trained",
                needed=f"--from-epoch {recorded.config.train.epochs}, or none: states are kept for the last epoch",
            )
        found[fold_id] = state
    return found


def _refuse_other_packages(recorded: Recorded, request: Request, staged: Staged) -> None:
    if request.env != "auto":
        return
    if changed := disagreements(recorded, staged.project.root):
        shown = "; ".join(changed[:5]) + (f"; and {len(changed) - 5} more" if len(changed) > 5 else "")
        raise CannotCheck(
            f"packages that decide the bits differ: {shown}",
            needed="`--env rebuild`, which installs what the run had, or `--env here`, which trains with these",
        )


def _judged(recorded: Recorded, folder: Path, fold_ids: Sequence[FoldId], request: Request) -> ReproductionVerdict:
    """Both records compared. Raises CannotCheck where a fold could not be trained here."""
    record = RunRecord.read(folder)
    for fold_id, failure in record.failed.items():
        raise CannotCheck(
            f"{fold_id} could not be trained here: {failure.error}: {failure.reason}",
            needed="what that asks for; the record itself says nothing against it",
        )
    checks = [
        check_fold(
            recorded.trace(fold_id), FoldTrace.of(record, fold_id, losses(folder, fold_id)), epochs=request.epochs
        )
        for fold_id in fold_ids
    ]
    difference = _of_what_took_part(recorded, differ(RunSide.read(recorded.folder), RunSide.read(folder)))
    verdict = judge(
        checks,
        difference,
        extent=Extent(
            folds=len(fold_ids),
            of_folds=recorded.record.expected_folds,
            epochs=request.epochs or recorded.config.train.epochs,
            of_epochs=recorded.config.train.epochs,
            first_epoch=request.from_epoch,
        ),
        tolerance=request.tolerance,
        mixed=_is_mixed(recorded),
        stored=_stored(recorded, folder, checks),
    )
    by_recorded_code = request.env == "auto" and not request.as_is
    return excuse_other_foldproof(verdict, difference) if by_recorded_code else verdict


def _of_what_took_part(recorded: Recorded, difference: Difference) -> Difference:
    """Where the run needs no code of the user's, none was there: that commits differ is no cause then."""
    if recorded.own_code:
        return difference
    return replace(difference, code=replace(difference.code, commit=None, hunks=()))


def _stored(recorded: Recorded, folder: Path, checks: Sequence[FoldCheck]) -> tuple[str, ...]:
    first = next((check for check in checks if check.divergence is not None), None)
    return () if first is None else said_by_states(recorded.folder, folder, first.fold_id)


def _is_mixed(recorded: Recorded) -> bool:
    classes = [environment.get("numeric_class") for environment in recorded.environments]
    return any(other != classes[0] for other in classes[1:])
