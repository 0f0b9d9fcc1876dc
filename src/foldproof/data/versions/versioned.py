"""Compare versioned hashes with the files on disk, and say what the difference means for a run.

Pure. The rule: what can corrupt a result in silence stops; what only weakens the proof is recorded and said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from foldproof.data.versions.lists import Files
from foldproof.data.walk import some
from foldproof.errors import DataError

_UNTOLD = "DVC has lost the list of the versioned files, and it is not that of the files that are there"

State: TypeAlias = Literal["clean", "dirty", "extra", "unversioned"]


@dataclass(frozen=True)
class VersionDifference:
    """Files by relative path, sorted. `extra` files are there and were not versioned."""

    changed: tuple[str, ...]
    missing: tuple[str, ...]
    extra: tuple[str, ...]

    def __str__(self) -> str:
        parts = [(self.changed, "changed"), (self.missing, "missing"), (self.extra, "not versioned")]
        return "; ".join(f"{count_of(names)} {what} ({some(names)})" for names, what in parts if names)


@dataclass(frozen=True, kw_only=True)
class DataVersion:
    """Which version of the images a run was trained on, and how what was there differed from it.

    clean: exactly the versioned files. dirty: files changed or missing, or, where none is named, the list of the
    versioned files is lost and not that of the files that are there. extra: more images than the versioned ones.
    unversioned: DVC does not know the folder.
    """

    state: State
    dvc_hash: str | None = None
    path: str | None = None
    remote: str | None = None
    changed: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values for environment.json."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def compare(recorded: Files, found: Mapping[str, str] | Files) -> VersionDifference:
    """How files that are there differ from those recorded; both map relative paths to MD5 hashes."""
    return VersionDifference(
        changed=tuple(sorted(path for path, md5 in recorded.items() if found.get(path, md5) != md5)),
        missing=tuple(sorted(path for path in recorded if path not in found)),
        extra=tuple(sorted(path for path in found if path not in recorded)),
    )


def judged(difference: VersionDifference) -> State:
    """Changed or missing files are worse than extra ones."""
    if difference.changed or difference.missing:
        return "dirty"
    return "extra" if difference.extra else "clean"


def check(version: DataVersion, *, allow_dirty: bool) -> tuple[str, ...]:
    """One line for each thing that weakens the proof.

    Raises DataError where files changed or are missing, unless that is allowed: then it is one of the lines.
    """
    lines: list[str] = []
    if version.state == "dirty":
        difference = str(VersionDifference(version.changed, version.missing, ())) or _UNTOLD
        if not allow_dirty:
            raise DataError(
                f"these are not the versioned images: {difference}",
                next_step="`foldproof data pull` brings them back, `foldproof data add` versions them as they are;\n"
                "  `--allow-dirty` trains on them and marks the run",
            )
        lines.append(f"not the versioned images: {difference}")
    if version.extra:
        lines.append(f"{count_of(version.extra)} not versioned: {some(version.extra)}")
    if version.state == "unversioned":
        lines.append(
            "not checked: DVC no longer has the list of the versioned files; `dvc push` from where they are"
            if version.dvc_hash
            else "the images are not versioned: `foldproof data add` does it"
        )
    return tuple(lines)


def count_of(names: Sequence[str]) -> str:
    return f"{len(names)} file{'s' if len(names) != 1 else ''}"
