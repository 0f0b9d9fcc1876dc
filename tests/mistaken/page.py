"""Mistakes and what was printed in; docs/reference/errors.md out, and what it says of each, read back."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from mistaken import in_images, in_runs, in_settings, in_tracking, in_versions, on_machines
from mistaken.mistake import Mistake

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "errors.md"
GROUPS: Mapping[str, Sequence[Mistake]] = {
    "Settings and what is typed": in_settings.MISTAKES,
    "Images": in_images.MISTAKES,
    "git and DVC": in_versions.MISTAKES,
    "MLflow": in_tracking.MISTAKES,
    "Runs and files": in_runs.MISTAKES,
    "The machine": on_machines.MISTAKES,
}
MISTAKES = tuple(mistake for group in GROUPS.values() for mistake in group)
_HEAD = """\
# Mistakes and what foldproof says

What is printed for every mistake below, as it was printed: `make errors` makes each of them in a project of its own,
with real git, DVC, MLflow, servers, disks and permissions, and writes this page; a test makes them all again and
compares.

- At most three lines, the last of them the next step, on stderr. Never a traceback.
- Exit 2: a mistake that you can fix, as all below. 1: it ran, and the answer is no. 130, 143: interrupted.
- `foldproof --debug COMMAND`, or `FOLDPROOF_DEBUG=1`, prints the traceback first. The exit code stays the same.
- Exit 70, and `unexpected:` at the beginning: a bug in foldproof. Its traceback lies in a file that is named;
  please report it with that file, which holds no passwords.
"""


def page(told: Mapping[str, str]) -> str:
    """The page; `told` says what was printed by the slug of the mistake."""
    parts = [_HEAD]
    for title, group in GROUPS.items():
        here = [mistake for mistake in group if mistake.slug in told]
        rows = [f"| [{one.title}](#{_anchor(one.title)}) | `{one.typed}` |" for one in here]
        parts += [f"## {title}\n", "| what is wrong | typed |\n|---|---|", "\n".join(rows), ""]
        parts += [f"### {one.title}\n\n```\n$ {one.typed}\n{told[one.slug]}\n```\n" for one in here]
    return "\n".join(parts)


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def on_the_page(mistake: Mistake) -> str:
    """What the committed page says that it prints; empty where it is not there."""
    section = re.search(
        rf"^### {re.escape(mistake.title)}\n\n```\n\$ [^\n]*\n(.*?)\n```$",
        PAGE.read_text(encoding="utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    return section[1] if section else ""
