"""Place the units of a dataset in folds by a scheme; each image validates in one. Pure.

Images that share a group, look alike or have the same bytes form a unit and validate together. Units are placed one
after another, large ones first, each in the fold that has least of what the unit brings; ties are broken by a hash of
the seed, the repeat and the unit's name. So the assignment depends on neither the order of the images, their names nor
a library's version, and images that come later leave the earlier ones where they are. Where a class is then missing
from a fold, units are moved (`folds.cover`) or the cut is refused.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from foldproof.data.dataset import Dataset, hashed_row
from foldproof.errors import FoldsError
from foldproof.events.fold_id import FoldId
from foldproof.folds.cover import Loads, covering, repair
from foldproof.folds.units import Unit, units_of

STRATIFIED: Final = "stratified"


@dataclass(frozen=True)
class Scheme:
    """How to cut: the number of folds, the seed of the assignment and by what (see `FoldSettings.scheme`)."""

    k: int
    seed: int
    name: str = STRATIFIED


@dataclass(frozen=True)
class Fold:
    """One split: which images of the manifest train and which validate."""

    repeat: int
    index: int
    train: NDArray[np.int64]  # [train image] manifest positions, ascending
    validation: NDArray[np.int64]  # [validation image] manifest positions, ascending

    @property
    def id(self) -> FoldId:
        return FoldId(self.repeat, self.index)


@dataclass(frozen=True)
class Assignment:
    """The fold in which each image validates, for one repeat, in manifest order; -1: in none, it trains in all.

    `ordered`: a fold trains on what lies in folds before it alone. `told`: how that order was read, in a sentence.
    """

    repeat: int
    fold_of: NDArray[np.int64]  # [image]
    moved: int = 0
    ordered: bool = False
    told: str = ""

    def folds(self, k: int) -> tuple[Fold, ...]:
        """Every image validates once, or not at all."""
        return tuple(
            Fold(
                self.repeat,
                index,
                np.flatnonzero(self.fold_of < index if self.ordered else self.fold_of != index),
                np.flatnonzero(self.fold_of == index),
            )
            for index in range(k)
        )


def assign(dataset: Dataset, scheme: Scheme, *, repeat: int = 0, known: Mapping[str, int] | None = None) -> Assignment:
    """A fold for every image: units whole, every class in every fold, images in `known` (content hash to fold) kept.

    Where a unit joins images that `known` has in several folds, all go to the fold that has most of them and the
    number of images that moved is reported: leak-free comes before stable. Nothing else moves an image of `known`.
    Raises FoldsError, with the largest k that works, where no such cut is found.
    """
    known = known or {}
    units = units_of(dataset)
    _refuse_small_classes(dataset, units, scheme)
    homes, moved = _homes(dataset, units, known)
    places = _places(dataset, units, scheme, repeat, homes)
    if places is None:
        raise _refusal(dataset, units, scheme, repeat, kept=bool(known))
    fold_of = [0] * len(dataset)
    for unit, fold in zip(units, places, strict=True):
        for member in unit.members:
            fold_of[member] = fold
    return Assignment(repeat, np.array(fold_of, dtype=np.int64), moved)


def assign_at_most(dataset: Dataset, scheme: Scheme) -> tuple[Assignment, Scheme]:
    """As `assign`, in fewer folds where the images allow no more; and the scheme that it became.

    Raises FoldsError where they cannot be cut into two.
    """
    places = Counter(label for unit in units_of(dataset) for label in unit.brought)
    most = max(2, min(scheme.k, *places.values())) if places else 2
    for k in range(most, 2, -1):
        try:
            return assign(dataset, Scheme(k, scheme.seed)), Scheme(k, scheme.seed)
        except FoldsError:
            continue
    return assign(dataset, Scheme(2, scheme.seed)), Scheme(2, scheme.seed)


def _homes(dataset: Dataset, units: Sequence[Unit], known: Mapping[str, int]) -> tuple[list[int], int]:
    """The fold of each unit that `known` has images of, else -1; and how many of its images lay elsewhere."""
    folds = [known.get(sample.sha256, -1) for sample in dataset.samples]
    homes: list[int] = []
    moved = 0
    for unit in units:
        if len(unit.members) == 1:
            homes.append(folds[unit.members[0]])
            continue
        votes = Counter(folds[member] for member in unit.members if folds[member] >= 0)
        home = min(votes, key=lambda fold: (-votes[fold], fold)) if votes else -1
        moved += sum(count for fold, count in votes.items() if fold != home)
        homes.append(home)
    return homes, moved


def _places(
    dataset: Dataset, units: Sequence[Unit], scheme: Scheme, repeat: int, homes: Sequence[int]
) -> list[int] | None:
    """A fold for each unit with every class in every fold; None where none is found."""
    hashes = {number: _hash(scheme, repeat, units[number].name) for number, home in enumerate(homes) if home < 0}
    order = sorted(hashes, key=lambda number: (-len(units[number].members), hashes[number]))
    places = _placed(dataset, units, scheme.k, homes, order=order, hashes=hashes)
    if repair(units, places, movable=order[::-1], k=scheme.k, classes=len(dataset.classes)):
        return places
    pinned = covering(units, homes, movable=order[::-1], k=scheme.k, classes=len(dataset.classes))
    if pinned is None:
        return None
    rest = [number for number in order if pinned[number] < 0]
    return _placed(dataset, units, scheme.k, pinned, order=rest, hashes=hashes)


def _placed(
    dataset: Dataset,
    units: Sequence[Unit],
    k: int,
    homes: Sequence[int],
    *,
    order: Sequence[int],
    hashes: Mapping[int, bytes],
) -> list[int]:
    """`homes` with the units of `order` placed in this order, each in the fold that has least of what it brings."""
    places = list(homes)
    if not order:
        return places
    loads = Loads.empty(k, dataset)
    for unit, home in zip(units, homes, strict=True):
        if home >= 0:
            loads.add(home, unit.brought)
    for number in order:
        brought = units[number].brought
        places[number] = fold = loads.lightest(brought, turn=int.from_bytes(hashes[number][-8:], "big"))
        loads.add(fold, brought)
    return places


def _refuse_small_classes(dataset: Dataset, units: Sequence[Unit], scheme: Scheme) -> None:
    if len(dataset.classes) < 2:
        raise FoldsError(
            f"only one class: {', '.join(dataset.classes) or 'none'}",
            next_step="put the images of each class into a folder of its own",
        )
    places = Counter(label for unit in units for label in unit.brought)
    label = min(range(len(dataset.classes)), key=lambda label: places[label])
    count = places[label]
    if count < scheme.k:
        what = "group" if any(sample.group for sample in dataset.samples) else "image"
        raise FoldsError(
            f"class '{dataset.classes[label]}' has {count} different {what}{'s' if count != 1 else ''}, "
            f"too few for {scheme.k} folds",
            next_step=f"{_largest(dataset, units, scheme, below=count + 1)}add images to it, "
            "or move the class out of the folder",
        )


def _refusal(dataset: Dataset, units: Sequence[Unit], scheme: Scheme, repeat: int, *, kept: bool) -> FoldsError:
    alone = kept and _places(dataset, units, scheme, repeat, [-1] * len(units)) is not None
    if alone:
        return FoldsError(
            f"folds.csv keeps images where they are, and that leaves one of {scheme.k} folds without a class",
            next_step=f"take the rows of k {scheme.k}, seed {scheme.seed}, repeat {repeat} out of folds.csv "
            "to split them again, or set a different folds.seed",
        )
    return FoldsError(
        f"found no split into {scheme.k} folds that keeps groups whole and has every class in every fold",
        next_step=f"{_largest(dataset, units, scheme, below=scheme.k)}make data.group_by join fewer images, "
        "or add images in groups of their own",
    )


def _largest(dataset: Dataset, units: Sequence[Unit], scheme: Scheme, *, below: int) -> str:
    """Advice: the largest number of folds below `below` that was found to work, cut from nothing."""
    for k in range(below - 1, 1, -1):
        if _places(dataset, units, Scheme(k, scheme.seed), 0, [-1] * len(units)) is not None:
            return f"set folds.k to at most {k}, or "
    return ""


def _hash(scheme: Scheme, repeat: int, name: str) -> bytes:
    return hashlib.blake2b(f"folds 1 {scheme.seed} {repeat} {name}".encode(), digest_size=16).digest()


def digest(dataset: Dataset, assignments: Iterable[Assignment]) -> str:
    """SHA-256 over the sorted (content hash, repeat, fold); neither paths nor their order count."""
    rows: list[bytes] = []
    for made in assignments:
        folds = made.fold_of.tolist()
        rows += _named_rows(dataset, folds, {fold: (made.repeat, fold) for fold in set(folds)})
    return hashlib.sha256(b"".join(sorted(dict.fromkeys(rows)))).hexdigest()


def split_digest(dataset: Dataset, fold: Fold) -> str:
    """SHA-256 over the sorted (content hash, side) of one split."""
    sides = np.zeros(len(dataset), dtype=np.int8)
    sides[fold.train] = 1
    sides[fold.validation] = 2
    rows = _named_rows(dataset, sides.tolist(), {1: ("train",), 2: ("validation",)})
    return hashlib.sha256(b"".join(sorted(rows))).hexdigest()


def _named_rows(dataset: Dataset, tags: Sequence[int], fields: Mapping[int, Sequence[str | int]]) -> list[bytes]:
    """A hashed row (content hash, *fields of the tag) for each image whose tag has fields.

    As `hash_rows` spells them, with its length before each value: sorted as bytes is sorted as values.
    """
    ends = {tag: hashed_row(("", *values))[4:] for tag, values in fields.items()}
    start = (64).to_bytes(4, "big")
    return [
        start + sample.sha256.encode() + ends[tag]
        for sample, tag in zip(dataset.samples, tags, strict=True)
        if tag in ends
    ]
