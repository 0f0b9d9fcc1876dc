"""Describe where a record to be checked comes from: the folder of its run, and what came with it."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RecordSource:
    """A record, and what came with it. `is_foreign`: it is no run of the project, so nothing in it is run unasked.

    `with_company`: the other runs of its experiment have to stand beside it. `bundle`: the file that all came out of.
    """

    folder: Path
    is_foreign: bool
    with_company: bool = False
    images: Path | None = None
    wheel: Path | None = None
    bundle: Path | None = None

    def place_of(self, name: str) -> str:
        """Where a person finds a file of the record: by its path, or by its name in the bundle."""
        return str(self.folder / name) if self.bundle is None else f"runs/{self.folder.name}/{name} in {self.bundle}"
