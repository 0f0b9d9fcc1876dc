"""Suggest the line that joins tables which each label a part of the images, with a column of splits."""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from foldproof.data.labels.parts import are_parts, part_of
from foldproof.errors import TablesOfParts
from foldproof.scaffold.typed import python_line

_WORD = re.compile(r"[A-Za-z]+")


def joined(
    labelled: Mapping[Path, Collection[str]], *, folder: Path, least: int, headed: Collection[Path]
) -> TablesOfParts | None:
    """The refusal of tables that are called as parts of a set, such as labels_train.txt and labels_test.txt, and label
    `least` images together, though none does by itself. `labelled`: the images of each, in or below `folder`; `headed`:
    those with a header.
    """
    families: defaultdict[tuple[Path, str], dict[str, Path]] = defaultdict(dict)
    for file in labelled:
        if (found := _part(file.stem)) is not None:
            families[file.parent, f"{found[0]}*{found[2]}{file.suffix}"][found[1]] = file
    for (_, name), files in families.items():
        images = {image for file in files.values() for image in labelled[file]}
        apart = sum(len(labelled[file]) for file in files.values()) == len(images)
        if are_parts(files) and apart and len(images) >= least:
            others = sorted(other for where, other in families if other != name)
            names = {part: _seen_from(folder, file) for part, file in files.items()}
            return _refusal(names, has_header=set(files.values()) <= set(headed), others=others)
    return None


def _part(stem: str) -> tuple[str, str, str] | None:
    """What stands before, the word of the part, and what stands after it."""
    for word in _WORD.finditer(stem):
        if part_of(word[0]) is not None:
            return stem[: word.start()], word[0], stem[word.end() :]
    return None


def _seen_from(folder: Path, file: Path) -> str:
    return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.as_posix()


def _refusal(names: Mapping[str, str], *, has_header: bool, others: Sequence[str]) -> TablesOfParts:
    if has_header:
        code = (
            f"import csv,sys; t=[r|{{'split':p}} for p,f in {names!r}.items() for r in csv.DictReader(open(f))]; "
            "w=csv.DictWriter(sys.stdout,t[0]); w.writeheader(); w.writerows(t)"
        )
    else:
        code = (
            "print('path','label','split',sep=';'); [print(*l.strip().split(None,1),p,sep=';') "
            f"for p,f in {names!r}.items() for l in open(f) if l.strip()]"
        )
    also = f" (as do {', '.join(others[:3])})" if others else ""
    return TablesOfParts(
        f"{', '.join(Path(name).name for name in names.values())} label a part of the images each{also}: "
        "one table labels them all here",
        next_step=f"make one of them, in this folder, then go on:\n  {python_line(code)} > labels.csv",
    )
