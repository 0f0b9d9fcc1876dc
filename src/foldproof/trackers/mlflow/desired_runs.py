"""Describe the MLflow runs that should stand for a run's folder. Pure."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from foldproof.config.recorded import SECTIONS
from foldproof.config.schema import TAG_NAME
from foldproof.data.checks.card import DATA_CARD, DATA_CARD_PAGE
from foldproof.events.fold_id import FoldId
from foldproof.events.journal import FILE_NAME
from foldproof.events.types import ArtifactAdded, Event, FoldFailed, FoldFinished, FoldResumed, FoldStarted
from foldproof.records.facts import range_in_use, reseed_of
from foldproof.records.record import PRIVATE_REPORT_FOLDER
from foldproof.storage import cleaned, cleaned_lines, redact, redact_value, regular_inside
from foldproof.trackers.mlflow.points import Point, class_keys, fold_points, run_points
from foldproof.trackers.mlflow.run_folder import RunContent

PROJECTION_VERSION = 1
RUN_ID = "foldproof.run_id"
PLACE = "foldproof.place"
SEAL = "foldproof.projected"
FAILURE = "foldproof.failure"
RESEED_OF = "foldproof.reseed_of"
BEGINS_WITH = "foldproof.begins_with"
PARENT = "mlflow.parentRunId"
DIGEST_CHARACTERS = 36  # the most MLflow takes
_STATUS = {"finished": "FINISHED", "failed": "FAILED", "interrupted": "KILLED"}
_LAST_FILES = ("model.safetensors", "predictions.parquet", FILE_NAME)
_RECORD_FILES = (FILE_NAME, "steps.f32", "predictions.parquet")  # of a fold: what it takes to check and to repeat it
_FIRST_FILES = ("run.json", "environment.json", "dataset.json", "folds.csv", "code.diff", DATA_CARD, DATA_CARD_PAGE)
MOST_UPLOAD_BYTES = 16 * 2**30
_MOST_TAG = 2000  # characters
_NOTE = """\
{folds} folds{repeats}, run `{run}` of foldproof.

