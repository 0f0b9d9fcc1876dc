"""Define what can be wrong with images: codes with severity, meaning and next step. Pure.

A code never changes its meaning: people and scripts keep them, and excluded.csv holds them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from foldproof.data.labels.copies import COPIES


class Severity(StrEnum):
    """An error stops a run before its first epoch; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True)
class FindingCode:
    """`excludable`: whether `data check --exclude` leaves such files out."""

    severity: Severity
    means: str
    next_step: str
    excludable: bool = False


_EXCLUDE = "replace them by intact copies, or leave them out: `foldproof data check --exclude`"
_CONVERT = "save each as one grey or RGB picture, or leave them out: `foldproof data check --exclude`"
_CLEAN = "remove them, or let them be: they are not trained on"


def _error(means: str, next_step: str, *, excludable: bool = False) -> FindingCode:
    return FindingCode(Severity.ERROR, means, next_step, excludable)


def _warning(means: str, next_step: str) -> FindingCode:
    return FindingCode(Severity.WARNING, means, next_step)


CODES: Mapping[str, FindingCode] = MappingProxyType(
    {
        "damaged": _error("truncated or damaged, cannot be decoded", _EXCLUDE, excludable=True),
        "empty": _error("zero bytes", _EXCLUDE, excludable=True),
        "not-an-image": _error("an image's name, and no image inside", _EXCLUDE, excludable=True),
        "git-lfs-pointer": _error(
            "a pointer of git-lfs: the picture itself is not here", "`git lfs install` and `git lfs pull` bring them"
        ),
        "too-large": _error(
            "more pixels than data.max_megapixels: opening it could exhaust the memory",
            "make them smaller, raise data.max_megapixels, or `foldproof data check --exclude`",
            excludable=True,
        ),
        "unsupported": _error(
            "channels, pages, numbers or a compression that cannot be trained on", _CONVERT, excludable=True
        ),
        "not-finite": _error(
            "values that are no finite numbers",
            "give them a value, or leave them out: `foldproof data check --exclude`",
            excludable=True,
        ),
        "mixed-depth": _error(
            "of another depth than most: 8 bits or more, whole numbers or fractions; no range of values fits both",
            "convert all of them alike, or leave these out: `foldproof data check --exclude`",
            excludable=True,
        ),
        "no-value": _error(
            'one value far from all others makes the range of all images: no measurement, but "no value here"?',
            "set data.range, without that value (it becomes black or white) or with it",
        ),
        "outside-range": _error(
            "all but a few of its values lie outside data.range: it would be white or black",
            "set data.range to what the images hold, or to auto",
        ),
        "brought-to-8-bits": _warning(
            "16 bits among 8-bit images: 65,535, white by its format, becomes 255",
            "nothing, where black and white are meant alike in all of them; else convert them yourself",
        ),
        "read-as-8-bits": _warning(
            "more than 8 bits a channel, in a format that is read with 8: the finest steps are lost",
            "nothing, where 8 bits tell the classes apart; else convert all of them to 16-bit PNG or TIFF",
        ),
        "needless-range": _error(
            "data.range is for images of more than 8 bits a channel", "remove data.range, or set it to auto"
        ),
        "label-conflict": _error(
            "the same pixels in two classes",
            "remove the wrong copy, or leave out all copies: `foldproof data check --exclude`",
            excludable=True,
        ),
        "changed": _error(
            "not what DVC recorded",
            "`foldproof data pull` brings the versioned one back, `foldproof data add` versions it as it is",
        ),
        "missing": _error("DVC recorded it and it is not there", "`foldproof data pull` brings it back"),
        "row-without-image": _error(
            "the table of labels names it and it is not there",
            "`foldproof data pull` where it was versioned, else take its row out of the table",
        ),
        "held-out-twice": _error(
            "an image that is held out (data.test) and trained on as well, by its pixels",
            "take it out of one of the two, or leave it out of the training: `foldproof data check --exclude`",
            excludable=True,
        ),
        "held-out-group": _error(
            "a group of which some images are held out (data.test) and some trained on",
            "put all of the group on one side",
        ),
        "class-too-small": _error(
            "a class with too few separate images to be in every fold", "add images, or set a smaller folds.k"
        ),
        "no-folds": _error(
            "folds cannot be cut as folds.scheme asks", "fix what it names, or choose a different folds.scheme"
        ),
        "unreadable": _error("cannot be read", "fix the permissions, or the disk"),
        "changed-while-read": _error(
            "somebody wrote to it while it was read", "wait until nobody does, then check again"
        ),
        "bit-rot": _error(
            "other bytes than at the last check, though nobody wrote to it",
            "restore it: `foldproof data pull`; and look after the disk",
        ),
        "name-not-utf8": _error("a name that is not UTF-8: neither DVC nor a record can hold it", "rename them"),
        "not-a-file": _error("a pipe, socket, device or broken link among the images", "take them out of the folder"),
        "link": _warning(
            "a link that is not followed: what it leads to is not trained on",
            "replace it by what it leads to, or remove it",
        ),
        "exif-rotated": _warning("EXIF says how to hold it: turned upright", "nothing, unless your other tools do not"),
        "palette": _warning("palette colours: converted to RGB", "nothing, unless the palette has a meaning"),
        "cmyk": _warning("CMYK, the colours of print: converted to RGB", "look whether the colours are right"),
        "alpha": _warning(
            "partly transparent: the colour beneath is used", "look whether that is meant; else flatten them"
        ),
        "animated": _warning("an animation: its first frame is used", "cut it into pictures where that is not meant"),
        "windowed": _warning(
            "DICOM whose own window says what is black and white: brought to 8 bits by it",
            "nothing, where the windows were set alike; else export the values and set data.range",
        ),
        "cut-off": _warning(
            "values outside data.range, more than one in a thousand: they are cut off",
            "look whether that is meant; data.range: auto takes all",
        ),
        "hot-pixels": _warning(
            "a few pixels, perhaps defects of a camera, made data.range over 4 times too wide: images look dark",
            "set data.range to what most values need; what lies outside is cut off",
        ),
        "very-small": _warning("shorter side under 16 pixels", "look whether these are thumbnails"),
        "near-constant": _warning(
            "nearly one single colour: nothing to learn from", "look at them; exclude or remove them"
        ),
        "not-versioned": _warning(
            "DVC does not know it: who has only the versioned images cannot repeat the run", "`foldproof data add`"
        ),
        "held-out-alike": _warning(
            "looks like an image that is held out (data.test)", "look at both; where they are one thing, remove one"
        ),
        "unlabelled": _warning("the table of labels has no row for it, or an empty label: not trained on", _CLEAN),
        "not-read": _warning(
            "pictures of a format that is not read: not trained on",
            "convert them, or see what the line says; `data.exclude` leaves them out without a word",
        ),
        "read-by-content": _warning(
            "no suffix that is known, and a picture inside: trained on",
            "nothing, where that is meant; else leave them out by data.exclude",
        ),
        "name-not-portable": _warning(
            "a name that other systems cannot store: the images cannot be pulled there",
            "rename it if the images must work there too; otherwise leave it",
        ),
        "idle-pattern": _warning("a pattern of data.exclude that matches no file", "correct it, or take it out"),
        "ignored": _warning("not trained on", _CLEAN),
        "editor-checkpoint": _warning("what an editor, a system or a network drive left: not trained on", _CLEAN),
        "case-colliding-classes": _warning(
            "class names that differ only in case or accents: one class on some systems", "merge or rename them"
        ),
        "imbalance": _warning(
            "the largest class has over 10 times the images of the smallest",
            "judge by balanced accuracy; consider train.class_weights: balanced",
        ),
        "sizes-differ-by-class": _warning(
            "one class has other picture sizes than another: a network can tell them by that",
            "bring all classes to one size before training",
        ),
        "formats-differ-by-class": _warning(
            "one class has other file formats than another: compression can tell them apart",
            "take all classes from one source, or convert all of them alike",
        ),
        "shortcut": _warning(
            "the class can be told from the file, without looking at what the picture shows",
            "make that the same for all classes, or expect less on new pictures",
        ),
        "near-label-conflict": _warning("pictures that look alike in two classes", "look which label is right"),
        "copies-by-name": _warning(
            "turned, cut or re-encoded copies of one picture, by their names: a copy may train for another",
            f"keep copies in one fold: data.group_by: '{COPIES}'",
        ),
        "near-group-too-large": _warning(
            "too many pictures look alike to make them one group",
            "look at them; group them with data.group_by",
        ),
        "stale-exclusion": _warning(
            "excluded.csv names an image that is not there any more", "remove its row where it will not come back"
        ),
    }
)


@dataclass(frozen=True, order=True)
class Finding:
    """One thing that is wrong, with the file or the class it is about; `text` is about this one."""

    code: str
    subject: str
    text: str = ""

    @property
    def severity(self) -> Severity:
        return CODES[self.code].severity

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": str(self.severity),
            "subject": self.subject,
            "text": self.text or CODES[self.code].means,
            "next_step": CODES[self.code].next_step,
        }


def group_by_code(findings: Iterable[Finding]) -> Mapping[str, tuple[Finding, ...]]:
    """Errors before warnings, in the order of the table."""
    found: dict[str, list[Finding]] = {code: [] for code in CODES}
    for finding in findings:
        found[finding.code].append(finding)
    ordered = sorted((code for code, some in found.items() if some), key=lambda code: CODES[code].severity)
    return {code: tuple(sorted(found[code])) for code in ordered}
