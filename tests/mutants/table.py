"""What is mutated, and survivors that are known to be no mistake: from `equivalent.toml`."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from mutants.operators import Mutant

SOURCE = Path(__file__).resolve().parents[2] / "src" / "foldproof"
CODE = (
    *("training/*.py", "training/frozen/*.py", "training/resuming/*.py"),
    *("analysis/*.py", "analysis/statistics/*.py", "analysis/diagnosis/*.py"),
    *("plan/tasks.py", "plan/splits.py", "plan/features.py", "plan/warm_start.py"),
    *("config/identity.py", "folds/*.py", "verify/*.py"),
    *("data/pixels/*.py", "data/rows/*.py"),
)
WORDS = frozenset(("analysis/as_json.py", "analysis/tables.py", "analysis/next_step.py", "analysis/diagnosis/words.py"))
TESTS = ("tests/unit", "tests/properties")  # those that import what is mutated
ALWAYS = (
    "tests/reference/test_training.py",
    "tests/contracts/test_metrics.py",
    "tests/contracts/test_training_tables.py",
)


def files() -> list[Path]:
    """The files whose mistakes would change numbers, keys or verdicts; those that spell are left out."""
    found = {path for pattern in CODE for path in SOURCE.glob(pattern)}
    return sorted(path for path in found if path.relative_to(SOURCE).as_posix() not in WORDS)


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def equivalent() -> Mapping[tuple[str, str, str, str], str]:
    """Why a change changes nothing, by (file, line before, old lines, new lines)."""
    entries = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text(encoding="utf-8"))["mutant"]
    return {(entry["file"], entry["after"], entry["old"], entry["new"]): entry["why"] for entry in entries}


def names(mutant: Mutant) -> tuple[str, str, str, str]:
    """What a mutant is looked up by."""
    return mutant.file, mutant.after, mutant.old, mutant.new