- `cv_accuracy_mean`, `cv_accuracy_std`: accuracy on the validation part at the last epoch, over folds (sample sd)
- `cv_avg_best_val_accuracy`, `cv_avg_best_val_loss`: each fold at its own best epoch. Optimistic: not for choosing.
- `mean_…`, `sd_…`: over folds, for every epoch
- `recall_class_00`… in the nested runs: classes as in `classes.json`
"""


@dataclass(frozen=True)
class Upload:
    """The file `name` of a run's folder, which belongs into the folder `to` of its artifacts.

    Another `version` is sent again.
    """

    folder: Path
    name: str
    to: str = ""
    version: int = 0

    def file(self) -> Path | None:
        """Where it is, None where it is not. Raises DamagedFile where it is not a plain file inside the folder."""
        try:
            return regular_inside(self.folder, self.name, most_bytes=MOST_UPLOAD_BYTES)
        except FileNotFoundError:
            return None


@dataclass(frozen=True, kw_only=True)
class DesiredRun:
    """A run as MLflow should hold it. `fold_id` is None for the parent; `events` is how many it projects."""

    run: str
    fold_id: FoldId | None
    name: str
    started: float
    first_tags: Mapping[str, str] = field(default_factory=dict)  # a person may change them
    tags: Mapping[str, str]
    params: Mapping[str, str]
    points: tuple[Point, ...]
    uploads: tuple[Upload, ...]
    texts: Mapping[str, str] = field(default_factory=dict)  # artifact to content
    dataset: Mapping[str, str] | None = None
    status: str
    ended: float | None
    events: int

    @property
    def seal(self) -> str:
        """What says that nothing is lacking; empty while more may come."""
        return "" if self.status == "RUNNING" else f"{PROJECTION_VERSION}:{self.events}:{self.status}"


def sealed_events(seal: str) -> int:
    """How many events a run with this seal is the projection of; 0 without one."""
    parts = seal.split(":")
    return int(parts[1]) if len(parts) == 3 and parts[1].isdecimal() else 0


def desired_runs(content: RunContent, *, abandoned: bool, private: bool = False) -> Iterator[DesiredRun]:
    """The parent first, then a run for every fold that has begun.

    `abandoned`: whoever wrote the journals is gone, so what has not ended was killed. `private`: nothing that names a
    path is sent; of the files, only weights and the report that was made so. Raises DamagedFile, before the first of
    them, where a file that would be sent lies elsewhere.
    """
    runs = [_parent(content, abandoned=abandoned)]
    runs += [
        _child(content, fold_id, events, abandoned=abandoned) for fold_id, events in content.by_fold.items() if events
    ]
    for upload in (upload for run in runs for upload in run.uploads):
        upload.file()
    for desired in runs:
        yield _without_paths(desired) if private else desired


def _without_paths(desired: DesiredRun) -> DesiredRun:
    """The same without what names a path: files, the command as it was typed, why a fold failed, where images lie."""
    kept = (f"{PRIVATE_REPORT_FOLDER}/", "model.safetensors")
    return replace(
        desired,
        uploads=tuple(one for one in desired.uploads if one.name.startswith(kept[0]) or one.name.endswith(kept[1])),
        tags={name: text for name, text in desired.tags.items() if name not in (FAILURE, "mlflow.source.name")},
        dataset=desired.dataset and {**desired.dataset, "name": "images", "source": "{}"},
    )


def _parent(content: RunContent, *, abandoned: bool) -> DesiredRun:
    facts, record = content.facts, content.record
    status = _STATUS.get(record.status, "RUNNING")
    ended = record.ended_at if status != "RUNNING" else None
    if status == "RUNNING" and abandoned:
        status, ended = "KILLED", content.last_event.time
    points = run_points(record, content.by_fold)
    folds = facts["config"]["folds"]
    repeats = f" x {folds['repeats']} repeats" if folds["repeats"] > 1 else ""
    return DesiredRun(
        run=record.run,
        fold_id=None,
        name=record.title,
        started=content.events[0].time,
        first_tags={
            **_given(content.environment),
            "mlflow.note.content": _NOTE.format(folds=folds["k"], repeats=repeats, run=record.run),
        },
        tags={RUN_ID: record.run, **_again(facts), **_origin(content), **_infinite(points)},
        params=parameters(facts),
        points=points,
        uploads=(
            *(Upload(content.folder, name) for name in _FIRST_FILES),
            *_added(content.folder, content.events),
            *(_record(content) if status != "RUNNING" else ()),
        ),
        texts={"classes.json": json.dumps(class_keys(content.classes), indent=1, ensure_ascii=False)},
        dataset=dataset_input(facts, content.environment, content.card),
        status=status,
        ended=ended,
        events=len(content.events) + sum(map(len, content.by_fold.values())),
    )


def _child(content: RunContent, fold_id: FoldId, events: tuple[Event, ...], *, abandoned: bool) -> DesiredRun:
    facts = content.facts
    repeat, fold = fold_id
    ended = _end(events)
    status, ended_at = _child_status(content, fold_id, ended)
    if status == "RUNNING" and abandoned:
        status, ended_at = "KILLED", content.last_event.time
    points = fold_points(events, content.classes)
    return DesiredRun(
        run=content.record.run,
        fold_id=fold_id,
        name=f"fold-{repeat}-{fold}" if facts["config"]["folds"]["repeats"] > 1 else f"fold-{fold}",
        started=events[0].time,
        first_tags=_given(content.environment),
        tags={
            RUN_ID: content.record.run,
            PLACE: f"{repeat}-{fold}",
            **_origin(content),
            **_beginning(content, fold_id),
            **_outcome(ended),
            **_infinite(points),
        },
        params={**parameters(facts), "repeat": str(repeat), "fold": str(fold), **_sizes(events)},
        points=points,
        uploads=(
            *_added(content.folder, events),
            *(_last(content.folder, fold_id, events) if status != "RUNNING" else ()),
        ),
        status=status,
        ended=ended_at,
        events=len(events),
    )


def _child_status(content: RunContent, fold_id: FoldId, ended: Event | None) -> tuple[str, float | None]:
    record = content.record
    if ended is not None and fold_id in record.finished:
        return "FINISHED", ended.time
    if ended is not None and fold_id in record.failed:
        return "FAILED", ended.time
    if record.status != "running":
        return "KILLED", record.ended_at
    return "RUNNING", None


def _end(events: tuple[Event, ...]) -> Event | None:
    """How a fold ended; a failure that it went on after is none."""
    decisive = (FoldFinished, FoldFailed, FoldStarted, FoldResumed)
    last = next((event for event in reversed(events) if isinstance(event.body, decisive)), None)
    return last if last and isinstance(last.body, FoldFinished | FoldFailed) else None


def parameters(facts: Mapping[str, Any]) -> dict[str, str]:
    """The settings by short names: those of `train` and of the pixels without their section, `folds.k`, `folds.seed`.

    `image_size` is the one that was used where the settings say auto, and `range`, of images of more than 8 bits, too.
    Defaults are there where the run has recorded them.
    """
    full = facts.get("settings") or {}
    config = {part: {**facts["config"][part], **full.get(section, {})} for part, section in SECTIONS.items()}
    named = {f"folds.{key}": value for key, value in config["folds"].items()}
    for section in ("pixels", "train"):
        for key, value in config[section].items():
            named[f"{section}.{key}" if key in named else key] = value
    named["image_size"] = facts.get("image_size", named.get("image_size"))
    if (within := range_in_use(facts)) is not None:
        named["range"] = str(within)
    return {key: str(value) for key, value in sorted(named.items())}


def dataset_input(facts: Mapping[str, Any], environment: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, str]:
    """The fields of MLflow's `Dataset`: what the images are called, proved by, come from and amount to."""
    data = environment.get("data") or {}
    path = str(facts.get("data_path") or data.get("path") or "images").removesuffix(".dvc")
    source = {"uri": path, "dvc_hash": data.get("dvc_hash"), "remote": data.get("remote")}
    return {
        "name": _text(path, most=500),
        "digest": str(facts["fingerprint"])[:DIGEST_CHARACTERS],
        "source_type": "local",
        "source": redact(json.dumps({key: str(value)[:4096] for key, value in source.items() if value})),
        "profile": json.dumps({"images": facts["images"], "classes": len(facts["classes"]), **_profile(card)}),
    }


