"""Define the frozen values of labelling: the label of one image and the rules behind it. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, TypeAlias

ROLES = ("path", "label", "group", "fold", "split", "time")
UNLABELLED = "without a row in the table of labels"
IN_NO_FOLDER = "not in a class folder"

Classes: TypeAlias = Mapping[str, str | None] | Sequence[str]


class ImageLabel(NamedTuple):
    """Of one image; empty where nothing is said. `fold`, `split` and `time` are as they were written."""

    label: str
    group: str = ""
    fold: str = ""
    split: str = ""
    time: str = ""


@dataclass(frozen=True)
class Rules:
    """How images are labelled.

    `label_by`: None and "top" are the folder that a path begins with, "parent" the one that the file lies in, else a
    regular expression; None refuses a folder of train/ and val/. `group_by`, `time_by`: likewise, "parent" being the
    folders that are not the class. `table`: a CSV, parquet or spreadsheet file, which then says all that it has a
    column for; `columns`: the names of these by role. `classes`: other names for labels, None to leave one out; or
    those to keep. `held_folder`: below the images, `held_split`: of the table, and what the
    text file `held_list` names are kept apart. `as_folds`: whether
    the parts of a data set, such as train and val, are meant as folds; `exclude`: patterns of
    files that are left out; `below`: the folder below the images in which these lie, as patterns see it before each
    path; `masks`: whether what is called like a mask of another image is one like others, else it is
    left out.
    """

    label_by: str | None = None
    group_by: str | None = None
    time_by: str | None = None
    table: Path | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    classes: Classes | None = None
    held_folder: str | None = None
    held_split: str | None = None
    held_list: Path | None = None
    as_folds: bool = False
    exclude: Sequence[str] = ()
    masks: bool = False
    below: str = ""


@dataclass(frozen=True, kw_only=True)
class Labelling:
    """`said`: of the images that can be trained on; `held_out`: of those kept apart. `left`: why others are neither.

    `labels`: all that were written, before classes were merged. `lacking`: what the table names and is not there.
    `notes`: how labels were understood, in sentences; `written`: how often each spelling of a class comes; `places`:
    where a class was read, as `the column 'rust'`, where that is no table's column of labels and no first folder.
    `idle`: patterns of files to leave out that match none.
    """

    said: Mapping[str, ImageLabel]
    held_out: Mapping[str, ImageLabel] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    labels: frozenset[str] = frozenset()
    lacking: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    written: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)
    idle: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """How labels were understood, and what is not trained on because of what was asked, in sentences."""
        left = Counter(why for why in self.left.values() if why not in (IN_NO_FOLDER, UNLABELLED))
        counted = (f"{count:,} image{'s' if count != 1 else ''} {why}" for why, count in sorted(left.items()))
        return (*self.notes, *counted)
