"""What a drawn attack is made of: a target and a choice in, an `Attack` out."""

from collections.abc import Callable
from random import Random
from typing import Any

from hostile.attack import Attack, Command, Scene
from hostile.oracle import How
from hostile.values import dumped, fields, shown, some_value

Drawer = Callable[[Random], Attack]
MOST_COMMANDS = 2
OF_BUNDLE: tuple[Command, ...] = (
    *(("verify", "BUNDLE"), ("verify", "BUNDLE"), ("reproduce", "BUNDLE", "--fold", "0"), ("diff", "first", "BUNDLE")),
    *(("diff", "BUNDLE", "first"), ("verify", "RUN"), ("diff", "RUN", "BUNDLE"), ("reproduce", "RUN", "--as-is")),
    *(
        ("reproduce", "RUN", "--fold", "0"),
        ("verify", "RUN", "--images", "images"),
        ("reproduce", "BUNDLE", "--env", "rebuild"),
    ),
)
OF_RUN: tuple[Command, ...] = (
    *(
        ("verify", "FIRST"),
        ("runs",),
        ("compare",),
        ("report",),
        ("report", "--format", "md"),
        ("sync",),
        ("diff", "FIRST", "other"),
    ),
    *(
        ("bundle", "FIRST", "-o", "out.zip"),
        ("bundle", "FIRST", "--anonymous", "--images", "-o", "out.zip"),
        ("run", "--plan"),
    ),
    *(
        ("bundle", "FIRST", "--weights", "--states", "-o", "out.zip"),
        ("reproduce", "FIRST", "--fold", "0"),
        ("doctor",),
    ),
    ("report", "--label-errors", "label-errors.csv"),
)
OF_CLONE: tuple[Command, ...] = (
    *(
        ("doctor",),
        ("data", "check"),
        ("data", "pull"),
        ("data", "add", "images"),
        ("run", "--plan"),
        ("verify", "first"),
    ),
    *(("init",), ("config",), ("compare",), ("report",), ("runs",), ("sync",), ("bundle", "first", "-o", "out.zip")),
    *(("reproduce", "first", "--fold", "0"), ("verify", "BUNDLE"), ("reproduce", "first", "--as-is", "--fold", "0")),
)
OF_DATA: tuple[Command, ...] = (
    *(
        ("data", "pull"),
        ("data", "pull"),
        ("data", "pull", "--force"),
        ("data", "check"),
        ("data", "check", "--exclude"),
    ),
    *(("doctor",), ("run", "--plan"), ("data", "add", "images"), ("verify", "first"), ("data", "check", "--deep")),
)


def attack(
    chance: Random,
    target: str,
    name: str,
    deed: Callable[[Scene], object],
    commands: tuple[Command, ...],
    how: How | None = None,
) -> Attack:
    """With some of the commands."""
    return Attack(target, name, deed, tuple(chance.sample(commands, MOST_COMMANDS)), how or How())


def places(scene: Scene) -> dict[str, str]:
    """What stands for places in bad values."""
    return {"base": str(scene.world.base), "elsewhere": scene.tripwire.address("elsewhere")}


def spoil_field(scene: Scene, content: Any) -> bytes:
    """JSON with one field made bad, gone, or another one's."""
    found = fields(content)
    if not found:
        return dumped(content)
    container, key = scene.chance.choice(found)
    deed = scene.chance.random()
    if deed < 0.85 or isinstance(container, list):
        container[key] = some_value(scene.chance, **places(scene))
    elif deed < 0.93:
        del container[key]
    else:
        container[some_key(scene)] = container[key]
    return dumped(content)


def some_key(scene: Scene) -> str:
    value = some_value(scene.chance, **places(scene))
    return value if isinstance(value, str) and len(value) < 10_000 else shown(value)


def spoil_bytes(chance: Random, content: bytes) -> bytes:
    """Cut, doubled, emptied, flipped, noise or something else altogether."""
    at = chance.randrange(max(1, len(content)))
    noise = chance.randbytes(chance.randrange(1, 400))
    return chance.choice(
        (
            content[:at],
            content + content,
            b"",
            content[:at] + noise + content[at:],
            content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :],
            noise,
            bytes(2**20),
            b"[" * 200_000,
            b"\xff\xfe" + content,
            content.replace(b"\n", b"\r\n"),
            content[: at // 2] + b"\0" * 100 + content[at // 2 :],
            b'"' + b"x" * 200_000,
        )
    )
