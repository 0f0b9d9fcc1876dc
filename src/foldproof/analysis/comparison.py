"""Hold the result of a comparison of experiments as frozen values. Scores are fractions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from foldproof.analysis.statistics.homogeneity import Homogeneity
from foldproof.analysis.summary import Summary
from foldproof.events.fold_id import FoldId
from foldproof.records.record import Spread

Word: TypeAlias = Literal[
    "not comparable",
    "better",
    "probably better",
    "practically equal",
    "not trustworthy yet",
    "cannot tell",
    "nothing to compare with",
]


@dataclass(frozen=True)
class Estimate:
    """An estimate and its 95 % interval; the bounds are nan where there is nothing to estimate them by."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Disagreement(Homogeneity):
    """Whether one fold of an experiment is unlike the others, beyond the chance of images and training or, where the
    number of images is not known, as an outlier of the scores.

    `adjusted`: `p` by Holm over the experiments shown. `flagged`: beyond chance, and by a gap that matters.
    """

    adjusted: float
    flagged: bool


@dataclass(frozen=True, kw_only=True)
class Line(Summary):
    """One experiment of a comparison: its summary, and by the metric compared. `folds` maps (repeat, fold) to the score
    at the last epoch.

    `score` is the mean over folds; `interval` what the models trained would score on other images like these.
    `pooled` are metrics over all out-of-fold predictions, by name; empty where there is no table of predictions.
    The best-epoch figures enter no verdict.
    """

    images: int | None  # with an out-of-fold prediction
    score: Spread
    interval: Estimate
    folds: Mapping[FoldId, float]
    pooled: Mapping[str, float] = field(default_factory=dict)
    pooled_by_group: Mapping[str, float] = field(default_factory=dict)
    disagreement: Disagreement | None = None
    without_table: str = ""  # why nothing is known image by image


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two experiments, `a` and `b` (positions in `lines`), on what they have in common; `difference` is a minus b.

    `worse`, `equal`, `better`: probabilities that a is worse than b by more than the region of practical equivalence,
    within it, and better by more; `above`, that a is better at all. `p` is two-sided, `adjusted` by Holm over all
    pairs. `detectable`: the difference that 80 of 100 such comparisons would find, infinite where no two scores can lie
    as far apart; `images_needed`: for one as large as the region of practical equivalence. Where lower is better,
    `difference` is still a minus b. `corrected_p` is that of the corrected resampled t-test, shown beside.
    `only_a_right`, `only_b_right`: images that only one got right (McNemar's table; repeats counted one by one).
    """

    a: int
    b: int
    not_comparable: str = ""
    common_images: int | None = None
    only_in_a: int = 0
    only_in_b: int = 0
    places: int = 0
    repeats: int = 1
    difference: Estimate = Estimate(float("nan"), float("nan"), float("nan"))
    differences: Mapping[FoldId, float] = field(default_factory=dict)
    p: float = float("nan")
    adjusted: float = float("nan")
    corrected_p: float = float("nan")
    worse: float = float("nan")
    equal: float = float("nan")
    better: float = float("nan")
    above: float = float("nan")
    only_a_right: int | None = None
    only_b_right: int | None = None
    higher_is_better: bool = True
    detectable: float = float("nan")
    images_needed: int | None = None
    verdict: "Verdict | None" = None


@dataclass(frozen=True)
class Verdict:
    """A verdict in fixed words: `text` is the sentence, `word` what it comes to, `notes` what else applies.

    `winner` is the position in `lines` of the experiment that is named better, None where none is. `finding` is the
    word that the figures alone would give, whether or not the folds can be trusted; empty where there are none.
    """

    word: Word
    text: str
    notes: tuple[str, ...] = ()
    winner: int | None = None
    finding: Word | Literal[""] = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Experiments side by side, in the order asked for. `differing`: the settings in which they differ.

    `can_be_best`: positions of the experiments that no other is shown to be better than; `cheapest` of them by training
    time. `optimism`: by how much the best average is expected to flatter, having been picked as the best.
    `verdict` is about all of them; `pairs` are all pairs, in order.
    """

    metric: str
    rope: float
    lines: tuple[Line, ...]
    differing: tuple[str, ...]
    same_images: bool
    same_folds: bool
    pairs: tuple[Pair, ...]
    verdict: Verdict | None
    can_be_best: tuple[int, ...]
    cheapest: int | None
    optimism: float
    scored_on_this_data: int | None
    next_step: str = ""
    unverified: str = ""  # what could not be checked of somebody else's results

    @property
    def usable(self) -> tuple[Pair, ...]:
        """The pairs that can be compared."""
        return tuple(pair for pair in self.pairs if not pair.not_comparable)
