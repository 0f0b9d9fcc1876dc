"""Write the data card of a set of images: what it contains, what is wrong, and the hashes that prove it. Pure."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from foldproof.data.checks.depth import described
from foldproof.data.checks.duplicates import Duplicates
from foldproof.data.checks.findings import CODES, Finding, group_by_code
from foldproof.data.dataset import Dataset
from foldproof.data.scan import Scan
from foldproof.data.value_range import ValueRange, spelled
from foldproof.data.versions.versioned import DataVersion
from foldproof.storage import cleaned

SCHEMA_VERSION = 1
_WIDEST = 300  # characters of a name
DATA_CARD, DATA_CARD_PAGE = "data-card.json", "data-card.md"


def data_card(
    dataset: Dataset,
    found: Scan,
    *,
    duplicates: Duplicates,
    version: DataVersion,
    findings: Sequence[Finding],
    held_out: int = 0,
    within: ValueRange | None = None,
) -> dict[str, Any]:
    """Plain JSON values; sizes in pixels. `held_out`: how many images are never trained on; `within`: the range that
    all images share, unless they are of 8 bits.
    """
    pictures = [found.pictures[sample.path] for sample in dataset.samples]
    groups = Counter(sample.group for sample in dataset.samples if sample.group)
    values = described(found.pictures, within)
    return {
        "v": SCHEMA_VERSION,
        "fingerprint": dataset.fingerprint,
        "dvc": {"hash": version.dvc_hash, "state": version.state, "file": version.path, "remote": version.remote},
        "images": len(dataset),
        "classes": dict(sorted(dataset.count_by_class.items())),
        "sizes": _sizes([(picture.width, picture.height) for picture in pictures]),
        "formats": dict(sorted(Counter(picture.format or "unknown" for picture in pictures).items())),
        **({"values": values} if values else {}),
        "cameras": dict(Counter(picture.camera for picture in pictures if picture.camera).most_common(20)),
        "groups": {
            "groups": len(groups),
            "images": sum(groups.values()),
            "largest": max(groups.values(), default=0),
        },
        "duplicates": duplicates_summary(duplicates),
        "excluded": dict(sorted(Counter(item.code for _, item in found.excluded).items())),
        "held_out": held_out,
        "findings": {
            code: {"severity": str(CODES[code].severity), "count": len(some), "means": CODES[code].means}
            for code, some in group_by_code(findings).items()
        },
    }


def duplicates_summary(duplicates: Duplicates) -> dict[str, Any]:
    """Counts of images that are the same or look alike. Near pairs are of an image and its cluster's representative."""
    applied = [cluster for cluster in duplicates.clusters if cluster.applied]
    return {
        "compared": duplicates.compared,
        "clusters": len(applied),
        "images": sum(len(cluster.members) for cluster in applied),
        "largest": max((len(cluster.members) for cluster in applied), default=0),
        "exact_pairs": sum(pair.exact for pair in duplicates.pairs),
        "near_pairs": sum(not pair.exact for pair in duplicates.pairs),
        "too_large": sum(cluster.too_large for cluster in duplicates.clusters),
    }


def _sizes(sizes: Sequence[tuple[int, int]]) -> dict[str, Any]:
    if not sizes:
        return {}
    table = np.array(sizes, dtype=np.int64)  # [image, 2]
    smallest, largest = table[table.prod(axis=1).argmin()], table[table.prod(axis=1).argmax()]
    return {
        "different": len(np.unique(table, axis=0)),
        "smallest": smallest.tolist(),
        "median": [int(edge) for edge in np.median(table, axis=0)],
        "largest": largest.tolist(),
    }


def render_markdown(card: Mapping[str, Any]) -> str:
    """The card for a person."""
    return "\n".join([*_head(card), *_classes(card["classes"]), *_alike(card), *_findings(card["findings"])]) + "\n"


def _head(card: Mapping[str, Any]) -> Iterator[str]:
    dvc, sizes = card["dvc"], card["sizes"]
    yield from ("# Data card", "", f"{card['images']:,} images in {len(card['classes'])} classes.", "")
    yield from ("| | |", "|---|---|")
    yield f"| fingerprint | `{card['fingerprint']}` |"
    yield f"| DVC | {_dvc(dvc)} |"
    if card.get("held_out"):
        yield f"| held out | {card['held_out']:,} images that are never trained on |"
    if sizes:
        smallest, median, largest = (" x ".join(map(str, sizes[name])) for name in ("smallest", "median", "largest"))
        yield f"| sizes | {smallest} to {largest} pixels, median {median}; {sizes['different']} different |"
    if values := card.get("values"):
        lowest, highest, low, high = (spelled(v) for v in (values["lowest"], values["highest"], *values["range"]))
        yield f"| values | {values['kind']} from {lowest} to {highest}; {low} is black and {high} white |"
    for title, key in (("formats", "formats"), ("cameras", "cameras"), ("left out", "excluded")):
        if card[key]:
            yield f"| {title} | {', '.join(f'{_cell(name)} {count:,}' for name, count in card[key].items())} |"
    yield ""


def _dvc(dvc: Mapping[str, Any]) -> str:
    known = f"`{dvc['hash']}` " if dvc["hash"] else ""
    return f"{known}({dvc['state']})"


def _classes(classes: Mapping[str, int]) -> Iterator[str]:
    yield from ("## Classes", "", "| class | images |", "|---|---:|")
    for name, count in classes.items():
        yield f"| {_cell(name)} | {count:,} |"
    yield ""


def _alike(card: Mapping[str, Any]) -> Iterator[str]:
    groups, same = card["groups"], card["duplicates"]
    yield from ("## What stays together", "")
    if groups["groups"]:
        yield f"- {groups['images']:,} images in {groups['groups']:,} groups, the largest of {groups['largest']:,}"
    yield (
        f"- {same['images']:,} images in {same['clusters']:,} clusters of the same or nearly the same picture"
        f" ({same['exact_pairs']:,} exact pairs, {same['near_pairs']:,} near ones)"
    )
    if same["compared"] < card["images"]:
        yield f"- {card['images'] - same['compared']:,} images are too small or too plain for the near search"
    yield ""


def _findings(findings: Mapping[str, Any]) -> Iterator[str]:
    yield from ("## Findings", "")
    if not findings:
        yield "None."
    for code, item in findings.items():
        yield f"- {item['severity']} `{code}`: {item['count']:,} ({item['means']})"


def _cell(text: str) -> str:
    shown = cleaned(" ".join(text.split()), most=_WIDEST)
    return re.sub(r"[\\`*_{}\[\]<>|#~$]", r"\\\g<0>", shown)
