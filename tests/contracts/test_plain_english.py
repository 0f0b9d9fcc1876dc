"""Nobody reads a translation: a few turns that no engineer types stay out of code, help and documents."""

import io
import re
import tokenize
from pathlib import Path

import pytest

import foldproof

ROOT = Path(foldproof.__file__).parent
TOP = Path(__file__).parents[2]
BANNED = re.compile(
    r"\b(mend(s|ed|ing)?|anew|shall|so many (images|epochs|pixels|bytes|seconds)|(is|are) others|"
    r"r[au]n whole|fault of foldproof's)\b",
    re.IGNORECASE,
)
GENERATED = re.compile(r"<!-- \[\[\[cog.*?\[\[\[end\]\]\] -->", re.DOTALL)  # what stands there stands in the code
PRINTED = TOP / "docs" / "reference" / "errors.md"  # likewise
DOCUMENTS = sorted({*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")} - {PRINTED})


def sentences(file: Path) -> dict[int, str]:
    """The strings, docstrings and comments of a module, by line."""
    kinds = {tokenize.STRING, tokenize.COMMENT}
    with io.BytesIO(file.read_bytes()) as content:
        return {token.start[0]: token.string for token in tokenize.tokenize(content.readline) if token.type in kinds}


def turns(text: str) -> list[str]:
    return [found.group() for found in BANNED.finditer(text)]


@pytest.mark.parametrize(
    "turn", ["mend its permissions", "It is made anew.", "what git shall ignore", "the images are others"]
)
def test_a_banned_turn_is_found(turn: str) -> None:
    assert turns(turn)


@pytest.mark.parametrize("room", sorted({path.name for path in ROOT.iterdir() if path.name != "__pycache__"}))
def test_a_room_speaks_plain_english(room: str) -> None:
    files = [ROOT / room] if room.endswith(".py") else sorted((ROOT / room).rglob("*.py"))
    found = {
        f"{file.relative_to(ROOT).as_posix()}:{line}": turns(text)
        for file in files
        for line, text in sentences(file).items()
        if turns(text)
    }
    assert found == {}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(TOP).as_posix())
def test_a_document_speaks_plain_english(document: Path) -> None:
    text = GENERATED.sub(lambda found: "\n" * found.group().count("\n"), document.read_text(encoding="utf-8"))
    assert {text.count("\n", 0, found.start()) + 1: found.group() for found in BANNED.finditer(text)} == {}
