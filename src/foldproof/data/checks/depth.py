"""Find one range of values for deep images, and report what contradicts it. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from foldproof.data.checks.findings import Finding
from foldproof.data.depths import BYTES, FRACTIONS, WHOLE, Depth, odd_among
from foldproof.data.examine import ExaminedPicture
from foldproof.data.readers import WHITE_BY_FORMAT
from foldproof.data.value_range import ValueRange, spelled

Asked: TypeAlias = tuple[float, float] | Literal["auto"]

ABSURD = 100.0  # times as far from all other values as these are from each other: they would be one shade
HOT = 4.0  # times as wide as what 998 in 1,000 values of every image need: a few pixels made the range
SETTING = "data.range"
NO_VALUE = frozenset({-9999.0, -999.0, -99999.0, -32768.0, -32767.0, -2147483648.0, 1e20, -1e20})  # usual for it


def find_apart(pictures: Mapping[str, ExaminedPicture]) -> Mapping[str, str]:
    """Images that no range fits as it does the others, which are more; each with the reason."""
    return odd_among({path: Depth(_kind(picture), _says_white(picture)) for path, picture in pictures.items()})


def brought_to_bytes(pictures: Mapping[str, ExaminedPicture]) -> tuple[str, ...]:
    """Images of 16 bits among such of 8, whose format says which value is white."""
    paths = sorted(path for path, picture in pictures.items() if picture.values is not None)
    return tuple(paths) if len(paths) < len(pictures) and all(_says_white(pictures[path]) for path in paths) else ()


def range_of(pictures: Mapping[str, ExaminedPicture], asked: Asked) -> ValueRange | None:
    """What all images share: as `asked`, or from the lowest to the highest value of any; None where any has 8 bits.

    Nothing is cut off unless a range is asked for that does so.
    """
    deep = [picture.values for picture in pictures.values() if picture.values is not None]
    if not deep or len(deep) < len(pictures):
        return None
    lowest, highest = min(one.lowest for one in deep), max(one.highest for one in deep)
    low, high = (lowest, highest) if asked == "auto" else asked
    return ValueRange.between(low, high, whole=all(one.whole for one in deep))


def check_range(pictures: Mapping[str, ExaminedPicture], asked: Asked) -> tuple[Finding, ...]:
    """What speaks against the range of images that go together, as those do that `find_apart` does not name."""
    within = range_of(pictures, asked)
    if within is None:
        brought = (Finding("brought-to-8-bits", path) for path in brought_to_bytes(pictures))
        needless = pictures and asked != "auto"
        return (Finding("needless-range", SETTING, "every image has 8 bits a channel"),) if needless else (*brought,)
    if asked != "auto":
        return tuple(_cut_off(pictures, within))
    return tuple(_alone(pictures)) or tuple(_hot(pictures, within))


def described(pictures: Mapping[str, ExaminedPicture], within: ValueRange | None) -> dict[str, Any] | None:
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


def _kind(picture: ExaminedPicture) -> str:
    if picture.values is None:
        return BYTES
    return WHOLE if picture.values.whole else FRACTIONS


def _says_white(picture: ExaminedPicture) -> bool:
    return picture.format in WHITE_BY_FORMAT and picture.values is not None and picture.values.whole


def _alone(pictures: Mapping[str, ExaminedPicture]) -> Iterator[Finding]:
    """An end of the range that stands for itself, as -9999 for "no value" does: all others are far from it."""
    deep = {path: picture.values for path, picture in sorted(pictures.items()) if picture.values is not None}
    lowest, highest = min(one.lowest for one in deep.values()), max(one.highest for one in deep.values())
    several = [one for one in deep.values() if one.lowest < one.highest]  # an image of one value has no others
    low = min((one.second_lowest if one.lowest == lowest else one.lowest for one in several), default=0.0)
    high = max((one.second_highest if one.highest == highest else one.highest for one in several), default=0.0)
    if not lowest <= low < high <= highest:
        return
    ends = (
        (lowest, low - lowest, [path for path, one in deep.items() if one.low == lowest]),
        (highest, highest - high, [path for path, one in deep.items() if one.high == highest]),
    )
    for end, gap, often in ends:
        held = [path for path, one in deep.items() if end in (one.lowest, one.highest)]
        if end != 0 and gap > high - low and (often or end in NO_VALUE or gap > ABSURD * (high - low)):
            others = f"{spelled(low)} to {spelled(high)}"
            kept = f"[{min(end, low):.10g}, {max(end, high):.10g}]"
            text = f"{spelled(end)}, and all other values are {others}: {SETTING} [{low:.10g}, {high:.10g}] or {kept}"
            yield Finding("no-value", (often or held)[0], text)


def _hot(pictures: Mapping[str, ExaminedPicture], within: ValueRange) -> Iterator[Finding]:
    """Where the range is far wider than nearly all values: the image that made it so."""
    deep = {path: picture.values for path, picture in sorted(pictures.items()) if picture.values is not None}
    low, high = min(one.low for one in deep.values()), max(one.high for one in deep.values())
    needed = ValueRange.between(low, high, whole=True)
    if within.high - within.low > HOT * (needed.high - needed.low):
        above = within.high - high >= low - within.low
        worst = max(deep, key=lambda path: deep[path].highest if above else -deep[path].lowest)
        most = f"998 in 1,000 values of every image lie in {spelled(low)} to {spelled(high)}"
        yield Finding("hot-pixels", worst, f"{within} because of a few pixels; {most}")


def _cut_off(pictures: Mapping[str, ExaminedPicture], within: ValueRange) -> Iterator[Finding]:
    for path, picture in sorted(pictures.items()):
        values = picture.values
        if values is None:
            continue
        text = f"values from {spelled(values.lowest)} to {spelled(values.highest)}, data.range {within}"
        if within.share(values.low) == within.share(values.high) and values.low != values.high:
            yield Finding("outside-range", path, text)
        elif values.low < within.low or values.high > within.high:
            yield Finding("cut-off", path, text)
