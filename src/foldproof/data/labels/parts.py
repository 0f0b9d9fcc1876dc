"""Recognise which part of a data set a name means: training, validation, test and so on. Pure.

A name is cut into words (`seg_train`, `TestSet`, `02-holdout`); those that only say "a set of images" do not count.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache


class Part(StrEnum):
    """What a part of a data set is for."""

    TRAINING = "training"
    VALIDATION = "validation"
    TESTING = "testing"
    UNLABELLED = "unlabelled"


_MEANS: Mapping[str, Part] = {
    **dict.fromkeys(("train", "training", "trainval", "trn", "tr"), Part.TRAINING),
    **dict.fromkeys(
        ("val", "valid", "validation", "validate", "dev", "development", "eval", "evaluation"), Part.VALIDATION
    ),
    **dict.fromkeys(("test", "testing", "tst", "ts", "holdout", "heldout", "unseen", "blind"), Part.TESTING),
    **dict.fromkeys(
        ("unlabeled", "unlabelled", "pred", "predict", "prediction", "predictions", "inference"), Part.UNLABELLED
    ),
}
_EVALUATION = frozenset({"eval", "evaluation"})  # the test, where something else validates
_SAY_NOTHING = frozenset(
    {"set", "sets", "data", "dataset", "datasets", "image", "images", "img", "imgs", "photo", "photos", "picture",
     "pictures", "pics", "files", "sample", "samples", "seg", "split", "splits", "subset", "part", "stage", "fold",
     "raw", "original", "orig", "resized", "cropped", "new", "final", "public", "private", "jpg", "jpeg", "png", "the",
     "of", "full", "small", "large", "mini", "clean", "cleaned"}
)  # fmt: skip
_ORIGINAL = frozenset({"original", "originals", "orig", "raw", "source"})
_DERIVED = frozenset(
    {"augmented", "augmentation", "augmentations", "aug", "processed", "preprocessed", "resized", "cropped", "enhanced",
     "normalized", "normalised", "grayscale", "greyscale", "gray", "grey", "segmented", "denoised", "filtered"}
)  # fmt: skip
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_COMPOUND = re.compile(rf"^({'|'.join(sorted(_MEANS, key=len, reverse=True))})(?:set|data|images|imgs)s?$")
_TWO_WORDS = re.compile(r"(hold|held)[ _.-]+out", re.IGNORECASE)


@lru_cache(maxsize=4096)
def part_of(name: str) -> Part | None:
    """The part that a single name says; None where it says none, or more than that."""
    words = _words(name)
    meant = {_MEANS[word] for word in words if word in _MEANS}
    if not meant or not words <= _MEANS.keys():
        return None
    if Part.UNLABELLED in meant:
        return Part.UNLABELLED
    if meant == {Part.TRAINING, Part.VALIDATION}:
        return Part.TRAINING
    return meant.pop() if len(meant) == 1 else None


def parts_of(names: Collection[str]) -> Mapping[str, Part]:
    """The part of each name that says one; an evaluation is the test where another name is for validation."""
    found = {name: part for name in sorted(names) if (part := part_of(name)) is not None}
    evaluations = {name for name in found if _words(name) & _EVALUATION}
    validates = any(part is Part.VALIDATION for name, part in found.items() if name not in evaluations)
    return {**found, **dict.fromkeys(evaluations, Part.TESTING)} if validates else found


def are_parts(names: Collection[str]) -> bool:
    """Whether these names are those of the parts of a data set, such as train and val, and no classes."""
    found = parts_of(names)
    return len(found) == len(set(names)) > 1 and Part.TRAINING in found.values()


def test_among(names: Collection[str]) -> str | None:
    """The name that says it is the test; None without one."""
    return next((name for name, part in parts_of(names).items() if part is Part.TESTING), None)


def folder_of_test(paths: Collection[str]) -> str | None:
    """The first folder that is the test, where all of these paths begin with the parts of a data set; else None."""
    tops = {path.partition("/")[0] if "/" in path else "" for path in paths}
    return test_among(tops) if are_parts(tops) else None


def holds_parts(paths: Sequence[str]) -> bool:
    """Whether the first folders of these paths are the parts of a data set.

    Beside other folders they are where two of them hold the same folders, such as those of the classes.
    """
    parts = [path.split("/") for path in paths]
    tops = {one[0] for one in parts if len(one) > 1}
    if are_parts(tops):
        return True
    found = parts_of(tops)
    inner = {top: {one[-2] for one in parts if one[0] == top and len(one) > 2} for top in found}
    trained = {name for top, part in found.items() if part is Part.TRAINING for name in inner[top]}
    return any(len(trained & inner[top]) > 1 for top, part in found.items() if part is not Part.TRAINING)


def copy_in_itself(paths: Sequence[str]) -> str | None:
    """The first folder that holds the other first folders again, two of them at least; None without one."""
    inner: dict[str, set[str]] = {}
    for path in paths:
        top, _, rest = path.partition("/")
        inner.setdefault(top, set()).add(rest.partition("/")[0] if "/" in rest else "")
    return next((top for top in sorted(inner) if len(inner.keys() - {top} & inner[top]) > 1), None)


def original_among(paths: Sequence[str]) -> str | None:
    """The first folder that holds the originals, where all others hold versions of them by their names; else None.

    Each has at least two folders in it that the others have too, such as those of the classes.
    """
    inner: dict[str, set[str]] = {}
    for path in paths:
        top, *below = path.split("/")[:-1] or [""]
        inner.setdefault(top, set()).update(below[-1:])
    words = {top: {word.lower() for word in _WORD.findall(top)} for top in inner}
    originals = [top for top, said in words.items() if said & _ORIGINAL and not said & _DERIVED]
    are_versions = len(inner) > 1 and all(top in originals or words[top] & _DERIVED for top in inner)
    shared = set.intersection(*inner.values()) if inner else set()
    return originals[0] if are_versions and len(originals) == 1 and len(shared) > 1 else None


def parts_in_classes(paths: Sequence[str]) -> tuple[str, ...]:
    """The folders below the first ones, where each of these holds the parts of a data set; else none."""
    parts = [path.split("/") for path in paths]
    by_top: dict[str, set[str]] = {one[0]: set() for one in parts}
    for one in parts:
        by_top[one[0]].add(one[1] if len(one) > 2 else "")
    return tuple(sorted(set().union(*by_top.values()))) if by_top and all(map(are_parts, by_top.values())) else ()


def lies_in_no_class(path: str) -> bool:
    """Whether every folder of a path names a part: no class is said between it and the file."""
    return all(part_of(folder) for folder in path.split("/")[:-1])


def _words(name: str) -> frozenset[str]:
    words = map(str.lower, _WORD.findall(_TWO_WORDS.sub(r"\1out", name)))
    return frozenset(_COMPOUND.sub(r"\1", word) for word in words) - _SAY_NOTHING
