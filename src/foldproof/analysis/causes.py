"""List the possible causes of a divergence, most probable first, from what differs between two trainings. Pure.

A cause is possible where something that bits depend on differs; its weight falls where the place at which the two part
speaks against it: images cannot change initial weights, a learning rate cannot change the first loss.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Literal, TypeAlias

from foldproof.analysis.difference import Change, Difference
from foldproof.analysis.divergence import Divergence
from foldproof.config.schema import FirstShows, FoldSettings, PixelSettings, TrainSettings
from foldproof.provenance.packages import DECISIVE

Kind: TypeAlias = Literal[
    "config", "data", "folds", "code", "package", "threads", "instruction set", "device", "processor", "nothing known"
]
_MOST_NAMED = 3


@dataclass(frozen=True)
class Cause:
    """Something that can explain other bits: its kind, and what of it differs in words."""

    kind: Kind
    text: str


Stage: TypeAlias = FirstShows | Literal["unknown"]

_IN_USE: Mapping[str, FirstShows] = {"image size in use": "before", "range in use": "first step"}
_ORDER: tuple[FirstShows, ...] = ("before", "first step", "later", "end")
_OF_SETTINGS: Mapping[str, FirstShows] = {
    f"{section}.{item.name}": item.metadata["first_shows"]
    for section, kind in (("data", PixelSettings), ("folds", FoldSettings), ("train", TrainSettings))
    for item in fields(kind)
}


def probable_causes(difference: Difference, divergence: Divergence | None) -> tuple[Cause, ...]:
    """Most probable first; "nothing known" where nothing that bits depend on differs."""
    stage = _stage(divergence)
    found = [*_of_settings(difference, stage), *_of_images(difference, stage)]
    found += [weighed for part in _PARTS for weighed in part(difference)]
    ranked = sorted(found, key=lambda one: -one[0])
    return tuple(cause for _, cause in ranked) or (_nothing(difference),)


def _stage(divergence: Divergence | None) -> Stage:
    if divergence is None:
        return "unknown"
    if divergence.epoch == 0:
        return "before"
    if divergence.kind in ("predictions", "scores", "end"):
        return "end"
    if divergence.kind == "loss" and (divergence.epoch, divergence.step) == (1, 1):
        return "first step"
    return "later"


def _of_settings(difference: Difference, stage: Stage) -> Iterator[tuple[float, Cause]]:
    for change in difference.settings:
        kind: Kind = "threads" if change.name == "train.threads" else "config"
        yield 10 + _fits(change.name, stage), Cause(kind, f"{kind}: {change}" if kind == "config" else str(change))


def _fits(name: str, stage: Stage) -> float:
    """How well a setting goes with where the two part: 1 as expected, 0 possible, -8 hardly."""
    if stage == "unknown":
        return 0
    earliest = first_shows(name)
    if earliest == stage:
        return 1
    return 0 if _ORDER.index(earliest) < _ORDER.index(stage) else -8


def first_shows(name: str) -> FirstShows:
    """The earliest place of a fold at which a setting, named as the settings file names it, can show."""
    if name in _IN_USE:
        return _IN_USE[name]
    return _OF_SETTINGS.get(name, "before")


def _of_images(difference: Difference, stage: Stage) -> Iterator[tuple[float, Cause]]:
    images = difference.images
    parts = (
        ("changed", images.changed),
        ("relabelled", images.relabelled),
        ("added", images.added),
        ("removed", images.removed),
        ("regrouped", images.regrouped),
    )
    said = [f"{_images(len(paths))} {what} ({_some(paths)})" for what, paths in parts if paths]
    if said:
        yield (9.5 if stage != "before" else 9), Cause("data", f"data: {'; '.join(said)}")


def _of_folds(difference: Difference) -> Iterator[tuple[float, Cause]]:
    moved = difference.folds.moved
    if moved and not difference.images.any:
        seed = any(change.name.startswith("folds.") for change in difference.settings)
        weight = 8.5 if seed else 9.5
        yield weight, Cause("folds", f"folds: {_images(moved)} in another fold ({_some(difference.folds.paths)})")


def _of_code(difference: Difference) -> Iterator[tuple[float, Cause]]:
    code = difference.code
    if code.plugins:
        yield 9.2, Cause("code", "code: the modules that the settings name differ")
    if code.model and not code.plugins and not difference.settings and not difference.arithmetic:
        yield 8.6, Cause("code", "code: the model built here starts from different numbers: weights or a library")
    if code.training_code:
        version = f" ({code.foldproof})" if code.foldproof else ""
        yield 8.8, Cause("code", f"code: foldproof's own training code differs{version}")
    if not code.plugins and (code.commit or code.hunks):
        where = str(code.commit) if code.commit else "changes that were not committed"
        yield 1, Cause("code", f"code: {where}; the modules that the settings name are the same")


def _of_arithmetic(difference: Difference) -> Iterator[tuple[float, Cause]]:
    changes = {change.name: change for change in difference.arithmetic}
    shown = changes.get("instruction_set") or changes.get("switches")
    if shown is not None:
        text = "instruction set" if shown.name == "instruction_set" else "instruction set: switches"
        yield 8, Cause("instruction set", f"{text} {shown.then} then, {shown.now} now")
    for name in ("device", "device_name"):
        if name in changes:
            yield 8.5, Cause("device", f"device: {changes[name].then} then, {changes[name].now} now")
            break
    if "threads" in changes and not any(change.name == "train.threads" for change in difference.settings):
        yield 8, Cause("threads", str(changes["threads"]))
    if "torch" in changes:
        yield 8.2, Cause("package", f"package: {changes['torch']}")
    others = changes.keys() - {"instruction_set", "switches", "device", "device_name", "threads", "torch"}
    if others and not changes.keys() - others:
        name = "fingerprint" if "fingerprint" in others else min(others)
        what = "the same functions give different bits here" if name == "fingerprint" else str(changes[name])
        yield 7, Cause("instruction set", f"instruction set: {what}")


def _of_packages(difference: Difference) -> Iterator[tuple[float, Cause]]:
    known = [change for change in difference.packages if change.name in DECISIVE]
    others = [change for change in difference.packages if change.name not in DECISIVE]
    if known:
        yield 7.5, Cause("package", f"package: {_changes(known)}")
    if others:
        yield 2, Cause("package", f"package: {_changes(others)}")


def _of_machine(difference: Difference) -> Iterator[tuple[float, Cause]]:
    processor = next((change for change in difference.machine if change.name == "processor"), None)
    if processor is not None:
        yield 3, Cause("processor", str(processor))


_PARTS: tuple[Callable[[Difference], Iterator[tuple[float, Cause]]], ...] = (
    _of_folds,
    _of_code,
    _of_arithmetic,
    _of_packages,
    _of_machine,
)


def _nothing(difference: Difference) -> Cause:
    known = "nothing that is recorded differs" if not difference.any else "nothing on which bits depend differs"
    return Cause("nothing known", f"nothing known: {known}")


def _changes(changes: list[Change]) -> str:
    more = f"; and {len(changes) - _MOST_NAMED} more" if len(changes) > _MOST_NAMED else ""
    return "; ".join(map(str, changes[:_MOST_NAMED])) + more


def _images(count: int) -> str:
    return f"{count:,} image{'s' if count != 1 else ''}"


def _some(paths: tuple[str, ...]) -> str:
    return ", ".join(paths[:_MOST_NAMED]) + (", …" if len(paths) > _MOST_NAMED else "")
