"""Find sibling folders that hold the same pictures in several forms.

`color/`, `grayscale/` and `segmented/` hold the same class folders, and these mostly the same file names. Patients or
cameras may hold the same folders too, and files called 1.png and 2.png. That the pictures are the same ones has to be
seen from names that are no counters, from folders called as forms are, or from the pictures themselves.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from foldproof.data.labels.parts import are_parts
from foldproof.data.labels.same_pictures import are_same_pictures
from foldproof.errors import DataError

_FORMS = frozenset(
    {"color", "colour", "colored", "coloured", "gray", "grey", "grayscale", "greyscale", "monochrome", "mono", "bw",
     "black", "white", "binary", "rgb", "bgr", "hsv", "hsl", "lab", "segmented", "segmentation", "seg", "masked",
     "original", "originals", "orig", "raw", "processed", "preprocessed", "unprocessed", "cropped", "crop", "crops",
     "uncropped", "resized", "rescaled", "scaled", "downscaled", "upscaled", "normalized", "normalised", "enhanced",
     "clahe", "equalized", "equalised", "filtered", "denoised", "sharpened", "blurred", "edges", "edge", "canny",
     "contours", "thermal", "infrared", "nir", "ir", "hires", "lowres", "thumbnails", "thumbs", "augmented", "aug",
     "flipped", "rotated", "padded", "square", "squared", "jpg", "jpeg", "png", "bmp", "tif", "tiff", "webp", "px"}
)  # fmt: skip
_SAY_NOTHING = frozenset({"image", "images", "img", "imgs", "photo", "photos", "picture", "pictures", "data", "dataset",
                          "set", "version", "x", "and", "to", "the", "with", "without", "no", "background",
                          "final"})  # fmt: skip
_SIZE = re.compile(r"[0-9]{2,4}(x[0-9]{2,4})?(px|p)?")
_NUMBERED = re.compile(r"[^\W\d_]*[0-9][^\W_]*")
_MOST = 12  # forms of one set
_ENOUGH = 0.8  # of the folders, and of the files, that have to come again
_DIFFERENT = 0.95  # of the names in a form, that have to be different whatever their folder
_DENSE = 3  # numbers are a counter where there are at most this many times as many of them as images


@dataclass(frozen=True)
class Variants:
    """`names` of the folders; `share` of the files of one come again in another; `depth`: of the folders above them."""

    names: tuple[str, ...]
    share: float
    depth: int


Items = Mapping[tuple[str, ...], Mapping[str, str]]  # by the other folders on the way, the path of each key


def variants_in(folder: Path, paths: Sequence[str]) -> Variants | None:
    """Folders in `folder` that hold the same tree of the same pictures; None where there are none."""
    parts = [path.split("/") for path in paths]
    for depth in range(max((len(one) - 1 for one in parts), default=0)):
        deep = [one for one in parts if len(one) > max(depth + 1, 2)]
        found = _variants_at(folder, deep, depth) if len(deep) >= _ENOUGH * len(parts) else None
        if found is not None:
            return found
    return None


def _variants_at(folder: Path, parts: Sequence[Sequence[str]], depth: int) -> Variants | None:
    """Among the folders that stand in this place of each path; another one may lie beside them."""
    names = sorted({one[depth] for one in parts})
    if not 2 <= len(names) <= _MOST or are_parts(names):
        return None
    by_name: dict[str, list[Sequence[str]]] = {name: [] for name in names}
    for one in parts:
        by_name[one[depth]].append(one)
    items = {name: _items(below, depth) for name, below in by_name.items()}
    largest = max(names, key=lambda name: _count(items[name]))
    shares = {
        name: _shared(items[name], items[largest])
        for name in names
        if name != largest and _have_one_tree(items[name], items[largest])
    }
    by_files = [name for name, share in shares.items() if share >= _ENOUGH]
    by_names = [name for name in shares if _are_forms([name, largest])]
    for others in (by_files, by_names):
        alike = tuple(sorted([largest, *others]))
        if not others or sum(_count(items[name]) for name in alike) < _ENOUGH * len(parts):
            continue
        if _are_forms(alike) or (others is by_files and _are_same(folder, [items[name] for name in alike])):
            return Variants(alike, min(shares[name] for name in others), depth)
    return None


def refuse_variants(folder: Path, paths: Sequence[str]) -> None:
    """Raises DataError where the same pictures lie in `folder` in several forms: as classes or all together, they would
    be trained on and validated at once.
    """
    found = variants_in(folder, paths)
    if found is None:
        return
    first, *others = found.names
    if found.depth:
        way = f"train on one of them: data.exclude: [{', '.join(others)}]. All of them as they are: data.label_by: top"
    else:
        one = folder / first
        way = f"train on one of them: data.path: {one}, or `foldproof try {quote(str(one))}`.\n"
        way += "  Classes after all: data.label_by: top"
    raise DataError(f"{folder} holds {told(found)}", next_step=way)


def told(found: Variants) -> str:
    """`color, gray: one set of pictures …`, for a person."""
    shown = ", ".join(found.names[:4]) + (", …" if len(found.names) > 4 else "")
    why = f"{found.share:.0%} of the file names" if found.share >= _ENOUGH else "the same folders"
    return f"{shown}: one set of pictures in {len(found.names)} forms ({why} come again)"


def _items(parts: Sequence[Sequence[str]], depth: int) -> Items:
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for one in parts:
        rest = (*one[:depth], *one[depth + 1 : -1])
        found.setdefault(rest, {}).setdefault(_key(one[-1]), "/".join(one))
    return found


def _key(name: str) -> str:
    """What two forms of a picture have in common in their names: words with a digit, else all of it."""
    stem = (name.rpartition(".")[0] or name).lower()
    return " ".join(_NUMBERED.findall(stem)) or stem


def _count(items: Items) -> int:
    return sum(map(len, items.values()))


def _have_one_tree(one: Items, other: Items) -> bool:
    """Whether both have the same folders, two at least."""
    return len(one.keys() & other.keys()) >= max(2, _ENOUGH * max(len(one), len(other)))


def _shared(one: Items, other: Items) -> float:
    """The share of the files of the smaller that come again in the other, perhaps with more words in their names."""
    common = 0
    for rest in one.keys() & other.keys():
        longer = {start for key in other[rest] for start in _starts(key)}
        common += sum(key in longer or any(start in other[rest] for start in _starts(key)) for key in one[rest])
    return min(1.0, common / min(_count(one), _count(other)))


def _starts(key: str) -> list[str]:
    """The first word of a key, the first two and so on."""
    words = key.split()
    return [" ".join(words[:count]) for count in range(1, len(words) + 1)]


def _are_forms(names: Sequence[str]) -> bool:
    """Whether the folders are called as forms of a picture are; one of them may be called only by the set."""
    words = [set(re.findall(r"[0-9]+x[0-9]+(?:px)?|[0-9]+(?:px|p)?|[^\W\d_]+", name.lower())) for name in names]
    common = set.intersection(*words)
    kinds = [{word for word in one - common if word not in _SAY_NOTHING} for one in words]
    if sum(not one for one in kinds) > 1 or not all(all(map(_is_form, one)) for one in kinds):
        return False
    return any(not _SIZE.fullmatch(word) or "x" in word or "p" in word for one in kinds for word in one)


def _is_form(word: str) -> bool:
    return word in _FORMS or _SIZE.fullmatch(word) is not None


def _are_same(folder: Path, forms: Sequence[Items]) -> bool:
    """Whether file names are no counters, or the pictures are seen to be the same."""
    if all(map(_names_a_picture, forms)):
        return True
    one, *others = forms
    return all(are_same_pictures(folder, _pairs(one, other)) for other in others)


def _names_a_picture(items: Items) -> bool:
    keys = [key for some in items.values() for key in some]
    if len(set(keys)) < _DIFFERENT * len(keys):
        return False
    numbers = [int(digits) for key in keys if (digits := re.sub(r"[^0-9]", "", key)[:18])]
    letters = any(re.search(r"[0-9][a-z]+[0-9]", key) for key in keys)
    return letters or (len(numbers) == len(keys) and max(numbers) - min(numbers) > _DENSE * len(keys))


def _pairs(one: Items, other: Items) -> list[tuple[str, str]]:
    return [
        (path, other[rest][key])
        for rest in sorted(one.keys() & other.keys())
        for key, path in sorted(one[rest].items())
        if key in other[rest]
    ]
