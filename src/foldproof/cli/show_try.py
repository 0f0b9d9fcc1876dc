"""Print the first look at a folder of images to a terminal."""

import math
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from foldproof.cli.show_data import finding_head
from foldproof.data.checks.findings import group_by_code
from foldproof.data.dataset import are_uneven
from foldproof.first_look.first_look import FirstLook
from foldproof.first_look.next_steps import next_steps
from foldproof.storage import cleaned

SHOWN_CLASSES = 8
SHOWN_LABEL_ERRORS = 3


def print_look(seen: FirstLook, console: Console) -> None:
    """What there is, what can be expected of it, what is mixed up, what looks wrong, how to go on."""
    parts = (_images(seen), _accuracy(seen), _confusions(seen), _findings(seen), _labels(seen), _effort(seen))
    for part in parts:
        for line in part:
            console.print(Text(line) if isinstance(line, str) else line, soft_wrap=True)
    start, *others = next_steps(seen.asked)
    console.print(Text("\n".join([f"next:  {start}", *(f"       {line}" for line in others)])), soft_wrap=True)


def _images(seen: FirstLook) -> Iterator[str | Text]:
    counts = list(seen.images_by_class.items())
    named = ", ".join(f"{_name(name)} {count:,}" for name, count in counts[:SHOWN_CLASSES])
    more = f" and {len(counts) - SHOWN_CLASSES} more" if len(counts) > SHOWN_CLASSES else ""
    where = cleaned(str(seen.folder), most=200) if str(seen.folder) != "." else "this folder"
    yield f"{where}: {seen.images:,} images in {len(counts)} classes: {named}{more}"
    for said in seen.labelled_by:
        yield Text(f"  {cleaned(said, most=400)}", style="dim")
    if seen.passed_over:
        yield Text(
            f"  {seen.passed_over:,} more were not looked at: these were taken evenly per class (--most)", style="dim"
        )
    yield from (Text(f"  {cleaned(told, most=300)}", style="dim") for told in seen.told)
    yield ""


def _accuracy(seen: FirstLook) -> Iterator[str | Text]:
    label, share = seen.majority
    interval = seen.accuracy
    yield Text(f"accuracy {_percent(interval.value)}", style="bold") + Text(
        f", 95 % interval {_bounds(interval.low, interval.high)}; always saying {_name(label)} gives {_percent(share)}",
        style="not bold",
    )
    if are_uneven(seen.images_by_class.values()):
        yield f"  {_percent(seen.balanced_accuracy)} when each class counts the same"
    yield Text(f"  a linear model on the features of a network trained on other pictures, {seen.k} folds", style="dim")
    if seen.k < seen.asked_k:
        yield Text(
            f"  {seen.k} folds and not {seen.asked_k}: a class has too few separate images for more", style="dim"
        )
    yield ""


def _confusions(seen: FirstLook) -> Iterator[str | Text]:
    classes = seen.confusion.classes
    if seen.worst:
        yield "most mixed up"
    for mixed in seen.worst:
        yield (
            f"  {mixed.count:>4,} of {seen.images_by_class[classes[mixed.true]]:,} {_name(classes[mixed.true])} "
            f"taken for {_name(classes[mixed.predicted])}"
        )
    if seen.worst:
        yield ""


def _findings(seen: FirstLook) -> Iterator[str | Text]:
    found = group_by_code(seen.findings)
    for code, findings in found.items():
        yield finding_head(code, len(findings))
        first = findings[0]
        yield Text(
            f"    {cleaned(first.subject, most=200)}{': ' + cleaned(first.text, most=200) if first.text else ''}"
        )
    if seen.naive_leak >= 1:
        yield (
            f"a random split into {seen.k} folds would validate about {seen.naive_leak:,.0f} images beside a copy of "
            "theirs; here copies share a fold"
        )
    if found or seen.naive_leak >= 1:
        yield ""


def _labels(seen: FirstLook) -> Iterator[str | Text]:
    errors = seen.label_errors
    if not errors:
        return
    yield f"labels to look at  {len(errors):,}  the model is sure of another class"
    for error in errors[:SHOWN_LABEL_ERRORS]:
        sure = _percent(error.suggested_probability)
        yield f"    {cleaned(error.path, most=200)}: perhaps {_name(error.suggested)} ({sure})"
    yield ""


def _effort(seen: FirstLook) -> Sequence[Text]:
    kept = f"; features of {seen.features_kept:,} images were kept from before" if seen.features_kept else ""
    return (Text(f"took {seen.seconds:.0f} s{kept}", style="dim"),)


def _name(label: str) -> str:
    return cleaned(label, most=40)


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _bounds(low: float, high: float) -> str:
    return "unknown" if math.isnan(low) else f"{100 * low:.1f} to {100 * high:.1f}"
