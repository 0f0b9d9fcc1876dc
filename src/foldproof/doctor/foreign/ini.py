"""Read the settings of git and DVC as text, and judge them by rules. Pure; follows no include."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from foldproof.doctor.foreign.finding import Kind, Suspect

_SECTION = re.compile(r"""\s*\[\s*(?P<quote>'?)\s*(?P<name>[^\s"'\]]+)(\s+"(?P<below>(?:[^"\\]|\\.)*)")?\s*'?\s*\]""")
_KEY = re.compile(r"\s*(?P<key>[^=\s#;][^=]*?)\s*(=\s*(?P<value>.*))?$", re.DOTALL)


class Setting(NamedTuple):
    """`key`: section, what is quoted and name, with points between them; all but the quoted part is lower-case."""

    key: str
    value: str
    line: int


class KeyRule(NamedTuple):
    """A setting whose key and value fit; what it does."""

    key: str
    kind: Kind
    effect: str
    value: str = ".*"

    def fits(self, setting: Setting) -> bool:
        flags = re.IGNORECASE | re.DOTALL
        return bool(re.fullmatch(self.key, setting.key, flags) and re.fullmatch(self.value, setting.value, flags))


def judged(path: str, text: str, rules: Iterable[KeyRule]) -> Iterator[Suspect]:
    """The settings in a file that name programs, hosts, files and folders; of each the first rule that fits."""
    for setting in settings_of(text):
        rule = next((rule for rule in rules if rule.fits(setting)), None)
        if rule is not None:
            yield Suspect(rule.kind, f"{path}, line {setting.line}", f"{setting.key} = {setting.value}", rule.effect)


def settings_of(text: str) -> Iterator[Setting]:
    """Every setting in the order of the text. What is no setting is passed over."""
    section = ""
    for number, line in _lines(text):
        if match := _SECTION.match(line):
            below = re.sub(r"\\(.)", r"\1", match["below"] or "")
            section = match["name"].lower() + (f".{below}" if match["below"] is not None else "")
            line = line[match.end() :]
        if (match := _KEY.fullmatch(line)) and section:
            yield Setting(f"{section}.{match['key'].lower()}", (match["value"] or "").strip(), number)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that ends with a backslash goes on in the next."""
    begun, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        start = start or number
        if line.endswith("\\") and not line.endswith("\\\\"):
            begun += line[:-1]
            continue
        yield start, begun + line
        begun, start = "", 0
    if begun:
        yield start, begun
