"""Check nested plain values and return frozen settings, or list every mistake in plain words."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from foldproof import registry
from foldproof.config.schema import TAG_NAME, FoldSource, Settings, leaf_keys
from foldproof.config.yaml_lines import Key
from foldproof.errors import nearest
from foldproof.storage import cleaned, redact

if TYPE_CHECKING:
    from pydantic import TypeAdapter
    from pydantic_core import ErrorDetails

UNKNOWN_KEY = "unknown key"
LARGEST_VALUE = 3.4e38  # of a pixel: float32 holds no more
_MUST_BE = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text",
    "string_too_short": "text",
    "dict_type": "a mapping of names to texts",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "literal_error": "{expected}",
}


@dataclass(frozen=True)
class SettingFinding:
    """What is wrong with a setting, or with several together."""

    keys: tuple[Key, ...]
    text: str


def check(values: Mapping[str, Any]) -> tuple[Settings, tuple[SettingFinding, ...]]:
    """The settings that `values` (a dict of sections, each a dict) describe, and everything wrong with them.

    Types are exact: a bool is not a number and a text is not a number, but a whole number serves where any number does.
    Where something is wrong, the settings returned are the defaults.
    """
    from pydantic import ValidationError

    values = _with_names_of_classes(values)
    findings = [*_unknown_names(values), *_of_too_few_folds(values)]
    settings = Settings()
    try:
        # As JSON, because only there does a strict check take a mapping for a dataclass.
        settings = _adapter().validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        found: defaultdict[Key, list[ErrorDetails]] = defaultdict(list)
        for detail in error.errors(include_url=False):
            found[tuple(map(str, detail["loc"][:2]))].append(detail)
        findings += [SettingFinding((key,), _in_words(key, details)) for key, details in found.items()]
    return settings, tuple(findings)


def _with_names_of_classes(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whole numbers in data.classes are the names of labels: `[0, 1]` in the file is ['0', '1']."""
    data = values.get("data") or {}
    match data.get("classes"):
        case list(classes):
            named: Any = [_name(one) for one in classes]
        case dict(classes):
            named = {label: _name(name) for label, name in classes.items()}
        case _:
            return values
    return {**values, "data": {**data, "classes": named}}


def _name(value: Any) -> Any:
    return str(value) if type(value) is int else value


def contradictions(settings: Settings) -> Iterator[SettingFinding]:
    """Settings that are right one by one and not together."""
    train = settings.train
    if train.portable and train.threads > 1:
        yield SettingFinding((("train", "portable"), ("train", "threads")), "portable needs train.threads: 1")
    if train.portable and settings.execution.device.startswith("cuda"):
        yield SettingFinding((("train", "portable"), ("execution", "device")), "portable trains on the CPU only")
    if train.portable and train.precision != "float32":
        yield SettingFinding((("train", "portable"), ("train", "precision")), "portable needs train.precision: float32")
    if train.portable and train.compile:
        yield SettingFinding((("train", "portable"), ("train", "compile")), "a compiled model is not portable")
    if train.freeze_backbone and train.compile:
        yield SettingFinding(
            (("train", "compile"), ("train", "freeze_backbone")),
            "a frozen backbone runs once, so compiling it does not pay: set train.compile: false",
        )
    if settings.folds.scheme != "stratified" and settings.folds.repeats > 1:
        yield SettingFinding(
            (("folds", "scheme"), ("folds", "repeats")),
            f"'{settings.folds.scheme}' says where each image is: there is nothing to repeat",
        )
    within = settings.data.range
    if within != "auto" and not -LARGEST_VALUE <= within[0] < within[1] <= LARGEST_VALUE:
        yield SettingFinding((("data", "range"),), f"must be {_form(('data', 'range'))}, not {list(within)}")


def unfounded(settings: Settings) -> Iterator[SettingFinding]:
    """What settings say of where labels, groups, folds and own code come from, and cannot; a record has these
    instead.
    """
    yield from _of_patterns(settings)
    yield from _of_sources(settings)
    yield from _of_the_script(settings)
    for name in settings.tracking.tags or {}:
        if not TAG_NAME.fullmatch(name):
            yield SettingFinding(
                (("tracking", "tags"),),
                f"{_shown(name)} cannot be a tag: letters, digits, spaces and _.- make a name, at most 250 of them; "
                "mlflow. and foldproof. at its start are reserved",
            )


def _of_patterns(settings: Settings) -> Iterator[SettingFinding]:
    data, folds = settings.data, settings.folds
    patterns = {("data", "group_by"): data.group_by, ("data", "label_by"): data.label_by}
    for key, pattern in {**patterns, ("folds", "time_by"): folds.time_by}.items():
        try:
            re.compile(pattern or "")
        except (re.error, OverflowError, RecursionError) as error:
            yield SettingFinding((key,), f"not a regular expression: {error}")
    if data.columns and not data.labels:
        yield SettingFinding((("data", "columns"),), "names columns of a table, and data.labels names no table")
    if data.labels and data.label_by:
        yield SettingFinding(
            (("data", "labels"), ("data", "label_by")), "a label comes from the table or from the path: take one out"
        )


