"""List what differs between two runs, from settings and images to arithmetic. Pure but for reading."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from foldproof import folds
from foldproof.config.schema import DataSettings, FoldSettings, TrainSettings
from foldproof.data.dataset import Dataset
from foldproof.folds import Row
from foldproof.provenance.numeric import CODE
from foldproof.records.facts import range_in_use, read_environment, read_facts
from foldproof.storage import decode_text, mapping_in, read_if_there, read_inside, read_json_inside

_NOT_ARITHMETIC = (*CODE, "packages")  # of a numeric class; packages are compared as those of the environment
MACHINE = ("processor", "architecture", "system", "cores_available", "hostname")
ABSENT = "absent"
_SECTIONS: Mapping[str, tuple[str, type]] = {
    "pixels": ("data", DataSettings),
    "folds": ("folds", FoldSettings),
    "train": ("train", TrainSettings),
}
_COMMIT = 12  # characters of a commit that name it
_MOST_BYTES = 4 * 2**30


@dataclass(frozen=True)
class Change:
    """One named value on both sides, as text."""

    name: str
    then: str
    now: str

    def __str__(self) -> str:
        return f"{self.name} {self.then} then, {self.now} now"


@dataclass(frozen=True)
class RunSide:
    """What is known of one of the two runs. `environment` may be empty where a record does not have one."""

    facts: Mapping[str, Any]
    environment: Mapping[str, Any]
    dataset: Dataset
    rows: tuple[Row, ...]
    code_diff: bytes

    @staticmethod
    def read(folder: Path) -> "RunSide":
        """The side in a run's folder. Raises DamagedFile where a file of it is not as a run writes it."""
        table = read_inside(folder, "folds.csv", most_bytes=_MOST_BYTES)
        return RunSide(
            facts=read_facts(folder),
            environment=read_environment(folder),
            dataset=Dataset.from_json(read_json_inside(folder, "dataset.json", most_bytes=_MOST_BYTES)),
            rows=tuple(folds.from_csv(decode_text(table, name=str(folder / "folds.csv")))),
            code_diff=read_if_there(folder, "code.diff", most_bytes=_MOST_BYTES) or b"",
        )

    def part(self, name: str) -> Mapping[str, Any]:
        """A mapping in the environment; empty where there is none."""
        return mapping_in(self.environment, name)


