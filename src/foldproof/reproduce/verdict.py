"""Derive one of four verdicts from the compared folds and the differences of two runs. Pure.

Same bits are the same result wherever they came out. Other bits are a divergence only where nothing but an unknown can
have made them, or where something of the experiment itself is known to differ; with different arithmetic they say
nothing, and the accuracies are held against a tolerance instead.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, TypeAlias

from foldproof.analysis.causes import Cause, probable_causes
from foldproof.analysis.difference import Change, Difference
from foldproof.analysis.divergence import Divergence, FoldTrace, parting
from foldproof.events.fold_id import FoldId

Word: TypeAlias = Literal["REPRODUCED", "REPRODUCED WITHIN", "DIVERGED", "CANNOT CHECK HERE"]
SCHEMA_VERSION = 1
_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class FoldCheck:
    """A fold that was trained twice. Accuracies are fractions, of the last epoch that both have; nan without one."""

    repeat: int
    fold: int
    epochs: int
    divergence: Divergence | None
    accuracy_then: float
    accuracy_now: float
    weights_sha256: str

    @property
    def difference(self) -> float:
        return abs(self.accuracy_now - self.accuracy_then)

    @property
    def fold_id(self) -> FoldId:
        return FoldId(self.repeat, self.fold)


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How much of a run was trained again: folds of all folds, epochs of all epochs, from which epoch on."""

    folds: int
    of_folds: int
    epochs: int
    of_epochs: int
    first_epoch: int = 1

    @property
    def text(self) -> str:
        """`5 folds, 2 epochs`; of a part `1 of 5 folds, epochs 1 to 2 of 5`."""
        whole = self.epochs == self.of_epochs and self.first_epoch == 1
        folds = _count(self.folds, "fold") if self.folds == self.of_folds else f"{self.folds} of {self.of_folds} folds"
        part = f"epoch{'s' if self.epochs > self.first_epoch else ''} " + (
            f"{self.first_epoch} to {self.epochs}" if self.epochs > self.first_epoch else f"{self.epochs}"
        )
        return f"{folds}, " + (_count(self.epochs, "epoch") if whole else f"{part} of {self.of_epochs}")


@dataclass(frozen=True, kw_only=True)
class ReproductionVerdict:
    """The answer: its fixed word, what follows it in the same line, and further lines."""

    word: Word
    text: str
    lines: tuple[str, ...] = ()
    divergence: Divergence | None = None
    causes: tuple[Cause, ...] = ()
    checks: tuple[FoldCheck, ...] = ()

    @property
    def is_yes(self) -> bool:
        return self.word in ("REPRODUCED", "REPRODUCED WITHIN")

    @property
    def headline(self) -> str:
        """The verdict in one line."""
        between = ": " if self.word in ("REPRODUCED", "CANNOT CHECK HERE") else " "
        return f"{self.word}{between}{self.text}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values; accuracies that are not known are null."""
        return {
            "v": SCHEMA_VERSION,
            "verdict": self.word,
            "text": self.headline,
            "lines": list(self.lines),
            "divergence": None if self.divergence is None else asdict(self.divergence),
            "causes": [asdict(cause) for cause in self.causes],
            "folds": [_fold_json(check) for check in self.checks],
        }


def check_fold(then: FoldTrace, now: FoldTrace, *, epochs: int | None) -> FoldCheck:
    """One fold compared; `epochs`: only the first so many were trained again."""
    together = min(len(then.epochs), len(now.epochs), epochs or len(then.epochs))
    old, new = (trace.epochs[together - 1] if together else None for trace in (then, now))
    return FoldCheck(
        repeat=then.repeat,
        fold=then.fold,
        epochs=together,
        divergence=parting(then, now, epochs=epochs),
        accuracy_then=old.val_accuracy if old else math.nan,
        accuracy_now=new.val_accuracy if new else math.nan,
        weights_sha256=new.weights_sha256 if new else "",
    )


def judge(
    checks: Sequence[FoldCheck],
    difference: Difference,
    *,
    extent: Extent,
    tolerance: float,
    mixed: bool = False,
    stored: Sequence[str] = (),
) -> ReproductionVerdict:
    """The verdict on folds of one run. `tolerance` is a fraction of accuracy.

    `mixed`: the record itself was made under more than one arithmetic. `stored`: what stored states say of where the
    two part, in sentences.
    """
    parted = [check for check in checks if check.divergence is not None]
    if not parted:
        return ReproductionVerdict(word="REPRODUCED", text=_same(checks, extent), checks=tuple(checks))
    first = parted[0].divergence
    assert first is not None
    causes = probable_causes(difference, first)
    found = ReproductionVerdict(
        word="DIVERGED", text=f"at {first.place}", divergence=first, causes=causes, checks=tuple(checks)
    )
    otherwise = _other_arithmetic(difference, mixed=mixed)
    if otherwise and not (_other_experiment(difference) or difference.code.training_code):
        return _within(found, first, otherwise, tolerance=tolerance, extent=extent)
    lines = [f"{_what(first)}: {first.then} then, {first.now} now", *stored]
    lines += [f"most probable cause: {cause.text}" for cause in causes[:1]]
    lines += [f"also possible: {cause.text}" for cause in causes[1:_SHOWN]]
    same = len(checks) - len(parted)
    if same:
        lines.append(f"{_count(same, 'other fold')} of {len(checks)} came out the same, bit for bit")
    return replace(found, lines=tuple(lines))


