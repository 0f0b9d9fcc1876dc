"""Define `FolderLook`: what was seen of a folder of images, as frozen values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from foldproof.data.labels.copies import COPIES
from foldproof.scaffold.groups import GroupPattern
from foldproof.storage import cleaned

ENOUGH = 0.8  # of the images, that what says their classes must say


@dataclass(frozen=True, kw_only=True)
class FolderLook:
    """What was seen. `path`: the folder of images, relative; `sizes`: width and height in pixels of some of them.

    `label_by`, `group_by`, `table`, `columns` and `test` are as the settings of these names; `groups`: how many there
    are by folders or the table, and the folder of one; `folds`: how many a column of it numbers.
    `candidate`: what names may say of groups.
    `test_list`: the text file that lists the images of a test, which `test` then names too, and how many it lists.
    `classes`: names for the labels, from the file `names_in`; `left_alone`: images that it does not name,
    by the folder they begin with.
    `exclude`: as the setting, what is neither labelled nor a part; `masks`: how many images are masks of others;
    `beside`: other parts of the data set, which are not trained on; `variants`: folders that hold one set in several
    forms, of which one has to be chosen. `note`: by what the labels are; `other`: by what else they may be, with the
    setting; `lost`: what a table says of groups that folders do not, in a sentence.
    """

    path: str
    count_by_class: Mapping[str, int] = field(default_factory=dict)
    label_by: str | None = None
    group_by: str | None = None
    groups: int = 0
    group_example: str = ""
    folds: int = 0
    table: str | None = None
    columns: Mapping[str, str] | None = None
    test: str | None = None
    test_list: str | None = None
    listed: int = 0
    exclude: Sequence[str] = ()
    masks: int = 0
    beside: Sequence[str] = ()
    variants: str = ""
    sizes: Sequence[tuple[int, int]] = ()
    candidate: GroupPattern | None = None
    classes: Mapping[str, str] | None = None
    names_in: str = ""
    left_alone: Mapping[str, int] = field(default_factory=dict)
    note: str = ""
    other: str = ""
    lost: str = ""

    @property
    def grouped(self) -> str:
        """What the groups are, for a person."""
        if self.group_by == COPIES:
            return f"{self.groups} pictures by name, of which these are copies"
        example = f", such as {cleaned(self.group_example, most=60)}" if self.group_example else ""
        if self.table:
            return f"{self.groups} groups by folders called as patients are{example}"
        return (
            f"{self.groups} groups by the folder {'above' if self.label_by == 'parent' else 'below'} the class{example}"
        )

    @property
    def images(self) -> int:
        return sum(self.count_by_class.values())

    @property
    def in_words(self) -> tuple[str, ...]:
        """What was guessed, by what evidence, and the setting that says otherwise."""
        said = []
        if self.table:
            columns = "" if "data.columns" in self.note else "; other columns: data.columns"
            said.append(f"labels: {self.note}{columns}; another table: data.labels")
        elif self.note:
            other = self.other or "data.label_by can say otherwise"
            said.append(f"labels: {self.note} ({phrase_counts(self.count_by_class)}); {other}")
        if self.lost:
            said.append(self.lost)
        if self.classes:
            said.append(f"names of classes: {self.names_in}; data.classes can say otherwise")
        if self.left_alone:
            said.append(f"not labelled, left alone: {phrase_counts(self.left_alone)}")
        return tuple(said)


def phrase_counts(counts: Mapping[str, int]) -> str:
    """The first of them, with how many there are of each."""
    shown = [f"{cleaned(name, most=40)} {count:,}" for name, count in list(counts.items())[:6]]
    return ", ".join(shown) + (", …" if len(counts) > 6 else "")