@dataclass(frozen=True, kw_only=True)
class ImageDifference:
    """Paths of images, sorted. `changed`: another content at the same path; a file that was renamed is no difference.

    `relabelled` and `regrouped`: the same content under another label, or with other images.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    relabelled: tuple[str, ...] = ()
    regrouped: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return any(getattr(self, item.name) for item in fields(self))


@dataclass(frozen=True, kw_only=True)
class FoldDifference:
    """Images that both runs have and that validate in other folds; `moved` counts them over repeats."""

    moved: int = 0
    paths: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CodeDifference:
    """Commits, where they differ; whether foldproof's training code or the user's modules do; uncommitted changes.

    `model`: the model as it is built from one seed holds other numbers, as with weights of another content.

    `hunks`: how the uncommitted changes of the two differ, as lines of a diff.
    """

    commit: Change | None = None
    foldproof: Change | None = None
    training_code: bool = False
    plugins: bool = False
    model: bool = False
    hunks: tuple[str, ...] = ()

    @property
    def any(self) -> bool:
        return bool(self.commit or self.foldproof or self.training_code or self.plugins or self.model or self.hunks)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """All that differs. `settings`: those that define a result, as the settings file names them."""

    settings: tuple[Change, ...] = ()
    images: ImageDifference = field(default_factory=ImageDifference)
    folds: FoldDifference = field(default_factory=FoldDifference)
    code: CodeDifference = field(default_factory=CodeDifference)
    packages: tuple[Change, ...] = ()
    machine: tuple[Change, ...] = ()
    arithmetic: tuple[Change, ...] = ()

    @cached_property
    def any(self) -> bool:
        parts = (self.settings, self.packages, self.machine, self.arithmetic)
        return any(parts) or self.images.any or bool(self.folds.moved) or self.code.any


def differ(then: RunSide, now: RunSide) -> Difference:
    """What differs between a run and another."""
    old, new = then.part("numeric_class"), now.part("numeric_class")
    return Difference(
        settings=tuple(_settings(then.facts, now.facts)),
        images=_images(then.dataset, now.dataset),
        folds=_folds(then, now),
        code=_code(then, now),
        packages=_changes(then.part("packages"), now.part("packages"), apart_from=("foldproof",)),
        machine=_changes(then.part("machine"), now.part("machine"), only=MACHINE),
        arithmetic=_changes(old, new, apart_from=_NOT_ARITHMETIC),
    )


def _settings(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterable[Change]:
    for section, (name, kind) in _SECTIONS.items():
        defaults = {item.name: item.default for item in fields(kind)}
        old, new = then["config"].get(section, {}), now["config"].get(section, {})
        for key in dict.fromkeys((*old, *new)):
            was, is_now = old.get(key, defaults.get(key)), new.get(key, defaults.get(key))
            if was != is_now:
                yield Change(f"{name}.{key}", _spelled(was), _spelled(is_now))
    if then.get("image_size") != now.get("image_size"):
        yield Change("image size in use", _spelled(then.get("image_size")), _spelled(now.get("image_size")))
    if then.get("range") != now.get("range"):
        yield Change("range in use", *(_spelled(str(range_in_use(side) or "8-bit images")) for side in (then, now)))


def _images(then: Dataset, now: Dataset) -> ImageDifference:
    old, new = {s.sha256: s for s in then.samples}, {s.sha256: s for s in now.samples}
    gone, come = {old[one].path for one in old.keys() - new.keys()}, {new[one].path for one in new.keys() - old.keys()}
    both = old.keys() & new.keys()
    relabelled = {new[one].path for one in both if old[one].label != new[one].label}
    regrouped = {new[one].path for one in both if old[one].group != new[one].group}
    return ImageDifference(
        added=_sorted(come - gone),
        removed=_sorted(gone - come),
        changed=_sorted(gone & come),
        relabelled=_sorted(relabelled),
        regrouped=_sorted(regrouped),
    )


def _folds(then: RunSide, now: RunSide) -> FoldDifference:
    old, new = _by_image(then), _by_image(now)
    moved = [key for key in old.keys() & new.keys() if old[key][0] != new[key][0]]
    return FoldDifference(moved=len(moved), paths=_sorted({new[key][1] for key in moved}))


def _by_image(side: RunSide) -> Mapping[tuple[int, str], tuple[int, str]]:
    asked = side.facts["config"]["folds"]
    wanted = (asked.get("k"), asked.get("seed"))
    return {(row.repeat, row.sha256): (row.fold, row.path) for row in side.rows if row[:2] == wanted}


def _code(then: RunSide, now: RunSide) -> CodeDifference:
    old, new = then.part("numeric_class"), now.part("numeric_class")
    commits = [str(side.part("git").get("commit") or ABSENT)[:_COMMIT] for side in (then, now)]
    version = _change("foldproof", then.environment.get("foldproof"), now.environment.get("foldproof"))
    was, is_now = (side.code_diff.decode("utf-8", "replace").splitlines() for side in (then, now))
    hunks = difflib.unified_diff(was, is_now, "uncommitted then", "uncommitted now", n=1, lineterm="")
    return CodeDifference(
        commit=_change("commit", *commits),
        foldproof=version,
        training_code=_differs(old, new, "training_code"),
        plugins=_differs(old, new, "parts") or (_digested_alike(old, new) and _differs(old, new, "plugins")),
        model=_differs(old, new, "model"),
        hunks=tuple(hunks),
    )


def _digested_alike(then: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Records without `parts` digested a backbone's modules in an earlier way, also where there were none."""
    return ("parts" in then) == ("parts" in now)


def _differs(then: Mapping[str, Any], now: Mapping[str, Any], name: str) -> bool:
    """Whether both sides know it and say otherwise."""
    return name in then and name in now and then[name] != now[name]


def _changes(
    then: Mapping[str, Any], now: Mapping[str, Any], *, only: Sequence[str] = (), apart_from: Sequence[str] = ()
) -> tuple[Change, ...]:
    """Of two mappings; none where one side is empty, since then nothing is known."""
    if not then or not now:
        return ()
    names = only or sorted((then.keys() | now.keys()) - set(apart_from))
    found = (_change(name, then.get(name), now.get(name)) for name in names)
    return tuple(change for change in found if change is not None)


def _change(name: str, then: Any, now: Any) -> Change | None:
    return None if then == now else Change(name, _spelled(then), _spelled(now))


def _spelled(value: Any) -> str:
    if value is None or value == []:
        return ABSENT
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _sorted(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(paths))