def cannot(why: str, *, needed: str) -> ReproductionVerdict:
    """No answer, and what would be needed for one."""
    return ReproductionVerdict(word="CANNOT CHECK HERE", text=why, lines=(f"needed: {needed}",))


def _same(checks: Sequence[FoldCheck], extent: Extent) -> str:
    weights = [check.weights_sha256 for check in checks]
    one = weights[0] if len(weights) == 1 else hashlib.sha256("".join(weights).encode()).hexdigest()
    return f"bit for bit ({extent.text}, weights {one[:12]})"


def _within(
    found: ReproductionVerdict, first: Divergence, otherwise: Sequence[str], *, tolerance: float, extent: Extent
) -> ReproductionVerdict:
    checks = found.checks
    then, now = (
        math.fsum(getattr(check, name) for check in checks) / len(checks) for name in ("accuracy_then", "accuracy_now")
    )
    largest = max(checks, key=lambda check: check.difference)
    far = f"the largest difference is {100 * largest.difference:.2f} points, in {largest.fold_id}"
    lines = [
        f"a different numeric class, in which bits differ: {'; '.join(otherwise[:_SHOWN])}",
        f"accuracy {then:.4f} then, {now:.4f} now ({extent.text}); {far}",
        f"first different bits: {first.place}, {_what(first)}",
    ]
    gap = f"{100 * abs(now - then):.2f}"
    if abs(now - then) <= tolerance:
        text = f"{100 * tolerance:g} points: accuracy differs by {gap}"
        return replace(found, word="REPRODUCED WITHIN", text=text, lines=tuple(lines))
    return replace(
        found,
        word="CANNOT CHECK HERE",
        text=f"accuracy differs by {gap} points, but so does the numeric class",
        lines=(*lines, "needed: a machine of the same numeric class, or a run trained with train.portable"),
    )


def excuse_other_foldproof(verdict: ReproductionVerdict, difference: Difference) -> ReproductionVerdict:
    """A divergence that a later foldproof's own training code can explain alone says nothing against the record."""
    code = difference.code
    if verdict.word != "DIVERGED" or _other_experiment(difference) or not code.training_code:
        return verdict
    version = f": {code.foldproof}" if code.foldproof else ""
    return replace(
        verdict,
        word="CANNOT CHECK HERE",
        text=f"bits differ, but so does foldproof's own training code{version}",
        lines=(
            f"first different bits: {verdict.text.removeprefix('at ')}",
            "needed: `--env rebuild`, which trains with the foldproof of the run",
        ),
    )


def _other_experiment(difference: Difference) -> bool:
    """Whether something of the experiment itself is known to differ, foldproof's own code apart."""
    return bool(difference.settings or difference.images.any or difference.folds.moved or difference.code.plugins)


def _other_arithmetic(difference: Difference, *, mixed: bool) -> list[str]:
    said = [_change(change) for change in difference.arithmetic if change.name != "fingerprint"]
    if not said and difference.arithmetic:
        said = ["the same functions give different bits (the numeric fingerprint)"]
    said += [_change(change) for change in difference.machine if change.name == "processor"]
    return ["the run itself was trained under several", *said] if mixed else said


def _change(change: Change) -> str:
    return f"{change.name.replace('_', ' ')} {change.then} then, {change.now} now"


def _what(divergence: Divergence) -> str:
    match divergence.kind:
        case "loss":
            return "loss"
        case "weights":
            return "weights, after equal losses in all steps"
        case "end":
            return "a record of it"
        case "sizes" | "scores" | "settings":
            return "other values"
        case kind:
            return kind


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _fold_json(check: FoldCheck) -> dict[str, Any]:
    return {
        "repeat": check.repeat,
        "fold": check.fold,
        "epochs": check.epochs,
        "same": check.divergence is None,
        "accuracy_then": _known(check.accuracy_then),
        "accuracy_now": _known(check.accuracy_now),
        "weights_sha256": check.weights_sha256,
        "divergence": None if check.divergence is None else asdict(check.divergence),
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
