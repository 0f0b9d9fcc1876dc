"""Compute interval, p-value and probabilities from an estimate, its standard error and degrees of freedom."""

import math
from dataclasses import dataclass

import scipy

LEVEL = 0.95
POWER = 0.80


@dataclass(frozen=True)
class Student:
    """A Student t distribution of a difference: where it may truly lie, seen from the data.

    Without spread (`scale` 0) all of it lies at the location; without degrees of freedom nothing is known.
    """

    location: float
    scale: float
    df: float

    @property
    def known(self) -> bool:
        """Whether there is anything to go by."""
        return self.df > 0 and math.isfinite(self.location) and math.isfinite(self.scale)

    @property
    def half_width(self) -> float:
        """Of the 95 % interval; infinite where nothing is known."""
        return float(scipy.special.stdtrit(self.df, (1 + LEVEL) / 2)) * self.scale if self.known else math.inf

    @property
    def p(self) -> float:
        """Two-sided, of a true difference of zero. Without spread 1 for no difference and 0 for any."""
        if not self.known:
            return 1.0
        if self.scale == 0:
            return float(self.location == 0)
        return float(2 * scipy.special.stdtr(self.df, -abs(self.location) / self.scale))

    def above(self, bound: float) -> float:
        """The probability of more than `bound`."""
        if not self.known:
            return math.nan
        if self.scale == 0:
            return float(self.location > bound)
        return float(scipy.special.stdtr(self.df, (self.location - bound) / self.scale))

    def below(self, bound: float) -> float:
        """The probability of less than `bound`."""
        return Student(-self.location, self.scale, self.df).above(-bound)

    @property
    def detectable(self) -> float:
        """The true difference that a two-sided 5 % test with this spread finds in 80 of 100 repetitions."""
        if not self.known:
            return math.nan
        return (
            float(scipy.special.stdtrit(self.df, (1 + LEVEL) / 2) + scipy.special.stdtrit(self.df, POWER)) * self.scale
        )
