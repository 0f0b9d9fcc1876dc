"""Mistakes with runs, comparisons and files: not there, not one, damaged, a folder where a file is needed."""

from collections.abc import Callable
from pathlib import Path

from mistaken.mistake import Mistake


def journal_damaged(project: Path) -> None:
    """A bit has flipped in the middle."""
    (file,) = project.glob("runs/*/fold-0-0/events.jsonl")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def file(name: str, text: str) -> Callable[[Path], object]:
    """There is a file of this name with this text."""
    return lambda project: (project / name).write_text(text, encoding="utf-8")


MISTAKES = (
    Mistake("Nothing has run yet", "foldproof compare"),
    Mistake("A run that there is not", "foldproof verify FristRun", world="trained"),
    Mistake("The beginning of no run's id", "foldproof verify 1999", world="trained"),
    Mistake("Some other metric", "foldproof compare --metric acuracy", world="trained"),
    Mistake("A damaged run", "foldproof compare FirstRun", journal_damaged, world="trained"),
    Mistake("A folder where a file is needed", "foldproof compare --from photos"),
    Mistake("A table that is not there", "foldproof compare --from results.csv"),
    Mistake("A table without its columns", "foldproof compare --from results.csv", file("results.csv", "a,b\n1,2\n")),
    Mistake("A report where a folder is", "foldproof report -o photos", world="trained"),
    Mistake("A bundle that is not there", "foldproof verify first.zip"),
    Mistake("A bundle that is none", "foldproof verify first.zip", file("first.zip", "no archive")),
    Mistake(
        "A bundle cut short",
        "foldproof bundle FirstRun -o first.zip >&2 && head -c 9000 first.zip > half.zip && foldproof verify half.zip",
        world="trained",
    ),
)
