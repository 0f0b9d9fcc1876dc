"""A seed in; a table of labels as somebody might have written it, and what it says of each image, out.

Drawn: encoding, separator, header, how paths, labels and groups are written, columns and lines that say nothing.
"""

import csv
import io
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from random import Random

ENCODINGS = ("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1", "cp1252")
SEPARATORS = (",", ",", ";", "\t", "|", "  ", " ")
ELSEWHERE = (
    r"D:\share\study 7\scans",
    r"C:\Users\eva\photos",
    "/mnt/nas/photos",
    "../input/set/photos",
    "//host/share",
)
WORDS = (
    ("nevus", "melanoma"),
    ("kein Befund", "Läsion"),
    ("größer", "kleiner", "gleich"),
    ("oak", "ash", "elm", "yew"),
)
NONE = ("NaN", "nan", "N/A", "NULL", "#N/A", "None", "")
UNKNOWN = ("nan", "-", "unknown", "Unknown", "?", "")
HEADERS = (("filename", "label", "patient_id"), ("Image ID", "Diagnosis", "PatientID"), ("id", "class", "patientId"))
TITLES = ("Study of spring", "Spring 2021", "Export of spring, 2021", "All leaves; by hand", "Lab|B")
FOREIGN = ("bild", "befund", "fall")


@dataclass(frozen=True)
class Drawn:
    """`content` is the table's, `paths` are the images; `truth` has label and group of those that it labels.

    `group_column`: the name that groups have where no reader can know it, so that it has to be said as not used.
    """

    content: bytes
    paths: tuple[str, ...]
    truth: Mapping[str, tuple[str, str]]
    group_column: str
    told: str


