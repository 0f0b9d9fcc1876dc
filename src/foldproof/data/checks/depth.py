"""What images are made of in; the range of values that all of them share, and what speaks against it, out. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from foldproof.data.checks.findings import Finding
from foldproof.data.examine import Picture
from foldproof.data.value_range import ValueRange, spelled

Asked: TypeAlias = tuple[float, float] | Literal["auto"]

HOT = 4.0  # times as wide as what 998 in 1,000 values of every image need: a few pixels made the range
SETTING = "data.range"


def range_of(pictures: Mapping[str, Picture], asked: Asked) -> ValueRange | None:
    """What all images share: as `asked`, or from the lowest to the highest value of any of them; None for 8-bit images.

    Nothing is cut off unless a range is asked for that does so.
    """
    deep = [picture.values for picture in pictures.values() if picture.values is not None]
    if not deep:
        return None
    lowest, highest = min(one.lowest for one in deep), max(one.highest for one in deep)
    low, high = (lowest, highest) if asked == "auto" else asked
    return ValueRange.between(low, high, whole=all(one.whole for one in deep))


def of_depth(pictures: Mapping[str, Picture], asked: Asked) -> tuple[Finding, ...]:
    """Images that do not go together, or not with the range."""
    within = range_of(pictures, asked)
    if within is None:
        needless = pictures and asked != "auto"
        return (Finding("needless-range", SETTING, "every image has 8 bits a channel"),) if needless else ()
    if mixed := tuple(_mixed(pictures)):
        return mixed
    return tuple(_hot(pictures, within) if asked == "auto" else _cut_off(pictures, within))


def described(pictures: Mapping[str, Picture], within: ValueRange | None) -> dict[str, Any] | None:
    """The values of all images for the data card, as plain JSON values; None for 8-bit images."""
    deep = [picture.values for picture in pictures.values() if picture.values is not None]
    if within is None or not deep:
        return None
    return {
        "kind": "whole numbers" if all(one.whole for one in deep) else "floating-point numbers",
        "lowest": min(one.lowest for one in deep),
        "highest": max(one.highest for one in deep),
        "range": [within.low, within.high],
        "bits": within.bits,
    }


def _kind(picture: Picture) -> str:
    if picture.values is None:
        return "8 bits a channel"
    return "whole numbers of more than 8 bits" if picture.values.whole else "floating-point numbers"


def _mixed(pictures: Mapping[str, Picture]) -> Iterator[Finding]:
    """The first image of each kind but the commonest."""
    kinds = {path: _kind(picture) for path, picture in sorted(pictures.items())}
    counted = Counter(kinds.values())
    commonest = max(counted, key=lambda kind: (counted[kind], kind))
    for kind in sorted(counted.keys() - {commonest}):
        first = next(path for path, one in kinds.items() if one == kind)
        yield Finding("mixed-depth", first, f"{kind}, as {counted[kind]:,} are; {counted[commonest]:,} are {commonest}")


def _hot(pictures: Mapping[str, Picture], within: ValueRange) -> Iterator[Finding]:
    """Where the range is far wider than nearly all values: the image that made it so."""
    deep = {path: picture.values for path, picture in sorted(pictures.items()) if picture.values is not None}
    low, high = min(one.low for one in deep.values()), max(one.high for one in deep.values())
    needed = ValueRange.between(low, high, whole=True)
    if within.high - within.low > HOT * (needed.high - needed.low):
        above = within.high - high >= low - within.low
        worst = max(deep, key=lambda path: deep[path].highest if above else -deep[path].lowest)
        most = f"998 in 1,000 values of every image lie in {spelled(low)} to {spelled(high)}"
        yield Finding("hot-pixels", worst, f"{within} because of a few pixels; {most}")


def _cut_off(pictures: Mapping[str, Picture], within: ValueRange) -> Iterator[Finding]:
    for path, picture in sorted(pictures.items()):
        values = picture.values
        if values is None:
            continue
        text = f"values from {spelled(values.lowest)} to {spelled(values.highest)}, data.range {within}"
        if within.share(values.low) == within.share(values.high) and values.low != values.high:
            yield Finding("outside-range", path, text)
        elif values.low < within.low or values.high > within.high:
            yield Finding("cut-off", path, text)
