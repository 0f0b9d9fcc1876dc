"""Look for secrets in the texts of a bundle before it is written: refuse, leave them out of code.diff, or keep them."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from foldproof.bundle.collect import BundleContents
from foldproof.errors import StorageError
from foldproof.storage.secret_code import Find, find_in_diff, mask_secrets, secrets_in_text

CODE_DIFF = "code.diff"
_TEXTS = (".json", ".jsonl", ".csv", ".md", ".yml", ".html", ".svg", ".txt")
_MOST_NAMED = 3


class SecretsFound(StorageError):
    """A bundle would hold what looks like secrets. `in_code`: all of them stand in uncommitted code."""

    def __init__(self, what: str, *, next_step: str = "", in_code: bool = True) -> None:
        super().__init__(what, next_step=next_step)
        self.in_code = in_code


def settle_secrets(files: Mapping[str, bytes], wanted: BundleContents) -> dict[str, bytes]:
    """The files of a bundle as they may be packed. Raises SecretsFound where nobody has said what to do."""
    if wanted.secrets == "keep":
        return dict(files)
    if found := _outside_code(files):
        raise SecretsFound(
            f"the bundle would hold {_counted(found)}: nothing was written",
            next_step="leave that file out of the run's folder, or pack it as it is with --with-secrets",
            in_code=False,
        )
    if wanted.secrets == "leave out of code":
        return {name: mask_secrets(text) if _is_diff(name) else text for name, text in files.items()}
    finds = [find for name, content in files.items() if _is_diff(name) for find in find_in_diff(content)]
    if finds:
        raise SecretsFound(
            f"the changes to the code that were not committed hold {_counted(finds)}: nothing was written",
            next_step="--redact-code leaves them out, and the changes cannot be applied then\n"
            "--with-secrets packs them as they are, for whoever gets the bundle to read",
        )
    return dict(files)


def _is_diff(name: str) -> bool:
    return PurePosixPath(name).name == CODE_DIFF


def _outside_code(files: Mapping[str, bytes]) -> list[Find]:
    found = []
    for name, content in files.items():
        if name.endswith(_TEXTS):
            text = content.decode("utf-8", "replace")
            found += [Find(name, text.count("\n", 0, start) + 1, what) for start, _, what in secrets_in_text(text)]
    return found


def _counted(finds: Iterable[Find]) -> str:
    lines = sorted({str(find): find.what for find in sorted(finds, reverse=True)}.items())
    named = ", ".join(f"{place} ({what})" for place, what in lines[:_MOST_NAMED])
    more = f" and {len(lines) - _MOST_NAMED} more" if len(lines) > _MOST_NAMED else ""
    return f"what looks like secrets in {len(lines)} line{'s' * (len(lines) > 1)}, {named}{more}"
