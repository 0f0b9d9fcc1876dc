"""Read a settings file and `--set` texts into checked, frozen settings, or report every mistake with its line."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from foldproof.config import layers, yaml_lines
from foldproof.config.check import UNKNOWN_KEY, SettingFinding, check, contradictions, unfounded
from foldproof.config.layers import COMMAND_LINE, Layer, Problem, Written
from foldproof.config.schema import (
    SCHEMA_VERSION,
    SETTINGS_FILES,
    ExecutionConfig,
    ExperimentConfig,
    FoldSettings,
    PixelSettings,
    Settings,
)
from foldproof.config.yaml_lines import Document
from foldproof.errors import SettingsError
from foldproof.storage import read_file, redact, redact_value
from foldproof.storage.limits import SETTINGS_BYTES

_SHOWN = 8


@dataclass(frozen=True, kw_only=True)
class ProjectSettings:
    """What a settings file asks for: the shared sections, and the experiments in the order of the file."""

    file: Path
    settings: Settings
    experiments: tuple[ExperimentConfig, ...]

    @property
    def execution(self) -> ExecutionConfig:
        return self.settings.execution


def load_settings(file: Path, *, overrides: Sequence[str] = ()) -> ProjectSettings:
    """Read and check the settings in `file`; `overrides` such as "train.lr=0.01" win over all that it says.

    A file that names no experiments has one, called "default". Raises SettingsError with everything that is wrong.
    """
    document = _document(file)
    problems: list[Problem] = []
    shared = _layer(layers.shared(document), problems)
    above = _layer(layers.command_line(overrides), problems)
    own = {name: _layer(found, problems) for name, found in layers.experiments(document)}

    for layer in (shared, *({**shared, **changes} for changes in own.values())):  # the file has to be right by itself
        problems += _problems(layer, check(layers.values(layer))[1])
    settings = _settings({**shared, **above}, problems)
    resolved = {
        name: _settings({**shared, **changes, **above}, problems, together=True)
        for name, changes in (own or {"default": {}}).items()
    }
    if problems:
        raise _error(file, problems)
    return ProjectSettings(
        file=file,
        settings=settings,
        experiments=tuple(experiment_of(name, resolved[name]) for name in resolved),
    )


def resolved(settings: ProjectSettings) -> dict[str, Any]:
    """Everything with all defaults filled in, as plain values; itself a settings file, but for secrets."""
    content = asdict(settings.settings)
    tracking = content["tracking"]
    tracking["trackers"] = list(tracking["trackers"])
    tracking["uri"] = tracking["uri"] and redact(tracking["uri"])
    tracking["tags"] = tracking["tags"] and {name: redact_value(name, text) for name, text in tracking["tags"].items()}
    return {
        **content,
        layers.EXPERIMENTS: {config.name: resolved_experiment(config) for config in settings.experiments},
    }


def resolved_experiment(config: ExperimentConfig) -> dict[str, Any]:
    """One experiment with all defaults filled in, as plain values."""
    return {"data": asdict(config.pixels), "folds": asdict(config.folds), "train": asdict(config.train)}


def _document(file: Path) -> Document:
    try:
        text = read_file(file, most_bytes=SETTINGS_BYTES).decode("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"there is no {file}", next_step="make one with `foldproof init`") from None
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be read: {error.strerror}", next_step="fix its permissions, then try again"
        ) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{file.name} is not UTF-8 text", next_step="save it as UTF-8") from error
    document = yaml_lines.parse(text, name=file.name)
    _refuse_foreign(document, file)
    return document


def _refuse_foreign(document: Document, file: Path) -> None:
    if document.value is None:
        raise SettingsError(f"{file.name} is empty", next_step="delete it and let `foldproof init` write one")
    if not isinstance(document.value, dict):
        raise SettingsError(
            f"{file.name} is not a mapping of settings", next_step="`foldproof init` writes one to begin with"
        )
    ours = any(key.partition(".")[0] in layers.TOP_KEYS for key in document.value)
    if not ours and file.name != SETTINGS_FILES[0]:
        raise SettingsError(
            f"{file.name} is not foldproof's: it has none of {', '.join(layers.TOP_KEYS)}",
            next_step="`foldproof init` writes a foldproof.yaml beside it, which is read first",
        )
    version = document.value.get("version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise SettingsError(
            f"{file.name} is of schema version {version}; this foldproof reads up to {SCHEMA_VERSION}",
            next_step="use a newer foldproof",
        )


def _layer(found: Iterable[Written | Problem], problems: list[Problem]) -> Layer:
    layer = {}
    for item in found:
        match item:
            case Problem():
                problems.append(item)
            case Written():
                layer[item.key] = item
    return layer


def _settings(layer: Layer, problems: list[Problem], *, together: bool = False) -> Settings:
    settings, findings = check(layers.values(layer))
    wrong_together = (*contradictions(settings), *unfounded(settings)) if together else ()
    problems += _problems(layer, findings or wrong_together)
    return settings


def _problems(layer: Layer, findings: Iterable[SettingFinding]) -> list[Problem]:
    problems = []
    for finding in findings:
        written = max((layer[key] for key in finding.keys if key in layer), key=_weight)
        problems.append(Problem(written.line, written.name, finding.text))
    return problems


def _weight(written: Written) -> tuple[bool, bool, int]:
    """Which of several places to name: what is special rather than what is shared, then what comes later."""
    return written.line == COMMAND_LINE, written.name.startswith(f"{layers.EXPERIMENTS}."), written.line


def experiment_of(name: str, settings: Settings) -> ExperimentConfig:
    """What of `settings` defines a result."""
    pixels = PixelSettings(**{item.name: getattr(settings.data, item.name) for item in fields(PixelSettings)})
    folds = FoldSettings(**{item.name: getattr(settings.folds, item.name) for item in fields(FoldSettings)})
    return ExperimentConfig(name=name, pixels=pixels, folds=folds, train=settings.train)


def _error(file: Path, problems: Sequence[Problem]) -> SettingsError:
    ordered = sorted(dict.fromkeys(problems), key=lambda found: (found.line == COMMAND_LINE, found.line))
    lines = [f"{_where(file, problem)}: {problem.text}" for problem in ordered]
    if len(lines) > _SHOWN:
        lines = [*lines[:_SHOWN], f"and {len(lines) - _SHOWN} more"]
    return SettingsError("\n".join(lines), next_step=_next_step(file, ordered))


def _where(file: Path, problem: Problem) -> str:
    if problem.line == COMMAND_LINE:
        return f"--set {problem.name}"
    return f"{file.name}, line {problem.line}{': ' if problem.name else ''}{problem.name}"


def _next_step(file: Path, problems: Sequence[Problem]) -> str:
    if all(problem.line == COMMAND_LINE for problem in problems):
        return "`foldproof config` lists every key with its value"
    if file.name != SETTINGS_FILES[0] and any(problem.text.startswith(UNKNOWN_KEY) for problem in problems):
        return f"correct it; or, if such keys are another tool's, put foldproof's own into {SETTINGS_FILES[0]}"
    return f"correct {file.name}, then try again"
