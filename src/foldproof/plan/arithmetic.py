"""What the arithmetic that is asked for costs here: models in; what a person should know of it, out."""

from collections.abc import Iterable

from foldproof.events.types import Notice
from foldproof.plan.tasks import Model


def arithmetic_notices(models: Iterable[Model]) -> tuple[Notice, ...]:
    """Where bfloat16 is emulated, and that compiling takes its time before the first step of each fold."""
    notices = []
    for model in models:
        if model.probe.precision_is_slow:
            text = "this processor has no bfloat16 instructions: train.precision: float32 is faster here"
            notices.append(Notice(code="slow_precision", text=text))
        if not model.probe.reusable:
            text = (
                "code that the settings name asks a network or another program, whose answers cannot be told apart: "
                "these folds are trained again each time, also by --resume"
            )
            notices.append(Notice(code="not_reusable", text=text))
        if model.request.compile:
            text = "train.compile: the first fold compiles for about a minute, each further one for some seconds"
            notices.append(Notice(code="compiles", text=text))
    return tuple(dict.fromkeys(notices))
