"""What each command may change, and whom it may ask: its own workshop. Everything else has to stay as it was."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

_P = "project"
_CACHE = (rf"[+~] {_P}/\.foldproof", rf"[+~-] {_P}/\.foldproof/cache(/.*)?", rf"[+~] {_P}/\.foldproof/[\w-]+\.lock")
_GONE = (rf"[-] {_P}/\.foldproof/(reproduce|rehearsal|try)-[^/]*(/.*)?",)  # what a killed process left
_DVC_TEMPORARY = (rf"[+~-] {_P}/\.dvc/tmp(/.*)?",)
_DVC_MORE = (rf"[+] {_P}/\.dvc/cache(/.*)?", rf"~ {_P}/\.dvc/cache")
_DVC_NAMED = (rf"[+~-] {_P}/\.dvc/(?!config|tmp|cache)[^/]+(/.*)?",)  # a cache that its settings name
_DVC_CACHE = (
    *_DVC_NAMED,
    rf"[+~-] {_P}/\.dvc/cache(/.*)?",
)
_OWN = (r"[+~] home/\.cache", r"[+~-] home/\.cache/foldproof(/.*)?", r"~ home")
_MLFLOW = (
    rf"[+~-] {_P}/mlflow\.db.*",
    rf"[+~] {_P}/mlartifacts(/.*)?",
    rf"[+~] {_P}/runs/[^/]+/(tracking|mlflow)[\w.]*",
)
_REPORT = (rf"[+~-] {_P}/report(\.html|\.md|\.json|_files)(/.*)?",)
_GIT = (rf"[+~-] {_P}/\.git(/.*)?", rf"[+~] {_P}/\.gitignore")
_GIT_OBJECTS = (rf"[+~] {_P}/\.git/(index|objects(/.*)?)", rf"[+~] {_P}/\.gitignore")
_RUN = (
    *(rf"[+~-] {_P}/{name}(/.*)?" for name in ("runs", "plots", r"metrics\.json", r"folds\.csv", r"\.foldproof")),
    *(rf"[+~-] {_P}/dvc\.lock", rf"[+] {_P}/report"),
)
_GIT_INDEX = (rf"~ {_P}/\.git/index",)  # times of files, which git looks up again
_FONTS = (r"~ home", r"[+~] home/\.(cache|config)(/matplotlib(/.*)?)?")  # which matplotlib looks up once
_TORCH = (r"[+~] tmp/torchinductor_\w+(/.*)?",)
MEGABYTES = 10**6


@dataclass(frozen=True)
class Workshop:
    """`may`: patterns of changes; `asks`: roles of addresses it may reach; `usual_bytes`: memory of an honest one.

    `seconds`: after which it is ended; `sync` and `compare --from` have patience with a server that is slow.
    """

    may: tuple[str, ...] = ()
    asks: frozenset[str] = field(default=frozenset())
    usual_bytes: int = 0
    seconds: float = 30.0

    def violations(self, changed: Iterable[str]) -> tuple[str, ...]:
        return tuple(one for one in changed if not any(re.fullmatch(form, one, re.DOTALL) for form in self.may))


def _asks(*roles: str) -> frozenset[str]:
    return frozenset(roles)


_CHECKING = Workshop((*_GIT_INDEX, *_CACHE, *_GONE, *_DVC_TEMPORARY, *_DVC_MORE, *_OWN), _asks("remote"))
WORKSHOPS: dict[str, Workshop] = {
    "verify": _CHECKING,
    "reproduce": Workshop((*_CHECKING.may, *_TORCH), _asks("remote")),
    "diff": Workshop(),
    "compare": Workshop(asks=_asks("tracking"), seconds=150.0),
    "runs": Workshop(),
    "config": Workshop(),
    "completion": Workshop(),
    "complete": Workshop(),
    "doctor": Workshop((*_GIT_INDEX, *_CACHE, *_OWN, *_DVC_TEMPORARY), _asks("tracking", "remote")),
    "bundle": Workshop((rf"[+~] {_P}/[\w.-]+\.zip",)),
    "report": Workshop((*_REPORT, *_FONTS, rf"[+~] {_P}/label-errors\.csv")),
    "sync": Workshop((*_MLFLOW, *_OWN), _asks("tracking"), seconds=150.0),
    "data check": Workshop((*_CACHE, *_DVC_TEMPORARY, *_DVC_MORE, *_OWN, *_GIT_INDEX), _asks("remote")),
    "data check --exclude": Workshop(
        (*_CACHE, *_DVC_TEMPORARY, *_DVC_MORE, *_OWN, *_GIT_OBJECTS, rf"[+~] {_P}/excluded\.csv"), _asks("remote")
    ),
    "data pull": Workshop(
        (
            *(*_DVC_TEMPORARY, *_DVC_CACHE, *_OWN, *_CACHE),
            *(rf"[+~-] {_P}/images(/.*)?", rf"[+~] {_P}/\.foldproof/aside(/.*)?"),
        ),
        _asks("remote"),
    ),
    "data add": Workshop(
        (
            *(*_DVC_TEMPORARY, *_DVC_CACHE, *_OWN, *_CACHE, *_GIT_OBJECTS),
            *(rf"[+~] {_P}/[\w.-]+\.dvc", rf"[+~-] {_P}/images2?(/.*)?"),
        ),
        _asks("remote"),
    ),
    "init": Workshop(
        (*_GIT, rf"[+~] {_P}/\.dvc(/.*)?", rf"\+ {_P}/(params\.yaml|foldproof\.yaml|dvc\.yaml|\.dvcignore)", *_OWN)
    ),
    "try": Workshop((*_OWN, *_TORCH), usual_bytes=1600 * MEGABYTES),
    "run": Workshop(
        (*_GIT_INDEX, *_RUN, *_MLFLOW, *_OWN, *_DVC_TEMPORARY, *_DVC_MORE, *_TORCH),
        _asks("tracking", "remote"),
        usual_bytes=600 * MEGABYTES,
    ),
    "run --plan": Workshop((*_GIT_INDEX, *_CACHE, *_OWN, *_DVC_TEMPORARY, *_DVC_MORE), _asks("remote")),
}


def workshop_of(argv: tuple[str, ...]) -> Workshop:
    """That of the command which `argv` begins with."""
    pair = " ".join(argv[:2])
    options = [f"{words} {option}" for option in argv if option.startswith("--") for words in (pair, argv[0])]
    for words in (*options, pair, argv[0]):
        if words in WORKSHOPS:
            return WORKSHOPS[words]
    raise KeyError(argv)
