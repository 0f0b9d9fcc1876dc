"""Write the text of a settings file, each line with its reason. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from foldproof.scaffold.choose import Choices
from foldproof.scaffold.groups import GroupPattern

_YAML_WORDS = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})
_COLUMN = 33


def settings_text(choices: Choices, *, experiment: str, candidate: GroupPattern | None = None) -> str:
    """A params.yaml. `experiment`: its name in MLflow. `candidate`: groups that file names may say, as a comment."""
    return "\n".join([*_lines(choices, experiment, candidate), ""])


def _lines(choices: Choices, experiment: str, candidate: GroupPattern | None) -> Iterator[str]:
    yield _line("version: 1", "schema version of this file; `foldproof config` prints every setting there is")
    for section, settings in choices.sections.items():
        yield f"{section}:"
        for name, choice in settings.items():
            yield _line(f"  {name}: {scalar(choice.value)}", choice.why)
        if section == "data" and candidate is not None:
            first, second = (name.rpartition("/")[2] for name in candidate.images)
            yield f"  # Do {first} and {second} belong together? Then take the # of the next line away."
            yield f"  # group_by: {json.dumps(candidate.pattern)}  # {candidate.groups} groups, each in one fold"
    yield _line("experiments:", "each is what stands above, but for what it names")
    for tried in choices.experiments:
        yield _line(f"  {tried.name}: {_flow(tried.changes)}", tried.why)
    yield "tracking:"
    yield _line(
        f"  experiment: {scalar(experiment)}", "its name in MLflow, which keeps it in mlflow.db beside this file"
    )


def _line(text: str, why: str) -> str:
    return f"{text:<{_COLUMN}}# {why}" if len(text) < _COLUMN else f"{text} # {why}"


def _flow(content: Mapping[str, Any]) -> str:
    inner = ", ".join(f"{scalar(name)}: {scalar(value)}" for name, value in content.items())
    return f"{{{inner}}}"


def scalar(value: Any) -> str:
    """A value as YAML; text as it is where it can be nothing but a text, else in quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _flow(value)
    if isinstance(value, list):
        return f"[{', '.join(map(scalar, value))}]"
    if not isinstance(value, str):
        return str(value)
    plain = re.fullmatch(r"[A-Za-z][\w./-]*", value, re.ASCII) and value.lower() not in _YAML_WORDS
    return value if plain else json.dumps(value, ensure_ascii=False)
