"""Define what can happen as events: plain JSON values with a schema version.

A fold yields bodies (`FoldStarted`, `EpochFinished`, …); the journal's writer puts each into an `Event` that says
whose it is and when it happened. Two journals are compared by (kind, body); time and circumstances never count.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Literal, TypeAlias, get_origin

from foldproof.errors import DamagedFile, FailureCode
from foldproof.events.codes import NoticeCode
from foldproof.events.fold_id import FoldId
from foldproof.storage import cleaned, parse_line

SCHEMA_VERSION = 2
DIVERGED: Final = "diverged"  # the code of a fold whose training loss is no number any more


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """A run of all folds of one experiment began."""

    experiment: str
    identity: str
    fingerprint: str
    folds: int
    repeats: int
    epochs: int


@dataclass(frozen=True, kw_only=True)
class FoldStarted:
    """A fold's model was built and its images are at hand. `weights_sha256`: of the initial weights."""

    train_images: int
    validation_images: int
    parameters: int
    trained_parameters: int
    weights_sha256: str


@dataclass(frozen=True, kw_only=True)
class FoldResumed:
    """A fold that had begun goes on after `step` steps of epoch `epoch`, from `file` in its folder.

    Without a file it starts over: what it records again must be what it recorded before.
    """

    epoch: int
    step: int
    file: str


@dataclass(frozen=True, kw_only=True)
class EpochFinished:
    """One pass over the training part. Epochs count from 1; losses are means an image, in nats; accuracies fractions.

    The training figures are of the batches as they were trained; the validation figures of the epoch's last weights.
    """

    epoch: int
    steps: int
    lr: float
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    weights_sha256: str


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved:
    """Weights were written to `file`, relative to the fold's folder."""

    epoch: int
    file: str


@dataclass(frozen=True, kw_only=True)
class FoldFinished:
    """All epochs are done. Scores are of the last epoch on the validation part; `per_class` maps class to recall."""

    epochs: int
    scores: Mapping[str, float]
    per_class: Mapping[str, float]
    weights_sha256: str
    predictions_sha256: str


@dataclass(frozen=True, kw_only=True)
class FoldFailed:
    """A fold ended without a result. `code` says why where something is decided by it; else it is empty."""

    error: str
    reason: str
    code: FailureCode = ""


