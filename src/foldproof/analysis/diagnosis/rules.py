"""List all rules in a table, apply them to a run, and choose between two that contradict. Pure."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from foldproof.analysis.comparison import Disagreement
from foldproof.analysis.diagnosis import answers, evidence, fit, optimisation, words
from foldproof.analysis.diagnosis.evidence import Diagnosis, Seen, gather
from foldproof.analysis.out_of_fold import OutOfFold
from foldproof.records.record import RunRecord


@dataclass(frozen=True)
class Rule:
    """How a diagnosis is reached. `said_when` and `next_step` are for the documents.

    `silences`: what is not said beside it, as it says the same with more support, or rests on what this one denies.
    """

    look: Callable[[Seen], Iterator[Diagnosis]]
    said_when: str
    next_step: str
    silences: tuple[str, ...] = ()
    of_curves: bool = True


_LITTLE_WAS_LEARNED = ("underfitting", "best-epoch-last", "never-predicted", "confused", "under-confident")

RULES: Mapping[str, Rule] = {
    "diverged": Rule(
        optimisation.diverged,
        f"a fold's loss is not a number, or its last training loss is over {evidence.MANY_TIMES:g} times that of "
        f"guessing, ln(classes), and over {evidence.GROWN:g} times its lowest; it is left out of all other rules",
        "a tenth of train.lr",
        of_curves=False,
    ),
    "rate-too-high": Rule(
        optimisation.rate_too_high,
        f"the mean training loss of an epoch is over {optimisation.THROWN:g} times that of guessing; or it rises by "
        f"{words.percent(optimisation.JUMP - 1)} in a third of the epochs and ends near that of guessing",
        "a tenth of train.lr",
        ("nothing-learned", "rate-too-low", "unstable", "best-epoch-first", "over-confident", *_LITTLE_WAS_LEARNED),
    ),
    "rate-too-low": Rule(
        optimisation.rate_too_low,
        f"from 3 epochs on: the training loss falls in each, by at most {words.percent(optimisation.LITTLE)} in all, "
        f"and by at least {words.percent(optimisation.STEADY)} as much in the last as in the first; validation "
        f"accuracy is at most {words.points(optimisation.ALIKE)} below training",
        "ten times train.lr",
        ("nothing-learned", *_LITTLE_WAS_LEARNED),
    ),
    "nothing-learned": Rule(
        optimisation.nothing_learned,
        f"the last training loss is at least {words.percent(optimisation.AT_CHANCE)} of that of knowing only how large "
        f"the classes are, the accuracy at most {words.points(optimisation.ABOVE_CHANCE)} above the largest class",
        "look at the images; train.lr ten times higher and lower",
        ("overfitting", "best-epoch-first", *_LITTLE_WAS_LEARNED),
    ),
    "underfitting": Rule(
        fit.underfitting,
        f"the training accuracy ends below {words.percent(fit.LOW)}, validation at most {words.points(fit.ALIKE)} "
        f"below it; too short where the training loss still fell by {words.percent(fit.STILL)} in the last epoch",
        "twice train.epochs, or a model that fits more",
        ("best-epoch-last", "under-confident"),
    ),
    "overfitting": Rule(
        fit.overfitting,
        f"the validation loss (mean over folds, last two epochs) is {words.percent(fit.RISEN)} above its minimum, two "
        "epochs or more before, by more than the folds differ, and the training loss fell; or the accuracies are "
        f"{words.points(fit.GAP)} apart in the last two epochs",
        "fewer train.epochs, train.augment, train.weight_decay, more images",
        ("best-epoch-first",),
    ),
    "unstable": Rule(
        optimisation.unstable,
        f"in a third of the folds the validation loss rises by {words.percent(optimisation.SWING - 1)} in one epoch, "
        f"and the accuracy falls by {words.points(optimisation.SWING_ACCURACY)} and {optimisation.SWING_IMAGES} "
        "images, while the training loss does not; then it comes back or the training ends",
        "train.schedule: cosine, or a tenth of train.lr",
    ),
    "best-epoch-last": Rule(
        fit.best_epoch_last,
        "the validation loss is lowest in the last epoch in most folds, the mean still fell by "
        f"{words.percent(fit.GAIN)} in it, and accuracy is below {words.percent(fit.ALREADY)}",
        "twice train.epochs",
        ("under-confident",),
    ),
    "best-epoch-first": Rule(
        fit.best_epoch_first,
        "of 3 epochs or more, the validation loss is lowest in the first in most folds",
        "a tenth of train.lr",
    ),
    "fold-disagrees": Rule(
        answers.fold_disagrees,
        "a fold lies 2 points or more from the others, beyond the chance of images and training",
        "`foldproof run NAME --fold F --reseed`",
        of_curves=False,
    ),
    "never-predicted": Rule(
        answers.never_predicted,
        "a class has images, and none was taken for it",
        "train.class_weights: balanced where it is small, else look at the images",
        of_curves=False,
    ),
    "confused": Rule(
        answers.confused,
        f"of 3 classes or more, two exchange {words.percent(answers.EXCHANGED)} of their images, at least "
        f"{answers.LEAST_IMAGES} and {answers.TIMES_USUAL} times what pairs usually do",
        "look at these images",
        of_curves=False,
    ),
    "over-confident": Rule(
        answers.misjudged,
        f"mean confidence is {words.points(answers.MISJUDGED)} above accuracy, and more than chance makes it",
        "fewer train.epochs, train.weight_decay",
        of_curves=False,
    ),
    "under-confident": Rule(
        answers.misjudged,
        f"mean confidence is {words.points(answers.MISJUDGED)} below accuracy, and more than chance makes it",
        "longer training",
        of_curves=False,
    ),
}


def diagnose(
    record: RunRecord, table: OutOfFold | None, *, disagreement: Disagreement | None = None
) -> tuple[Diagnosis, ...]:
    """What a run looks like it suffers from, in the order of the rules; nothing where no rule applies.

    `table`: its out-of-fold predictions, where there are any. `disagreement`: what the comparison says of its folds.
    """
    seen = gather(record, table, disagreement)
    looks = dict.fromkeys((rule.look, rule.of_curves) for rule in RULES.values())
    found = {one.code: one for look, of_curves in looks if seen.curves or not of_curves for one in look(seen)}
    said: dict[str, Diagnosis] = {}
    silenced: set[str] = set()
    for code, rule in RULES.items():
        if code in found and code not in silenced:
            said[code] = found[code]
            silenced.update(rule.silences)
    return tuple(map(_with_known_numbers, said.values()))


def _with_known_numbers(said: Diagnosis) -> Diagnosis:
    known = {name: value for name, value in said.evidence.items() if isinstance(value, str) or math.isfinite(value)}
    return replace(said, evidence=known)
