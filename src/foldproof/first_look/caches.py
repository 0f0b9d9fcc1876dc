"""What looks at folders keep: a folder in, its places in the user's cache folder, within a limit, out."""

import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from foldproof.data.dataset import hash_rows

MOST_BYTES = 500_000_000  # of what was found in files, all folders together
FEATURES_GB = 2.0


@dataclass(frozen=True)
class Caches:
    """`root`: of all folders; it holds features. `folder`: of one; it holds what was found in its files."""

    root: Path
    folder: Path

    @staticmethod
    def of(folder: Path, root: Path | None = None) -> "Caches":
        """The caches for `folder`, in `root` or else where the system keeps a user's caches; nothing is made."""
        root = root or platformdirs.user_cache_path("foldproof", appauthor=False) / "try"
        return Caches(root, root / f"folder-{hash_rows([(str(folder.resolve()),)])[:16]}")

    @property
    def index(self) -> Path:
        return self.folder / "index.sqlite"

    def keep_within(self, most_bytes: int = MOST_BYTES) -> None:
        """Remove what was found in the folders that were looked at longest ago, so that all take `most_bytes`."""
        with suppress(OSError):
            self.folder.touch()
        kept = sorted(self.root.glob("folder-*"), key=_last_use, reverse=True)
        total = 0
        for folder in kept:
            total += sum(file.stat().st_size for file in folder.glob("*") if file.is_file())
            if total > most_bytes and folder != self.folder:
                shutil.rmtree(folder, ignore_errors=True)


def _last_use(folder: Path) -> float:
    try:
        return folder.stat().st_mtime
    except OSError:
        return 0.0
