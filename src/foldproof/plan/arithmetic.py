"""Warn about what the requested arithmetic costs, and where it differs from that of a run. Pure."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from foldproof.config.identity import canonical_json
from foldproof.events.types import Notice
from foldproof.plan.tasks import Model


def arithmetic_notices(models: Iterable[Model]) -> tuple[Notice, ...]:
    """Warn where bfloat16 is emulated, and that compiling delays the first step of each fold."""
    notices = []
    for model in models:
        if model.probe.precision_is_slow:
            text = "this processor has no bfloat16 instructions: train.precision: float32 is faster here"
            notices.append(Notice(code="slow_precision", text=text))
        if not model.probe.reusable:
            text = (
                "code that the settings name asks a network or another program, whose answers cannot be compared: "
                "these folds are trained again each time, also by --resume"
            )
            notices.append(Notice(code="not_reusable", text=text))
        if model.request.compile:
            text = "train.compile: the first fold compiles for about a minute, each further one for some seconds"
            notices.append(Notice(code="compiles", text=text))
    return tuple(dict.fromkeys(notices))


def other_arithmetic(then: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[Notice, ...]:
    """Warn about a run that resumes in a numeric class different from that of its start."""
    changed = changed_arithmetic(then, now)
    if not changed:
        return ()
    text = (
        f"this run was started with different arithmetic ({', '.join(changed)}): finished folds stay as they are, "
        "interrupted folds start over; for the same bits throughout, start over with `foldproof run`"
    )
    return (Notice(code="other_arithmetic", text=text),)


def changed_arithmetic(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The fields of the numeric class in which two environments differ."""
    old, new = (json.loads(canonical_json(side.get("numeric_class") or {})) for side in (then, now))
    return [name for name in new if old.get(name) != new[name]]
