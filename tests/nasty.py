"""Values that no run writes, and the places in a document where they can stand: careful damage, drawn by seed."""

import copy
import csv
import io
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from foldproof.events.journal import frame, unframe

DEEP: Any = json.loads("[" * 400 + "]" * 400)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 10**400, -(10**400), 2**63, 2**64, 10**18, 1e308, -1e308, 5e-324, 0.5,
    "", " ", "x", "\0", "a\0b", "\ud800", "\udcff x", "../x", "/etc/passwd", "-x", "nan", "inf", "1e999", "\x1b[31m",
    "\u202egpj.exe", "a\nb\r\nc", "[red]x", "=1+1", "A" * 5000, "é" * 300, "0" * 64, [], {}, [[]], [None], [1, [2]],
    {"a": 1}, {"": {}}, [True], ["\ud800"], DEEP, list(range(2000)),
)  # fmt: skip
CELLS = (
    "", " ", "0", "-1", "1e400", "9" * 400, "nan", "\0", "a\0b", "\x1b]0;x\x07", "\u202e", "x" * 200_000, "../x",
    "=1+1", '"', "'", ",", ";", "\n", "\r", "é", "\ufeff", "-0", "1.0", " 1", "0x1", "１", "True",
)  # fmt: skip
Place = tuple[Any, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """The way to every value within a document."""
    yield at
    if isinstance(value, dict):
        for key, item in value.items():
            yield from places(item, (*at, key))
    elif isinstance(value, list):
        for number, item in enumerate(value[:6]):
            yield from places(item, (*at, number))


def changed(value: Any, at: Place, change: Callable[[Any, Any], None]) -> Any:
    """A copy in which `change(holder, key)` was done at a place."""
    made = {"": copy.deepcopy(value)}
    holder: Any = made
    for key in ("", *at)[:-1]:
        holder = holder[key]
    change(holder, ("", *at)[-1])
    return made.get("")


def spoiled(value: Any, chance: random.Random) -> Any:
    """A document with one value replaced, taken out, doubled or given another name."""
    at = chance.choice(list(places(value)))
    nasty = chance.choice(VALUES)

    def replace(holder: Any, key: Any) -> None:
        holder[key] = nasty

    def take_out(holder: Any, key: Any) -> None:
        del holder[key]

    def double(holder: Any, key: Any) -> None:
        if isinstance(holder, list):
            holder.insert(key, holder[key])
        else:
            holder[f"{key} again"] = holder[key]

    def wrap(holder: Any, key: Any) -> None:
        holder[key] = [holder[key]]

    return changed(value, at, chance.choice((replace, replace, replace, replace, take_out, double, wrap)))


def spoil_json(path: Path, chance: random.Random) -> None:
    made = json.dumps(spoiled(json.loads(path.read_bytes()), chance), ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.05:
        made = made.replace(":", f':"","{chance.choice(["v", "run"])}":', 1)
    path.write_bytes(made.encode("utf-8", chance.choice(["backslashreplace", "surrogatepass"])))


def spoil_journal(path: Path, chance: random.Random) -> None:
    """One event is another; every line is framed as it should be."""
    lines = path.read_bytes().splitlines()
    number = chance.randrange(len(lines))
    event = spoiled(json.loads(unframe(lines[number])), chance)
    made = [frame(unframe(line)) for line in lines]
    made[number] = frame(json.dumps(event).encode())
    path.write_bytes(b"".join(made))


def spoil_csv(path: Path, chance: random.Random) -> None:
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    row = chance.randrange(min(len(rows), 8))
    cell = chance.randrange(len(rows[row])) if rows[row] else 0
    match chance.randrange(6):
        case 0:
            del rows[row][cell]
        case 1:
            rows.insert(row, rows[row])
        case _:
            rows[row][cell] = chance.choice(CELLS)
    made = io.StringIO(newline="")
    csv.writer(made, lineterminator="\n").writerows(rows)
    content = made.getvalue().encode("utf-8", "surrogatepass")
    if chance.random() < 0.1:
        content = content.replace(b"e", chance.choice([b"\xff", b"\0", b'"', b"\r"]), 1)
    path.write_bytes(content)


def spoil_bytes(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.randrange(1, 4)):
        at = chance.randrange(len(content))
        match chance.randrange(4):
            case 0:
                content[at] = chance.randrange(256)
            case 1:
                content[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 2:
                del content[at : at + chance.randrange(1, 9)]
            case _:
                content[at : at + 4] = chance.choice([b"\xff\xff\xff\x7f", b"\xff" * 4, bytes(4)])
    path.write_bytes(bytes(content))


def spoil(path: Path, chance: random.Random) -> None:
    """Change a file in the way of its kind, and now and then any bytes of it."""
    kinds = {".json": spoil_json, ".jsonl": spoil_journal, ".csv": spoil_csv}
    if path.suffix in kinds and chance.random() < 0.9:
        kinds[path.suffix](path, chance)
    else:
        spoil_bytes(path, chance)
