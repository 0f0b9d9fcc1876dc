"""Unify the spellings of labels or groups in a table, and report what was assumed. Pure."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from foldproof.data.tables.spelling import is_no_value, is_unknown, key_of, names_of

_SHOWN = 4


@dataclass(frozen=True)
class Spelled:
    """`names`: of every spelling, empty where it says nothing. `written`: how often each spelling of a name comes."""

    names: Mapping[str, str]
    written: Mapping[str, Mapping[str, int]]
    notes: tuple[str, ...] = ()


def labels_spelled(cells: Sequence[str], *, keep: Collection[str] = ()) -> Spelled:
    """One name a class. What says that there is no value is no label, unless `keep` names it: a class on request."""
    wanted = {key_of(text) for text in keep if text}

    def is_none(text: str) -> bool:
        return not text or (is_no_value(text) and key_of(text) not in wanted)

    spelled = _spelled(cells, is_none, keep=keep, letters=True)
    notes = list(_merged("class", spelled))
    if none := _told(cells, is_none):
        example = next((text for text in cells if text and is_none(text)), "")
        way = f"; a class of that name: data.classes: {{{example}: {example.lower()}}}" if example else ""
        notes.insert(0, f"no label in {none}{way}")
    return Spelled(spelled.names, spelled.written, tuple(notes))


def groups_spelled(cells: Sequence[str], *, column: str) -> Spelled:
    """One name a group. An image whose group is unknown is in none: it may be in any fold, by itself."""
    spelled = _spelled(cells, is_unknown, keep=(), letters=False)
    notes = list(_merged("group", spelled))
    if any(cells) and (unknown := _told(cells, is_unknown)):
        notes.insert(0, f"{column} unknown in {unknown}: each of these images is a group of its own")
    return Spelled(spelled.names, spelled.written, tuple(notes))


def _spelled(cells: Sequence[str], is_none: Callable[[str], bool], *, keep: Collection[str], letters: bool) -> Spelled:
    counts = Counter(cells)
    values = {text: count for text, count in counts.items() if not is_none(text)}
    names = names_of(values, keep=keep, letters=letters)
    written: dict[str, dict[str, int]] = {}
    for text, name in sorted(names.items()):
        written.setdefault(name, {})[text] = counts[text]
    return Spelled({**dict.fromkeys(counts, ""), **names}, written)


def _merged(what: str, spelled: Spelled) -> Iterator[str]:
    """What is said where a name is also written otherwise."""
    others = {name: other_spellings(texts, name) for name, texts in spelled.written.items() if len(texts) > 1}
    if others:
        told = [f"'{name}' is also written {rest}" for name, rest in list(others.items())[:_SHOWN]]
        more = f"; {len(others) - _SHOWN:,} more" if len(others) > _SHOWN else ""
        yield f"one {what} whatever its spelling: {'; '.join(told)}{more}"


def other_spellings(written: Mapping[str, int], name: str) -> str:
    """`'7.0' (12 times)`, for each spelling that is not the name itself."""
    rest = sorted((text for text in written if text != name), key=lambda text: (-written[text], text))
    return ", ".join(f"'{text}' ({written[text]:,})" for text in rest[:_SHOWN]) + (", …" if len(rest) > _SHOWN else "")


def _told(cells: Sequence[str], is_none: Callable[[str], bool]) -> str:
    counts = Counter(text for text in cells if is_none(text))
    if not counts:
        return ""
    total = sum(counts.values())
    told = ", ".join(f"{text or 'empty'} {count:,}" for text, count in counts.most_common(_SHOWN))
    more = ", …" if len(counts) > _SHOWN else ""
    return f"{total:,} of {len(cells):,} rows ({told}{more})"
