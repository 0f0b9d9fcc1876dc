"""Normalise a cell: whether it holds a value, and the key that all its spellings share. Pure."""

import re
import unicodedata
from collections.abc import Collection, Mapping

_NO_VALUE = frozenset({"", "nan", "+nan", "-nan", "none", "n/a", "na", "<na>", "null", "(null)", "nil", "nat", "#n/a",
                       "#na", "#n/a n/a", "#value!", "#ref!", "#null!", "#div/0!", "#name?", "1.#ind", "-1.#ind",
                       "1.#qnan", "-1.#qnan"})  # fmt: skip
_UNKNOWN = _NO_VALUE | {"-", "--", "---", "–", "—", "?", "??", "???", ".", "_", "-1", "-1.0", "unknown", "unkn", "unk",
                        "not known", "n.a.", "n.a", "not available", "not applicable", "missing", "undefined",
                        "unspecified", "not specified", "anonymous", "anon", "tbd", "other/unknown", "unbekannt",
                        "inconnu", "desconocido"}  # fmt: skip
_WHOLE = re.compile(r"([-+]?)([0-9]+)(?:\.0*|,0{1,2})?")


def is_no_value(text: str) -> bool:
    """Whether a program wrote this where it had nothing: NaN, None, N/A, null, #N/A, or no text at all."""
    return text.strip().casefold() in _NO_VALUE


def is_unknown(text: str) -> bool:
    """Whether this says that something is not known: no value, or a word or sign such as unknown, ?, -."""
    return text.strip().casefold() in _UNKNOWN


def key_of(text: str, *, letters: bool = False) -> str:
    """Equal for all spellings of one value: 7, 7.0 and 007; Benign, benign and `benign `.

    With `letters`, `a` and `A` are two values, as in handwriting.
    """
    if match := _WHOLE.fullmatch(text.strip()):
        return f"{'-' if match[1] == '-' and int(match[2]) else ''}{int(match[2])}"
    words = " ".join(unicodedata.normalize("NFC", text).split())
    return words if letters and len(words) == 1 else words.lower()


def spell_plain(text: str) -> str:
    """A whole number without its `.0`, else the text with single blanks."""
    match = _WHOLE.fullmatch(text.strip())
    return f"{match[1].replace('+', '')}{match[2]}" if match else " ".join(text.split())


def names_of(counts: Mapping[str, int], *, keep: Collection[str] = (), letters: bool = False) -> dict[str, str]:
    """The name of each spelling: of those with one key the most frequent one, or the one in `keep`.

    Where `keep` has several of them, these stay apart.
    """
    by_key: dict[str, list[str]] = {}
    for text in counts:
        by_key.setdefault(key_of(text, letters=letters), []).append(text)
    names: dict[str, str] = {}
    for key, texts in by_key.items():
        kept = sorted({text for text in keep if key_of(text, letters=letters) == key}) if keep else []
        name = kept[0] if len(kept) == 1 else _most_frequent(texts, counts)
        names |= {text: text if len(kept) > 1 and text in kept else name for text in texts}
    return names


def _most_frequent(texts: Collection[str], counts: Mapping[str, int]) -> str:
    total: dict[str, int] = {}
    for text in texts:
        total[spell_plain(text)] = total.get(spell_plain(text), 0) + counts[text]
    return min(total, key=lambda name: (-total[name], name))