def drawn(seed: int) -> Drawn:
    """A table and the truth that it was made from."""
    chance = Random(seed)
    paths = _paths(chance)
    classes = chance.choice((*WORDS, ("0", "1"), ("0", "1", "2"), ("3", "7", "11")))
    labels = [classes[(number + number // 7) % len(classes)] for number in range(len(paths))]
    groups = [f"{number // 3 + 1}" if chance.random() < 0.9 else "" for number in range(len(paths))]
    path_form, write_path = _path_form(chance, paths)
    label_form, write_label = _label_form(chance, classes)
    group_form, write_group = _group_form(chance)
    kept = [number for number in range(len(paths)) if chance.random() < 0.95]
    rows, truth = [], {}
    for number in kept:
        unlabelled = label_form == "some without" and number % 6 == 5
        written = chance.choice(NONE) if unlabelled else write_label(labels[number])
        rows.append([write_path(paths[number]), written, *([write_group(groups[number])] if group_form else [])])
        if not unlabelled:
            truth[paths[number]] = labels[number], groups[number] if group_form else ""
    chance.shuffle(rows)
    header, rows = _with_columns(chance, rows)
    if not header:
        unknown = f"column {len(rows[0])}" if group_form else ""
    else:
        unknown = FOREIGN[2] if FOREIGN[2] in header else ""
    text, lines = _text(chance, header, rows)
    encoding = chance.choice(ENCODINGS)
    told = f"seed {seed}: {encoding}, {lines}, paths {path_form}, labels {label_form}, groups {group_form or 'none'}"
    return Drawn(text.encode(encoding, errors="replace"), tuple(paths), truth, unknown, f"{told}\n{text[:300]}")


def _paths(chance: Random) -> list[str]:
    count = chance.randint(24, 40)
    match chance.choice(
        ("flat", "flat", "folders", "same names", "numbers", "counted", "another system's letters", "two depths")
    ):
        case "flat":
            return [f"img_{number:03d}.jpg" for number in range(count)]
        case "folders":
            return [f"{('a', 'b')[number % 2]}/scan{number:04d}.png" for number in range(count)]
        case "same names":
            return [f"site{number % 3}/{number // 3 + 1:02d}.png" for number in range(count)]
        case "numbers":
            return [f"{number:05d}.png" for number in range(count)]
        case "counted":
            return [f"{number + 1}.png" for number in range(count)]
        case "another system's letters":
            return [unicodedata.normalize("NFD", f"Grün/blätter_{number:02d}.jpg") for number in range(count)]
    return [f"x{number:02d}.tif" if number % 2 else f"old/x{number:02d}.tif" for number in range(count)]


def _path_form(chance: Random, paths: Sequence[str]) -> tuple[str, Callable[[str], str]]:
    root = chance.choice(ELSEWHERE)
    apart = "\\" if "\\" in root else "/"
    forms: dict[str, Callable[[str], str]] = {
        "as they are": str,
        "from the project": lambda path: f"photos/{path}",
        "dot": lambda path: f"./{path}",
        "names": lambda path: PurePosixPath(path).name,
        "stems": lambda path: PurePosixPath(path).stem,
        "elsewhere": lambda path: f"{root}{apart}{path.replace('/', apart)}",
        "elsewhere, flat": lambda path: f"{root}{apart}{PurePosixPath(path).name}",
        "case": lambda path: path.upper(),
        "suffix": lambda path: str(PurePosixPath(path).with_suffix(".dcm")),
        "bare": lambda path: str(PurePosixPath(path).with_suffix("")),
        "slash": lambda path: f"/{path}",
        "no zeros": lambda path: PurePosixPath(path).stem.lstrip("0") or "0",
        "floats": lambda path: f"{PurePosixPath(path).stem.lstrip('0') or '0'}.0",
    }
    name = chance.choice(list(forms))
    return name, lambda path: unicodedata.normalize("NFC", forms[name](path))


def _label_form(chance: Random, classes: Sequence[str]) -> tuple[str, Callable[[str], str]]:
    if classes[0].isdigit():
        name = chance.choice(("as they are", "floats", "some floats", "some without"))
        forms: dict[str, Callable[[str], str]] = {
            "floats": lambda label: f"{label}.0",
            "some floats": lambda label: chance.choice((label, f"{label}.0")),
        }
        return name, forms.get(name, str)
    name = chance.choice(("as they are", "case", "blanks", "some without"))
    words: dict[str, Callable[[str], str]] = {
        "case": lambda label: chance.choice(
            (label, label.upper() if "ß" not in label else label.title(), label.title())
        ),
        "blanks": lambda label: chance.choice((label, f" {label}", f"{label} ")),
    }
    return name, words.get(name, str)


def _group_form(chance: Random) -> tuple[str, Callable[[str], str]]:
    forms: dict[str, Callable[[str], str]] = {
        "": str,
        "numbers": lambda group: group or chance.choice(UNKNOWN),
        "some floats": lambda group: chance.choice((group, f"{group}.0")) if group else chance.choice(UNKNOWN),
        "names": lambda group: f"P{int(group):03d}" if group else chance.choice(UNKNOWN),
        "case": lambda group: f"{chance.choice('Pp')}{group}" if group else chance.choice(UNKNOWN),
    }
    name = chance.choice(list(forms))
    return name, forms[name]


def _with_columns(chance: Random, rows: list[list[str]]) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, none at times, and rows with others among them: coordinates, ages, a number a row."""
    wide = len(rows[0])
    header = list(chance.choice((*HEADERS, *HEADERS, FOREIGN))[:wide])
    extra = chance.choice(("", "", "x and y", "age", "index", "id"))
    match extra:
        case "x and y":
            header[1:1] = ["x", "y"]
            rows = [[row[0], str(chance.randint(0, 3)), str(chance.randint(0, 3)), *row[1:]] for row in rows]
        case "age":
            header.append("age")
            rows = [[*row, str(chance.randint(20, 80))] for row in rows]
        case "index":
            header.insert(0, "")
            rows = [[str(number), *row] for number, row in enumerate(rows)]
        case "id":
            header.insert(0, "nr")
            rows = [[str(number + 1), *row] for number, row in enumerate(rows)]
    if chance.random() < 0.15:
        rows = [*rows, *rows[:3]]
    return ([] if extra != "x and y" and chance.random() < 0.2 else header), rows


def _text(chance: Random, header: list[str], rows: list[list[str]]) -> tuple[str, str]:
    separator = chance.choice(SEPARATORS)
    end = chance.choice(("\n", "\n", "\r\n"))
    made = io.StringIO()
    table = [header, *rows] if header else rows
    if separator.strip(" ") == "":
        for row in table:
            cells = [f'"{cell}"' if not cell or " " in cell else cell for cell in row]
            made.write(separator.join(cells) + end)
    else:
        quoting = chance.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))
        csv.writer(made, delimiter=separator, lineterminator=end, quoting=quoting).writerows(table)
    text = made.getvalue()
    odd = chance.choice(("", "", "", "", "sep", "comment", "title", "trailing", "again", "blank lines"))
    match odd:
        case "sep" if separator in ",;|":
            text = f"sep={separator}{end}{text}"
        case "comment":
            text = f"# made by hand, 2020; version 2{end}{text}"
        case "title":
            text = f"{chance.choice(TITLES)}{chance.choice((end, end + end))}{text}"
        case "trailing" if separator in ",;|":
            first, _, rest = text.partition(end)
            text = first + end + rest.replace(end, separator + end)
        case "again" if header:
            lines = text.split(end)
            text = end.join([*lines[:9], lines[0], *lines[9:]])
        case "blank lines":
            text = text.replace(end, end + end, 5)
    return text, f"{separator!r}, header {header}, {odd or 'plain'}"