def _profile(card: Mapping[str, Any]) -> dict[str, Any]:
    """What MLflow shows of the data card beside the dataset."""
    findings = {code: item["count"] for code, item in card.get("findings", {}).items()}
    parts = ("groups", "duplicates", "excluded", "sizes", "formats")
    shown = {name: card[name] for name in parts if card.get(name)}
    return {"images_by_class": card["classes"], **shown, "findings": findings} if card else {}


def _origin(content: RunContent) -> dict[str, str]:
    facts, environment = content.facts, content.environment
    git, data = environment.get("git") or {}, environment.get("data") or {}
    command = [str(part) for part in environment.get("command") or ["foldproof"]]
    tags = {
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": _text(shlex.join([Path(command[0]).name, *command[1:]]), most=500),
        "mlflow.source.git.commit": git.get("commit"),
        "mlflow.source.git.branch": git.get("branch"),
        "foldproof.git.dirty": str(bool(git.get("dirty"))).lower() if git else "no git",
        "foldproof.dvc.hash": data.get("dvc_hash"),
        "foldproof.data.state": data.get("state"),
        "foldproof.identity": facts["identity"],
        "foldproof.fingerprint": facts["fingerprint"],
        "foldproof.folds": facts.get("folds_digest"),
        "foldproof.version": environment.get("foldproof"),
        "foldproof.numeric_fingerprint": (environment.get("numeric_class") or {}).get("fingerprint"),
    }
    return {key: _text(value) for key, value in tags.items() if value}


def _given(environment: Mapping[str, Any]) -> dict[str, str]:
    """The tags that the settings asked for when the run began; a record from elsewhere may hold what they refuse."""
    tags = environment.get("tags") or {}
    return {name: _text(redact_value(name, str(text))) for name, text in tags.items() if TAG_NAME.fullmatch(name)}


def _text(value: object, *, most: int = _MOST_TAG) -> str:
    return cleaned(redact(str(value)[: 2 * most]), most=most)


def _again(facts: Mapping[str, Any]) -> dict[str, str]:
    """The run of which this one trained one fold again."""
    again = reseed_of(facts)
    return {RESEED_OF: again.run} if again else {}


def _beginning(content: RunContent, fold_id: FoldId) -> dict[str, str]:
    """Whose epochs a fold begins with, where it begins with any."""
    reuse = content.record.reused.get(fold_id)
    return {BEGINS_WITH: f"{reuse} (run {reuse.run})"} if reuse else {}


def _outcome(ended: Event | None) -> dict[str, str]:
    match ended.body if ended else None:
        case FoldFinished(weights_sha256=weights, predictions_sha256=predictions):
            return {"foldproof.weights_sha256": _text(weights), "foldproof.predictions_sha256": _text(predictions)}
        case FoldFailed(error=error, reason=text):
            return {FAILURE: cleaned_lines(redact(f"{error}: {text}"))[:_MOST_TAG]}
    return {}


def _sizes(events: tuple[Event, ...]) -> dict[str, str]:
    """Of the first start: a param can never change."""
    first = next((event.body for event in events if isinstance(event.body, FoldStarted)), None)
    if first is None:
        return {}
    names = ("train_images", "validation_images", "parameters", "trained_parameters")
    return {name: str(getattr(first, name)) for name in names}


def _infinite(points: tuple[Point, ...]) -> dict[str, str]:
    """MLflow would store a different number, so infinite values stand in a tag instead."""
    said = [f"{point.key}@{point.step}={point.value}" for point in points if point.is_infinite]
    return {"foldproof.infinite": ", ".join(said[:50]) + (", …" if len(said) > 50 else "")} if said else {}


def _added(folder: Path, events: tuple[Event, ...]) -> Iterator[Upload]:
    for event in events:
        if isinstance(event.body, ArtifactAdded):
            below = event.body.file.rpartition("/")[0]
            yield Upload(folder, event.body.file, to=below, version=event.seq)


def _last(folder: Path, fold_id: FoldId, events: tuple[Event, ...]) -> tuple[Upload, ...]:
    within = fold_id.folder(Path())
    return tuple(Upload(folder, (within / name).as_posix(), version=len(events)) for name in _LAST_FILES)


def _record(content: RunContent) -> Iterator[Upload]:
    """The run's journal, and what else makes the artifacts of the parent a complete record."""
    yield Upload(content.folder, FILE_NAME, version=len(content.events))
    for path in sorted(content.folder.glob("environment-*.json")):
        yield Upload(content.folder, path.name)
    for fold_id, events in content.by_fold.items():
        within = fold_id.folder_name
        for name in _RECORD_FILES:
            yield Upload(content.folder, f"{within}/{name}", to=within, version=len(events))