@dataclass(frozen=True, kw_only=True)
class ArtifactAdded:
    """A file of the run, relative to the run's folder, is complete and will not change."""

    file: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something a person should know and no result depends on. A journal read may have a code of another version."""

    code: NoticeCode
    text: str


@dataclass(frozen=True, kw_only=True)
class RunFinished:
    """The run ended; `status` is finished, failed (a fold failed) or interrupted."""

    status: str


Body: TypeAlias = (
    RunStarted
    | FoldStarted
    | FoldResumed
    | EpochFinished
    | CheckpointSaved
    | FoldFinished
    | FoldFailed
    | ArtifactAdded
    | Notice
    | RunFinished
)

KINDS: Mapping[str, type[Body]] = {
    kind.__name__: kind
    for kind in (
        RunStarted,
        FoldStarted,
        FoldResumed,
        EpochFinished,
        CheckpointSaved,
        FoldFinished,
        FoldFailed,
        ArtifactAdded,
        Notice,
        RunFinished,
    )
}
_FIRST_VERSION: Mapping[type[Body], int] = {FoldResumed: 2}  # the schema version that brought it; else 1
_NOT_FINITE = ("nan", "inf", "-inf")
FOLLOWS_THE_CLOCK = (CheckpointSaved, FoldResumed, Notice)


@dataclass(frozen=True, kw_only=True)
class Event:
    """One thing that happened. `repeat` and `fold` are None for the run itself; `time` is seconds since 1970, UTC.

    `about` holds circumstances (host, pid, executor, attempt, reuse, fold_key) that no comparison looks at.
    """

    run: str
    repeat: int | None
    fold: int | None
    seq: int
    time: float
    body: Body
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return type(self.body).__name__

    @property
    def fold_id(self) -> FoldId | None:
        """The fold it is of; None for the run itself."""
        return None if self.repeat is None or self.fold is None else FoldId(self.repeat, self.fold)


def to_json(event: Event) -> bytes:
    """One line of JSON without its end; floats in shortest round-trip form, "nan", "inf" and "-inf" as strings."""
    return _dump(
        {
            "v": _FIRST_VERSION.get(type(event.body), 1),
            "kind": event.kind,
            "run": event.run,
            "repeat": event.repeat,
            "fold": event.fold,
            "seq": event.seq,
            "time": event.time,
            "data": _data(event.body),
            "about": dict(event.about),
        }
    )


def from_json(line: bytes) -> Event:
    """The event that `to_json` wrote. Raises DamagedFile for anything else."""
    try:
        raw = _read(dict, parse_line(line))
        if _read(int, raw["v"]) > SCHEMA_VERSION:
            raise DamagedFile(
                f"an event of schema version {raw['v']}; this foldproof reads up to {SCHEMA_VERSION}",
                next_step="read it with a newer foldproof",
            )
        return Event(
            run=_read(str, raw["run"]),
            repeat=None if raw["repeat"] is None else _read(int, raw["repeat"]),
            fold=None if raw["fold"] is None else _read(int, raw["fold"]),
            seq=_read(int, raw["seq"]),
            time=_read(float, raw["time"]),
            body=body_from_plain(raw),
            about=_read(dict, raw["about"]),
        )
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise DamagedFile(
            f"not an event of foldproof: {cleaned(repr(error), most=200)}", next_step="see `foldproof verify`"
        ) from error


def body_to_plain(body: Body) -> dict[str, Any]:
    """JSON values that `body_from_plain` reads."""
    return {"kind": type(body).__name__, "data": _spelled(_data(body))}


def body_from_plain(raw: Mapping[str, Any]) -> Body:
    """The body that `body_to_plain` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    kind, data = KINDS[_read(str, raw["kind"])], raw["data"]
    if kind is FoldFailed and "code" not in data:
        data = {**data, "code": _code_before_codes(data)}
    return kind(**{item.name: _read(item.type, data[item.name]) for item in fields(kind)})


def _data(body: Body) -> dict[str, Any]:
    """The fields of a body; the code of a failure only where it has one, as before there were codes."""
    data = asdict(body)
    if isinstance(body, FoldFailed) and not body.code:
        del data["code"]
    return data


def _code_before_codes(data: Mapping[str, Any]) -> FailureCode:
    """The code of a failure in a journal written before failures had one."""
    diverged = data["error"] == "TrainingError" and str(data["reason"]).startswith("the loss is ")
    return DIVERGED if diverged else ""


def comparable(event: Event) -> tuple[str, bytes] | None:
    """What two journals are compared by, or None where the event follows the clock.

    A file of the run itself, such as its report, counts as nothing either: it was made of the record and of whatever
    else had run by then.
    """
    is_derived = event.fold_id is None and isinstance(event.body, ArtifactAdded)
    return None if is_derived else comparable_body(event.body)


def comparable_body(body: Body) -> tuple[str, bytes] | None:
    """Kind and spelling of a body, or None where it follows the clock."""
    return None if isinstance(body, FOLLOWS_THE_CLOCK) else (type(body).__name__, _dump(_data(body)))


def _dump(value: Any) -> bytes:
    text = json.dumps(_spelled(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")  # half a character of a file name is written as JSON escapes it


def _spelled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _spelled(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else ("inf" if value > 0 else "-inf")
    return value


def _read(kind: Any, value: Any) -> Any:
    if kind is float:
        return _number(value)
    if kind == Mapping[str, float]:
        return {name: _number(item) for name, item in _read(dict, value).items()}
    if get_origin(kind) is Literal:  # a code: other versions of foldproof may know others
        kind = str
    if type(value) is not kind:
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    return value


def _number(value: Any) -> float:
    """A number as `_spelled` writes it."""
    if type(value) not in (int, float) and value not in _NOT_FINITE:
        raise TypeError(f"{value!r} is no number")
    return float(value)
