"""Print findings, labels and counts of images to a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from foldproof.check import Checked
from foldproof.data.checks.duplicates import NearPair
from foldproof.data.checks.findings import CODES, Finding, Severity, group_by_code
from foldproof.data.dataset import Dataset
from foldproof.data.exclusions import Exclusion
from foldproof.data.labels.spelled import other_spellings
from foldproof.storage import cleaned

SHOWN = 3
WIDEST_NAME = 60  # characters of a class in a column
_WIDEST = 10_000  # characters of a line, which holds two paths


def print_check(checked: Checked, console: Console, *, show_all: bool) -> None:
    """Counts, then errors and warnings by kind, then what looks alike, then what it amounts to."""
    for line in _head(checked):
        console.print(cleaned(line, most=_WIDEST), soft_wrap=True)
    shown = None if show_all else SHOWN
    for code, findings in group_by_code(checked.findings).items():
        for text in _kind(code, findings, shown):
            console.print(text, soft_wrap=True)
    for part in (_alike(checked, shown), _leak(checked), _verdict(checked)):
        for line in part:
            console.print(cleaned(line, most=_WIDEST), soft_wrap=True)


def _head(checked: Checked) -> Iterator[str]:
    seen = checked.seen
    dataset = seen.dataset
    yield f"{seen.path}: {len(dataset):,} images in {len(dataset.classes)} classes, {_version(checked)}"
    counts = dataset.count_by_class
    names = {name: cleaned(name, most=WIDEST_NAME) for name in dataset.classes[:20]}
    width = max(map(len, names.values()), default=0)
    for name, shown in names.items():
        yield f"  {shown.ljust(width)}  {counts[name]:>8,}{_as_read(checked, name)}"
    if len(dataset.classes) > 20:
        yield f"  and {len(dataset.classes) - 20} more classes"
    yield from (f"  {told}" for told in (*seen.found.described.told, *checked.times))
    if seen.found.excluded:
        yield f"  {len(seen.found.excluded):,} left out by excluded.csv"
    if seen.within is not None:
        yield f"  values {seen.within} are black to white, in {2**seen.within.bits:,} levels"
    yield f"  fingerprint {dataset.fingerprint[:16]}…"
    yield ""


def _as_read(checked: Checked, name: str) -> str:
    """Which spellings were taken for this class, where these are not its name, and where it was read."""
    described = checked.seen.found.described
    written, place = described.written.get(name, {}), described.places.get(name)
    others = other_spellings(written, name)
    told = [f"{'also' if name in written else 'read from'} {others}"] if others else []
    return "".join(f"  {part}" for part in (*told, *([f"from {place}"] if place else [])))


def _version(checked: Checked) -> str:
    version = checked.seen.version
    if version.dvc_hash is None:
        return "not versioned: `foldproof data add` does it"
    said = {
        "clean": "exactly those versioned as",
        "extra": "all those versioned and more:",
        "dirty": "NOT those versioned as",
        "unversioned": "not checked, as DVC has lost the list of",
    }[version.state]
    return f"{said} {version.dvc_hash[:12]}…"


def finding_head(code: str, count: int) -> Text:
    """What is wrong with how many."""
    about = CODES[code]
    colour = "red" if about.severity is Severity.ERROR else "yellow"
    severity, name = Text(f"{about.severity} ", style=f"bold {colour}"), Text(code, style="bold")
    return Text.assemble(severity, name, f"  {count:,}  {about.means}")


def _kind(code: str, findings: Sequence[Finding], shown: int | None) -> Iterator[Text]:
    yield finding_head(code, len(findings))
    for finding in findings[:shown]:
        told = f": {finding.text}" if finding.text else ""
        yield Text(cleaned(f"    {finding.subject}{told}", most=_WIDEST))
    if shown is not None and len(findings) > shown:
        yield Text(f"    and {len(findings) - shown:,} more (--all)", style="dim")
    yield Text(f"    -> {CODES[code].next_step}", style="dim")  # one line: a command that is broken cannot be copied


def _alike(checked: Checked, shown: int | None) -> Iterator[str]:
    lines = [*_pairs(checked, shown), *_naive(checked), *_too_small(checked)]
    yield from lines
    if lines or checked.findings:
        yield ""


def _pairs(checked: Checked, shown: int | None) -> Iterator[str]:
    duplicates, dataset = checked.seen.duplicates, checked.seen.dataset
    pairs = sorted(duplicates.pairs, key=lambda pair: (not pair.exact, -pair.likeness, pair.first, pair.second))
    if pairs:
        exact = sum(pair.exact for pair in pairs)
        clusters = [cluster for cluster in duplicates.clusters if cluster.applied]
        images = sum(len(cluster.members) for cluster in clusters)
        yield (
            f"{images:,} images are in {len(clusters):,} clusters of the same picture or nearly the same, each kept in"
            f" one fold: {exact:,} exact pairs, {len(pairs) - exact:,} near"
        )
        for pair in pairs[: shown and 2 * shown]:
            yield f"    {_pair(pair, dataset)}"
        if shown is not None and len(pairs) > 2 * shown:
            yield f"    and {len(pairs) - 2 * shown:,} more (--all)"


def _naive(checked: Checked) -> Iterator[str]:
    for k, leak in checked.naive_leaks.items():
        if leak >= 0.5:
            yield f"a random split into {k} folds would validate about {leak:,.0f} images beside a copy or group mate"


def print_left_out(left_out: Sequence[Exclusion], console: Console) -> None:
    """What `--exclude` wrote."""
    if left_out:
        images = f"{len(left_out):,} image{'s' if len(left_out) > 1 else ''}"
        console.print(
            f"excluded.csv lists {images} more, left out from now on; nothing was moved or deleted", soft_wrap=True
        )
        console.print(
            'next:  git commit -m "left out bad images"    after a look at excluded.csv', markup=False, soft_wrap=True
        )
    else:
        console.print("nothing to leave out")


def _pair(pair: NearPair, dataset: Dataset) -> str:
    first, second = dataset.samples[pair.first].path, dataset.samples[pair.second].path
    if pair.exact:
        return f"{first} = {second}"
    return f"{first} ~ {second}  ({pair.distance} of 64 bits differ, likeness {pair.likeness:.3f})"


def _too_small(checked: Checked) -> Iterator[str]:
    left = len(checked.seen.dataset) - checked.seen.duplicates.compared
    if left:
        yield f"{left:,} images are under 64 pixels or too plain: only exact copies are looked for among them"


def _verdict(checked: Checked) -> Iterator[str]:
    yield f"{counted(checked)}: {'`foldproof run` will not start' if checked.has_errors else 'ready to train on'}"


def counted(checked: Checked) -> str:
    """`2 errors, 1 warning`."""
    errors = sum(finding.is_error for finding in checked.findings)
    warnings = len(checked.findings) - errors
    return f"{errors:,} error{'s' if errors != 1 else ''}, {warnings:,} warning{'s' if warnings != 1 else ''}"


def _leak(checked: Checked) -> Iterator[str]:
    leak = checked.leak
    if leak is None:
        return
    yield f"{'accuracy':<20}{'naive split':>12}{'leak-proof':>12}{'difference':>12}  95 % interval"
    for gap in leak.gaps:
        for name, score in (("accuracy", gap.accuracy), ("balanced", gap.balanced_accuracy)):
            title = gap.classifier if name == "accuracy" else f"  {name}"
            bounds = f"{score.gap.low:+.4f} to {score.gap.high:+.4f}"
            yield f"{title:<20}{score.naive:>12.4f}{score.leak_proof:>12.4f}{score.gap.value:>+12.4f}  {bounds}"
    yield f"{leak.with_mate:,} of {leak.images:,} images have a mate; {leak.repeats} repeats of {leak.k} folds"
    yield leak.verdict
    yield ""
