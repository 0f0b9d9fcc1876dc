"""Replace names that must not leave. Pure."""

import hashlib
from dataclasses import dataclass

from foldproof.storage import cleaned, redact

_JOINER = "\N{ZERO WIDTH JOINER}"  # between parts of one emoji, and in several scripts


@dataclass(frozen=True)
class Privacy:
    """`images`: whether pictures may be shown. `hash_paths`: paths and groups are shown as a short hash of them.

    A hash hides a name from whoever reads it; who guesses a name can check the guess.
    """

    images: bool = True
    hash_paths: bool = False

    def path(self, path: str, *, most: int = 120) -> str:
        """A path as it may be shown; its suffix stays."""
        return _hashed(path) if self.hash_paths else cleaned(redact(path), most=most)

    def group(self, group: str) -> str:
        """A group as it may be shown."""
        return _hashed(group) if self.hash_paths else cleaned(group, most=80)

    def command(self, words: list[str]) -> str:
        """A command line; of an executable, only its name."""
        first, rest = (words[0].replace("\\", "/").rpartition("/")[2], words[1:]) if words else ("", [])
        shown = [self.path(word) if self.hash_paths and _may_be_a_path(word) else word for word in rest]
        return cleaned(redact(" ".join(filter(None, [first, *shown]))), most=500)


def name(text: str, *, most: int = 60) -> str:
    """The name of a class or an experiment as it may be shown."""
    return _JOINER.join(cleaned(part, most=most) for part in text[: most + 1].split(_JOINER))


def _hashed(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]


def _may_be_a_path(word: str) -> bool:
    return "/" in word or "\\" in word or "." in word
