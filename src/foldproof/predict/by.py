"""Decide which folds' models of a run label images: what was typed after `--by` in, fold ids out. Pure."""

from typing import Literal, TypeAlias

from foldproof.errors import FoldsError
from foldproof.events.fold_id import FoldId
from foldproof.records.record import RunRecord

FOLDS: Literal["folds"] = "folds"
REFIT: Literal["refit"] = "refit"
By: TypeAlias = Literal["folds", "refit"] | FoldId


def parse_by(text: str) -> By:
    """`folds`, `fold:2`, or `fold:1.2` for fold 2 of repeat 1. Raises FoldsError."""
    if text in (FOLDS, REFIT):
        return FOLDS if text == FOLDS else REFIT
    kind, _, spelled = text.partition(":")
    fold_id = FoldId.of_short(spelled) if kind == "fold" else None
    if fold_id is None:
        raise FoldsError(
            f"--by {text} names no model",
            next_step="folds is the mean of all; fold:2 is that of fold 2, fold:1.2 of fold 2 in repeat 1",
        )
    return fold_id


def chosen_folds(by: By, record: RunRecord) -> tuple[FoldId, ...]:
    """The folds whose models are meant, in order. Raises FoldsError where one of them has no model."""
    finished = tuple(sorted(record.finished))
    if by == REFIT:
        raise FoldsError(
            f"{record.title} has no model trained on all images", next_step="use --by folds: the mean of all folds"
        )
    if by == FOLDS:
        if len(finished) == record.expected_folds:
            return finished
        raise FoldsError(
            f"{record.title} ({record.run}): {len(finished)} of {record.expected_folds} folds have finished",
            next_step=f"`foldproof run {record.experiment} --resume` trains the others{_instead(record)}",
        )
    if by not in record.finished:
        left = len(finished) < record.expected_folds
        raise FoldsError(
            f"{record.title} ({record.run}) has no model of {by}",
            next_step=f"finished folds: {', '.join(map(_short, finished)) or 'none'}"
            + (f"; `foldproof run {record.experiment} --resume` trains the others" if left else ""),
        )
    return (by,)


def _instead(record: RunRecord) -> str:
    return f"; or use one: --by fold:{_short(min(record.finished))}" if record.finished else ""


def _short(fold_id: FoldId) -> str:
    return fold_id.short(repeats=1 + fold_id.repeat)