def _of_sources(settings: Settings) -> Iterator[SettingFinding]:
    """What only another scheme reads, and what the scheme needs and is not said; by the table of schemes."""
    folds, scheme = settings.folds, ("folds", "scheme")
    if folds == replace(FoldSource(), k=folds.k, seed=folds.seed, repeats=folds.repeats):
        return
    schemes = {name: registry.load("schemes", name) for name in registry.SEAMS["schemes"]}
    for name, row in schemes.items():
        for key in row.reads if name != folds.scheme else ():
            if getattr(folds, key):
                yield SettingFinding((("folds", key), scheme), f"is for folds.scheme: {name}, not {folds.scheme}")
    asked = schemes.get(folds.scheme)
    if asked and asked.needs and not settings.data.labels:
        section, _, key = asked.needs_from.partition(".")
        if not getattr(getattr(settings, section), key):
            yield SettingFinding(
                (scheme,), f"needs {asked.needs}: {asked.needs_from}, or a column of {asked.needs} in data.labels"
            )


def _of_the_script(settings: Settings) -> Iterator[SettingFinding]:
    """Own code is named by its module: what `__main__` is, no worker and no later command can know."""
    for section, values in asdict(settings).items():
        for name, value in values.items() if isinstance(values, dict) else ():
            for one in value if isinstance(value, tuple) else [value]:
                if isinstance(one, str) and one.startswith("__main__:"):
                    attribute = cleaned(one.partition(":")[2], most=60)
                    yield SettingFinding(
                        ((section, name),),
                        f"'__main__:{attribute}' is of the script or notebook that runs, which workers do not have: put"
                        f" it into a file beside the settings, such as own.py, and name own:{attribute}",
                    )


def sections() -> tuple[str, ...]:
    """The names of the sections of a settings file."""
    return tuple(item.name for item in fields(Settings) if is_dataclass(item.default_factory))


def suggestion(key: Key) -> str:
    """The key that was probably meant, as a question, or the keys that there are; for a key (section, name)."""
    *section, name = key
    known = leaf_keys(Settings)
    siblings = tuple(other.partition(".")[2] for other in known if section and other.startswith(f"{section[0]}."))
    if hint := nearest(name, siblings or sections()):
        return hint
    elsewhere = [other for other in known if other.endswith(f".{name}")]
    return f"did you mean '{elsewhere[0]}'?" if elsewhere else f"known: {', '.join(siblings or sections())}"


@cache
def _adapter() -> "TypeAdapter[Settings]":
    from pydantic import TypeAdapter

    return TypeAdapter(Settings)


def _unknown_names(values: Mapping[str, Any]) -> Iterator[SettingFinding]:
    for section, item in _settings_with("seam"):
        seam, value = item.metadata["seam"], values.get(section, {}).get(item.name)
        words = item.metadata.get("words", ())
        for name in value if isinstance(value, list) else [value]:
            if isinstance(name, str) and name not in words and not registry.is_known(seam, name):
                known = (*words, *registry.names(seam))
                hint = nearest(name, known)
                yield SettingFinding(
                    ((section, item.name),),
                    f"must be one of: {', '.join(known)}; or 'your_module:attribute'; not {_shown(name)}"
                    + (f"; {hint}" if hint else ""),
                )


def _of_too_few_folds(values: Mapping[str, Any]) -> Iterator[SettingFinding]:
    """One fold is what data can say, and nothing that can be cut."""
    folds = values.get("folds", {})
    if folds.get("k") == 1 and folds.get("scheme", "stratified") == "stratified":
        yield SettingFinding((("folds", "k"),), "must be at least 2, not 1")


def _settings_with(rule: str) -> Iterator[tuple[str, Any]]:
    for section in sections():
        for item in fields(getattr(Settings(), section)):
            if rule in item.metadata:
                yield section, item


def _in_words(key: Key, details: "list[ErrorDetails]") -> str:
    if any(detail["type"] == "unexpected_keyword_argument" for detail in details):
        return f"{UNKNOWN_KEY}; {suggestion(key)}"
    if form := _form(key):
        return f"must be {form}"
    allowed = list(dict.fromkeys(_allowed(key, detail) for detail in details))
    return f"must be {' or '.join(allowed)}, not {_shown(details[0]['input'])}"


def _form(key: Key) -> str:
    """What a setting that is no single value looks like."""
    forms = (str(item.metadata["form"]) for section, item in _settings_with("form") if (section, item.name) == key)
    return next(forms, "")


def _allowed(key: Key, detail: "ErrorDetails") -> str:
    if detail["type"] == "string_pattern_mismatch":
        return next(
            str(item.metadata["description"])
            for section, item in _settings_with("pattern")
            if (section, item.name) == key
        )
    context = {
        name: f"{value:g}" if isinstance(value, float) else str(value).replace("'", "")
        for name, value in detail.get("ctx", {}).items()
    }
    return _MUST_BE[detail["type"]].format(**context) if detail["type"] in _MUST_BE else detail["msg"]


def _shown(value: Any) -> str:
    match value:
        case None | "":
            return "empty"
        case str():
            text = redact(value)
            return repr(text if len(text) <= 60 else text[:59] + "…")
        case dict():
            return "a mapping"
        case list():
            return "a list"
    return json.dumps(value)[:60]
