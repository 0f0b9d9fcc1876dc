"""Values that no honest record holds: paths that lead away, hashes that are none, numbers and texts beyond all."""

import json
import sys
from random import Random
from typing import Any

_DEEP: Any = json.loads("[" * 300 + "]" * 300)
UP = "/../../../../../../"
PATHS = (
    *("../x", "../../canary/thesis.txt", "../../canary/site-packages/x.pth", "../../../canary/id_rsa", "/etc/hostname"),
    *("{base}/canary/thesis.txt", "{base}/canary/x.pth", "..", ".", "", "/", "~/x", "C:\\x", "..\\..\\x", "a/../../x"),
    *("cat/../../../canary/id_rsa", "a\0b", "x" * 5000, "/".join("x" * 40), "-rf", "--output=../canary/thesis.txt"),
    *(
        "line\nnext",
        "owned\x1b[2J",
        "photo\u202egnp",
        "half\ud800",
        "/dev/zero",
        "/dev/stdin",
        "/proc/self/mem",
        "file:///x",
    ),
    *("http://{elsewhere}/x", "\\\\{elsewhere}\\x", "images/0000002.png", "CON", "x:y", " ", "run.json", ".git/config"),
)
HASHES = (
    *(
        f"05{UP}canary/thesis.txt",
        f"05{UP}canary/other.dir",
        "0" * 64,
        "0" * 32,
        "F" * 64,
        "g" * 64,
        "0" * 63,
        "0" * 40,
    ),
    *(
        "--output=../canary/thesis.txt",
        "HEAD",
        "HEAD:params.yaml",
        "@{upstream}",
        "-",
        "0" * 5000,
        "",
        "0" * 32 + ".dir",
    ),
)
NUMBERS = (
    *(10**400, -(10**400), -1, 0, 2**31, 2**63, 2**64, 10**30, 1e308, -0.0, 5e-324, True, False, 0.1),
    *(float("nan"), float("inf"), "10", "1e400", "NaN", "9" * 5000),
)
SHAPES: tuple[Any, ...] = (
    *(
        None,
        [],
        {},
        [[]],
        {"": ""},
        [None],
        ["x"] * 10_000,
        {"a": {"b": {"c": "d"}}},
        _DEEP,
        "x" * 2_000_000,
        list(range(5000)),
    ),
    *({"__class__": "os.system"}, "!!python/object/apply:os.system ['true']", ["a", "a"], {"a": 10**400}),
)
NAMES = (
    *(
        "$(touch {base}/canary/ran-name)",
        "`touch {base}/canary/ran-name`",
        "x;touch {base}/canary/ran-name",
        "--help",
        "-o",
    ),
    *(
        "[red]x[/red]",
        "[link=file:///etc/passwd]a[/link]",
        "<script>alert(1)</script>",
        "=cmd|' /C calc'!A0",
        "%s%n",
        "{0.__class__}",
    ),
    *(
        "evil:fn",
        "os:system",
        "builtins:exec",
        "pickle:loads",
        "os.path:join",
        "..evil:fn",
        "evil:fn:fn",
        "\u202e",
        "\x1b]0;x\x07",
    ),
)
ALL: tuple[tuple[Any, ...], ...] = (PATHS, HASHES, NUMBERS, SHAPES, NAMES)


def some_value(chance: Random, **names: str) -> Any:
    """One of them, each kind as often."""
    return filled(chance.choice(chance.choice(ALL)), **names)


def some_path(chance: Random, **names: str) -> str:
    return str(filled(chance.choice(PATHS), **names))


def filled(value: Any, **names: str) -> Any:
    """`value` with the places of this world in it."""
    if isinstance(value, str):
        for name, text in names.items():
            value = value.replace("{" + name + "}", text)
    return value


def shown(value: Any) -> str:
    """A value in few characters."""
    try:
        text = ascii(value)
    except ValueError:  # more digits than Python prints
        text = "a number of many digits"
    return text if len(text) <= 60 else f"{text[:50]}… ({len(text):,})"


def fields(content: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) below a JSON value."""
    keys = (
        list(content) if isinstance(content, dict) else list(range(len(content))) if isinstance(content, list) else []
    )
    found = [(content, key) for key in keys]
    for key in keys[:200]:
        found += fields(content[key])
    return found


def dumped(content: Any) -> bytes:
    """As JSON, also where it has more digits than Python prints or nests deep."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(content).encode()
    finally:
        sys.set_int_max_str_digits(before)
