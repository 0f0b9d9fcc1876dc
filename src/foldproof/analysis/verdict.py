"""Derive the verdict of a comparison, in fixed words of fixed precedence. Pure.

The first word that applies is the verdict; whatever else applies stands below it. A word that names a better experiment
is only given where the intervals carry it.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never, get_args

from foldproof.analysis.comparison import Comparison, Disagreement, Line, Pair, Verdict, Word
from foldproof.metrics import metric_of

NOT_COMPARABLE: Final = "not comparable"
NOT_TRUSTWORTHY: Final = "not trustworthy yet"
BETTER: Final = "better"
PROBABLY_BETTER: Final = "probably better"
PRACTICALLY_EQUAL: Final = "practically equal"
CANNOT_TELL: Final = "cannot tell"
ALONE: Final = "nothing to compare with"
WORDS: tuple[Word, ...] = get_args(Word)

SURE = 0.95  # of a difference beyond, or within, what matters in practice
SURE_OF_SIGN = 0.975
LEVEL = 0.05  # of Holm-adjusted p-values
MOST_TOLD = 3  # of the same kind, each in a sentence of its own


@dataclass(frozen=True)
class MetricUnit:
    """How a metric is spoken of: fractions as points, anything else as it is."""

    factor: float
    name: str

    @staticmethod
    def of(metric: str) -> "MetricUnit":
        known = metric_of(metric)
        return MetricUnit(100.0, "points") if known.is_fraction else MetricUnit(1.0, known.unit)

    @property
    def is_fraction(self) -> bool:
        return self.name == "points"

    def gap(self, value: float) -> str:
        """A difference, as in `2.4 points`."""
        shown = self.number(value)
        return f"{shown} {self.name[:-1] if shown in ('1', '1.0') else self.name}".rstrip()

    def number(self, value: float) -> str:
        """A difference without its unit."""
        return f"{100 * value:.1f}" if self.is_fraction else f"{value:.4f}"

    def score(self, value: float) -> str:
        """A score, as in `93.84 %`."""
        return f"{self.plain(value)} %" if self.is_fraction and not math.isnan(value) else self.plain(value)

    def plain(self, value: float) -> str:
        """A score without its unit."""
        if math.isnan(value):
            return "-"
        return f"{100 * value:.2f}" if self.is_fraction else f"{value:.4f}"


def is_decided(word: Word) -> bool:
    """Whether a word decides between experiments, by a test that has the noise of training in it."""
    match word:
        case "better" | "probably better" | "practically equal":
            return True
        case "not comparable" | "not trustworthy yet" | "cannot tell" | "nothing to compare with":
            return False
    assert_never(word)


def winner_of(pair: Pair) -> tuple[int, Word] | None:
    """The position of the better one of a pair, and the word that says so; None where nothing carries one."""
    if not pair.adjusted < LEVEL:
        return None
    for position, beyond, sign in ((pair.a, pair.better, pair.above), (pair.b, pair.worse, 1 - pair.above)):
        if beyond >= SURE:
            return position, BETTER
        if sign >= SURE_OF_SIGN:
            return position, PROBABLY_BETTER
    return None


def judge_pair(
    pair: Pair,
    lines: Sequence[Line],
    names: Sequence[str],
    *,
    metric: str,
    rope: float,
    remarks: Sequence[str],
) -> Verdict:
    """The verdict on two experiments. `remarks` are said with it: what could not be checked, and the like."""
    unit = MetricUnit.of(metric)
    if pair.not_comparable:
        text = f"{NOT_COMPARABLE}: {pair.not_comparable}"
        return Verdict(NOT_COMPARABLE, text, tuple(remarks))
    found = [_distrust(names[at], lines[at]) for at in (pair.a, pair.b) if _is_flagged(lines[at])]
    finding = _finding(pair, names, unit, rope)
    words = _ordered([Verdict(NOT_TRUSTWORTHY, text) for text in found], finding)
    below = (*(verdict.text for verdict in words[1:]), *_circumstances(pair, names), *remarks)
    return Verdict(words[0].word, words[0].text, below, words[0].winner, finding.word)


def _ordered(distrust: Sequence[Verdict], finding: Verdict | None) -> list[Verdict]:
    """A fold that disagrees is the headline only where the experiments themselves decide nothing."""
    if finding is None:
        return list(distrust)
    return [finding, *distrust] if is_decided(finding.word) else [*distrust, finding]


def _finding(pair: Pair, names: Sequence[str], unit: MetricUnit, rope: float) -> Verdict:
    won = winner_of(pair)
    if won is not None:
        at, word = won
        sign = 1 if at == pair.a else -1
        gap = abs(pair.difference.value)
        low, high = sorted((sign * _gain(pair.difference.low, pair), sign * _gain(pair.difference.high, pair)))
        sure = (pair.better if at == pair.a else pair.worse) if word == BETTER else max(pair.above, 1 - pair.above)
        proof = f"{'beyond ' + unit.gap(rope) if word == BETTER else 'above 0'} with P {_sure(sure)}"
        interval = f"(95 % interval {unit.number(low)} to {unit.number(high)})"
        text = f"{names[at]} is {word}: by {unit.gap(gap)} {interval}, {proof}"
        return Verdict(word, text, winner=at)
    if pair.equal >= SURE:
        return Verdict(PRACTICALLY_EQUAL, f"{PRACTICALLY_EQUAL}: within ±{unit.gap(rope)} with P {_sure(pair.equal)}")
    return Verdict(CANNOT_TELL, f"{CANNOT_TELL}: {_sight(pair, unit, rope)}")


def too_few(pair: Pair) -> str:
    """What is said where any difference that there can be is within chance."""
    return f"these {'folds' if pair.common_images is None else 'images'} cannot tell"


def _gain(value: float, pair: Pair) -> float:
    """A bound of a minus b as a gain of a, whichever direction is better."""
    return value if pair.higher_is_better else -value


def _sight(pair: Pair, unit: MetricUnit, rope: float) -> str:
    if math.isnan(pair.detectable):
        few = "1 fold in common says" if pair.places == 1 else f"{pair.places} folds in common say"
        return f"{few} nothing about chance"
    said = f"this design sees differences of about {unit.gap(pair.detectable)}"
    if math.isinf(pair.detectable):
        said = f"{too_few(pair)} two scores apart, however far apart they lie"
    if pair.images_needed is not None and pair.images_needed > (pair.common_images or 0):
        said += f"; {unit.gap(rope)} needs at least {_round(pair.images_needed):,} images"
    return said


def _circumstances(pair: Pair, names: Sequence[str]) -> list[str]:
    said = []
    if pair.repeats == 1:
        said.append("one partition")
    if pair.only_in_a or pair.only_in_b:
        only = [
            f"{count:,} only in {names[at]}"
            for at, count in ((pair.a, pair.only_in_a), (pair.b, pair.only_in_b))
            if count
        ]
        said.append(f"on the {pair.common_images:,} images in common; {', '.join(only)}")
    return said


def _is_flagged(line: Line) -> bool:
    return line.disagreement is not None and line.disagreement.flagged


def _distrusted(flagged: Sequence[tuple[str, Line]]) -> list[Verdict]:
    """A sentence each of few; of many one for all, which names the folds."""
    if len(flagged) <= MOST_TOLD:
        return [Verdict(NOT_TRUSTWORTHY, _distrust(name, line)) for name, line in flagged]
    fold_ids = [
        f"fold {line.disagreement.fold_id.short(repeats=_repeats(line))} of {name}"
        for name, line in flagged
        if line.disagreement is not None
    ]
    told = f"{', '.join(fold_ids[:MOST_TOLD])} and {len(fold_ids) - MOST_TOLD} more lie apart from the others"
    return [Verdict(NOT_TRUSTWORTHY, f"{NOT_TRUSTWORTHY}: {told}")]


def _distrust(name: str, line: Line) -> str:
    found = line.disagreement
    assert found is not None
    return f"{NOT_TRUSTWORTHY}: {disagreement_in_words(found, name=name, repeats=_repeats(line))}"


def disagreement_in_words(found: Disagreement, *, name: str, repeats: int) -> str:
    """Which fold, how far it lies from the others, and how rarely healthy folds lie as far apart."""
    gap, side = 100 * abs(found.score - found.others), "below" if found.score < found.others else "above"
    when = f" on average over the last {found.epochs} epochs" if found.epochs > 1 else ""
    return (
        f"fold {found.fold_id.short(repeats=repeats)} of {name} lies {gap:.1f} points {side} the others "
        f"({100 * found.score:.1f} % against {100 * found.others:.1f} %{when}; p {_p(found.adjusted)}, {found.test})"
    )


def _repeats(line: Line) -> int:
    return len({repeat for repeat, _ in line.folds})


def judge(comparison: Comparison, *, remarks: Sequence[str] = ()) -> Verdict | None:
    """The verdict on all experiments together; None where there are none."""
    lines, unit, names = comparison.lines, MetricUnit.of(comparison.metric), names_of(comparison.lines)
    if not lines:
        return None
    distrust = _distrusted([(name, line) for name, line in zip(names, lines, strict=True) if _is_flagged(line)])
    finding = _overall(comparison, names, unit) if comparison.usable or len(lines) == 1 else None
    words = [*_incomparable(comparison, names), *_ordered(distrust, finding)]
    below = (*(verdict.text for verdict in words[1:]), *_standing(comparison, names, unit), *remarks)
    return Verdict(words[0].word, words[0].text, below, words[0].winner, finding.word if finding else "")


def _incomparable(comparison: Comparison, names: Sequence[str]) -> list[Verdict]:
    apart = [pair for pair in comparison.pairs if pair.not_comparable]
    if not apart:
        return []
    reasons = " and ".join(dict.fromkeys(pair.not_comparable for pair in apart))
    if len(apart) == len(comparison.pairs):
        return [Verdict(NOT_COMPARABLE, f"{NOT_COMPARABLE}: {reasons}")]
    some = "; ".join(f"{names[pair.a]} and {names[pair.b]}" for pair in apart[:3])
    more = f"; and {len(apart) - 3} pairs more" if len(apart) > 3 else ""
    return [Verdict(NOT_COMPARABLE, f"{NOT_COMPARABLE}: {reasons} ({some}{more})")]


def _overall(comparison: Comparison, names: Sequence[str], unit: MetricUnit) -> Verdict:
    lines = comparison.lines
    if len(lines) == 1:
        only = lines[0]
        low, high = unit.score(only.interval.low), unit.score(only.interval.high)
        interval = f" (95 % interval {low} to {high})" if math.isfinite(only.interval.low) else ""
        return Verdict(ALONE, f"{ALONE}: {names[0]} has {unit.score(only.score.mean)}{interval}")
    if len(lines) == 2:
        return _finding(comparison.pairs[0], names, unit, comparison.rope)
    won = [winner_of(pair) for pair in comparison.pairs]
    times = Counter(one[0] for one in won if one is not None)
    best, victories = max(times.items(), key=lambda item: item[1], default=(0, 0))
    if victories == len(lines) - 1:
        words = {one[1] for one in won if one is not None and one[0] == best}
        word: Word = PROBABLY_BETTER if PROBABLY_BETTER in words else BETTER
        return Verdict(word, f"{names[best]} is {word} than each of the other {len(lines) - 1}", winner=best)
    if all(pair.equal >= SURE and one is None for pair, one in zip(comparison.pairs, won, strict=True)):
        return Verdict(PRACTICALLY_EQUAL, f"{PRACTICALLY_EQUAL}: every pair is within ±{unit.gap(comparison.rope)}")
    left = [names[at] for at in comparison.can_be_best]
    shown = ", ".join(left[:6]) + (f" and {len(left) - 6} more" if len(left) > 6 else "")
    return Verdict(CANNOT_TELL, f"{CANNOT_TELL} which is best: {shown} can all still be")


def _standing(comparison: Comparison, names: Sequence[str], unit: MetricUnit) -> list[str]:
    """What helps to decide: the next step, the cheapest that can be best, and how far the best average flatters."""
    said = [comparison.next_step] if comparison.next_step else []
    if len(comparison.can_be_best) > 1 and comparison.cheapest is not None:
        said.append(f"the cheapest that can still be best: {names[comparison.cheapest]}")
    if math.isfinite(comparison.optimism) and unit.factor * comparison.optimism >= 0.1:
        flattery = f"is expected to flatter by {unit.gap(comparison.optimism)}"
        said.append(f"the best average {flattery}, being the best of {len(names)}")
    scored = comparison.scored_on_this_data
    if scored is not None and scored > len(names):
        said.append(f"{scored} experiments have been scored on these images: the more, the likelier a lucky one")
    if len(names) != 2 and all(_repeats(line) <= 1 for line in comparison.lines):
        said.append("one partition")
    elif len(names) == 2:
        said.extend(_circumstances(comparison.pairs[0], names))
    return said


def names_of(lines: Sequence[Line]) -> tuple[str, ...]:
    """What each line is called: its experiment, with the end of its run id where several are of one experiment."""
    times = Counter(line.experiment for line in lines)
    return tuple(
        line.experiment if times[line.experiment] == 1 else f"{line.experiment} ({line.run[-6:]})" for line in lines
    )


def _sure(probability: float) -> str:
    return "> 0.999" if probability > 0.999 else f"= {probability:.3f}"


def _p(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.2g}"


def _round(count: int) -> int:
    """Two or three digits say enough of an estimate."""
    step = int(10 ** max(len(str(count)) - 3, 0))
    return -(-count // step) * step
