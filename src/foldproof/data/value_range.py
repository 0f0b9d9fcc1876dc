"""Define `ValueRange`: the values that are black and white for all images of a set. Pure."""

from typing import NamedTuple


class ValueRange(NamedTuple):
    """The values that a network sees as 0 and as 1, in the units of the files, and the bits that lie between them."""

    low: float
    high: float
    bits: int

    @staticmethod
    def between(low: float, high: float, *, whole: bool) -> "ValueRange":
        """8 bits where they can tell all whole numbers of the range apart, else 16; never a range of nothing."""
        upper = high if high > low else low + max(1.0, abs(low))
        return ValueRange(float(low), float(upper), 8 if whole and upper - low <= 255 else 16)

    def share(self, value: float) -> float:
        """Where a value lies: 0 at `low`, 1 at `high`, not below and not above."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def __str__(self) -> str:
        return f"{spelled(self.low)} to {spelled(self.high)}"


SIXTEEN_BITS = ValueRange(0.0, 65_535.0, 8)  # from black to white in a format that says so, brought to 8 bits


def spelled(value: float) -> str:
    """A value of a pixel for a person."""
    return f"{value:,.0f}" if value == round(value) and abs(value) < 2**53 else f"{value:.6g}"
