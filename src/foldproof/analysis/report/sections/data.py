"""Show the data card: the images, what they have in common, and the problems found."""

from collections.abc import Iterator, Mapping
from typing import Any

from foldproof.analysis.report.document import Block, Column, Command, Facts, Section, Table, Text
from foldproof.analysis.report.gather import Material, Shown
from foldproof.analysis.report.privacy import name
from foldproof.analysis.report.spelling import count, setting
from foldproof.data.value_range import spelled
from foldproof.storage import mapping_in

CHECK = "foldproof data check --leaks"
_MOST = 2**53
_MOST_VALUE = 1e39


def data(material: Material) -> Section:
    """A card for each set of images that the experiments were trained on."""
    by_fingerprint = {str(s.record.facts["fingerprint"]): s for s in reversed(material.experiments)}
    blocks: list[Block] = []
    for shown in reversed(by_fingerprint.values()):
        blocks += _card(shown, material, several=len(by_fingerprint) > 1)
    lead = "What was trained on, as the runs recorded it."
    return Section("data", "Data", lead, tuple(blocks))


def _card(shown: Shown, material: Material, *, several: bool) -> Iterator[Block]:
    card = shown.card
    whose = f"{shown.name}: " if several else ""
    if not card:
        yield Text(f"{whose}the run's folder has no data card that can be read.", "gap")
        return
    yield Facts(tuple((whose + term, text) for term, text in _facts(card, material)))
    classes = mapping_in(card, "classes")
    if classes:
        columns = (Column("class", "class", "name"), Column("images", "images", "count"))
        rows = tuple((name(str(c)), _whole(n)) for c, n in classes.items())
        yield Table(key="classes", title=f"{whose}Classes", columns=columns, rows=rows, folded=len(rows) > 12)
    yield _findings(card, whose)
    yield Text("How much a naive random split of these images would flatter stands in no run's folder. To measure it:")
    yield Command(CHECK)


def _facts(card: Mapping[str, Any], material: Material) -> Iterator[tuple[str, str]]:
    dvc, sizes, groups, same = (mapping_in(card, key) for key in ("dvc", "sizes", "groups", "duplicates"))
    yield "images", _count(card.get("images"))
    yield "fingerprint", _text(card.get("fingerprint"))[:16]
    yield "DVC", " ".join(filter(None, (_text(dvc.get(key)) for key in ("hash", "state"))))
    if sizes:
        smallest, median, largest = (_size(sizes.get(key)) for key in ("smallest", "median", "largest"))
        yield "sizes", smallest if smallest == largest else f"{smallest} to {largest} pixels, median {median}"
    low, high = (_value(value) for value in [*_list(mapping_in(card, "values").get("range")), None, None][:2])
    if low and high:
        yield "values", f"{low} is black, {high} white"
    for term, key in (("formats", "formats"), ("cameras", "cameras"), ("left out", "excluded")):
        some = mapping_in(card, key)
        if some and not (key == "cameras" and material.privacy.hash_paths):
            yield term, ", ".join(f"{setting(k, most=60)} {_count(n)}" for k, n in list(some.items())[:8])
    if groups.get("groups"):
        largest_of = f"the largest of {_count(groups.get('largest'))}"
        yield "groups", f"{_count(groups.get('images'))} images in {_count(groups['groups'])} groups, {largest_of}"
    yield "duplicates", _duplicates(same)


def _duplicates(same: Mapping[str, Any]) -> str:
    if not same.get("clusters"):
        return "none found"
    return (
        f"{_count(same.get('images'))} images in {_count(same.get('clusters'))} clusters that share a fold:"
        f" {_count(same.get('exact_pairs'))} exact pairs, {_count(same.get('near_pairs'))} near ones"
    )


def _findings(card: Mapping[str, Any], whose: str) -> Table | Text:
    found = [(code, item) for code, item in mapping_in(card, "findings").items() if isinstance(item, Mapping)]
    if not found:
        return Text(f"{whose}`foldproof data check` found nothing wrong.")
    columns = (
        Column("severity", "severity"),
        Column("code", "code", "code"),
        Column("count", "how many", "count"),
        Column("means", "means"),
    )
    rows = tuple(
        (
            _text(item.get("severity")),
            setting(code),
            _whole(item.get("count")),
            _text(item.get("means"), most=400),
        )
        for code, item in found
    )
    return Table(key="findings", title=f"{whose}Findings", columns=columns, rows=rows)


def _count(value: object) -> str:
    return count(_whole(value))


def _whole(value: object) -> int | None:
    """A count, if it is one that can be."""
    return value if type(value) is int and 0 <= value < _MOST else None


def _text(value: object, *, most: int = 200) -> str:
    return setting(value, most=most) if isinstance(value, str) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _value(value: object) -> str:
    """A value of a pixel, if it is one that can be."""
    return spelled(value) if isinstance(value, int | float) and abs(value) < _MOST_VALUE else ""


def _size(value: object) -> str:
    return " x ".join(map(_count, value[:2])) if isinstance(value, list) else ""
