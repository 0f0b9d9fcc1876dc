"""Find what foldproof would import, contact or read because of a settings file in a folder. Pure, over text."""

from collections.abc import Iterator, Mapping
from typing import Any

from foldproof import registry
from foldproof.config import yaml_lines
from foldproof.config.schema import SETTINGS_FILES
from foldproof.doctor.foreign.finding import Kind, Suspect
from foldproof.doctor.foreign.tree import Tree
from foldproof.errors import FoldproofError

_MOST_BYTES = 2**18
_RUNS_IT = "`run` imports it from the folder"
_IMPORTED: Mapping[str, str] = {  # a setting that names code, whichever section it stands in
    **dict.fromkeys(
        ("backbone", "optimizer", "schedule", "augment", "class_weights", "executor"),
        "`run`, `verify` and `reproduce` import it from the folder",
    ),
    "metric": "`compare` and `report` import it from the folder",
    "scheme": _RUNS_IT,
    "trackers": _RUNS_IT,
}
_PATHS = ("data.path", "data.labels", "data.test", "folds.file")


def check_settings_files(tree: Tree) -> Iterator[Suspect]:
    """Every params.yaml and foldproof.yaml."""
    for entry in tree.entries:
        if entry.is_file and entry.name in SETTINGS_FILES:
            yield from check_text(entry.path, tree.text(entry.path) or "")


def check_text(path: str, text: str) -> Iterator[Suspect]:
    """Own code, hosts and folders that the settings name."""
    if len(text) > _MOST_BYTES:
        yield Suspect("waits", path, f"{len(text):,} characters", "foldproof would read all of it")
        return
    try:
        document = yaml_lines.parse(text, name=path)
    except FoldproofError as error:
        yield Suspect("note", path, error.what, "foldproof cannot read it")
        return
    for key, value in _leaves(document.value):
        finding = _of_setting(key, value)
        if finding is not None:
            kind, effect = finding
            yield Suspect(kind, path, f"{key} = {value}", effect)


def _of_setting(key: str, value: str) -> tuple[Kind, str] | None:
    name = key.rpartition(".")[2]
    if name in _IMPORTED and registry.is_dotted_path(value):
        return "runs", _IMPORTED[name]
    if key.endswith("tracking.uri"):
        return _of_tracking(value)
    if key.endswith(_PATHS) and (value.startswith(("/", "~")) or ".." in value.split("/") or value[1:2] == ":"):
        return "leads out", "foldproof reads images and tables there"
    return None


def _of_tracking(uri: str) -> tuple[Kind, str] | None:
    if "://" in uri and not uri.startswith(("sqlite:", "file:")):
        return "sends", "`run` and `sync` send records there, `doctor` and `ui` connect to it"
    if uri.startswith(("sqlite:////", "file:", "/")) or ".." in uri:
        return "leads out", "`run`, `sync` and `ui` read and write there"
    return None


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text with its dotted key."""
    if isinstance(value, Mapping):
        for name, below in value.items():
            yield from _leaves(below, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list):
        for below in value:
            yield from _leaves(below, key)
    elif isinstance(value, str):
        yield key, value
