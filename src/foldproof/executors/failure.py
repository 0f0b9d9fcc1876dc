"""Explain why a model or a fold failed: classify an exception and say what to do. Pure."""

import re

from foldproof.errors import ModelError, TrainingError
from foldproof.events.types import FoldFailed
from foldproof.storage import redact
from foldproof.training.task import FoldTask, ModelRequest

_NO_MEMORY = re.compile(r"can't allocate memory|out of memory|CUBLAS_STATUS_ALLOC_FAILED|std::bad_alloc", re.IGNORECASE)
_ONE_VALUE = "Expected more than 1 value per channel when training"  # torch's words
_TRIED = re.compile(r"tried to allocate [\d.]+ \w+", re.IGNORECASE)
_GPU = re.compile(r"cuda|cublas|cudnn|gpu", re.IGNORECASE)


def failed(error: Exception, task: FoldTask) -> FoldFailed:
    """The event of a fold that ended with `error`; where the memory ran out, it says what to lower."""
    text = redact(str(error).strip())
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if kinds & {"OutOfMemoryError", "MemoryError"} or ("RuntimeError" in kinds and _NO_MEMORY.search(text)):
        whose = "the GPU" if _GPU.search(text) or task.model.device.startswith("cuda") else "this machine"
        said = text.splitlines()[0][:200] if text else type(error).__name__
        return FoldFailed(
            error="OutOfMemory", reason=f"the memory of {whose} ran out: {_what_to_lower(task, whose)} ({said})"
        )
    code = error.code if isinstance(error, TrainingError) else ""
    return FoldFailed(error=type(error).__name__, reason=text, code=code)


def unbuildable(said: str, request: ModelRequest) -> ModelError:
    """What `said`, the end of a traceback, means for a model that was asked for, before anything was trained."""
    last = redact(said.strip().splitlines()[-1] if said.strip() else "no reason was given")[:300]
    if _ONE_VALUE in said:
        return ModelError(
            f"'{request.backbone}' cannot train on one image a step: its batch normalisation compares several",
            next_step=f"set train.batch_size to 2 or more (now {request.batch_size})",
        )
    if not _NO_MEMORY.search(said) and not last.startswith("MemoryError"):
        return ModelError(
            f"'{request.backbone}' cannot be built: {last}",
            next_step="see where with `foldproof --debug run --set execution.executor=inline`",
        )
    whose = "the GPU" if _GPU.search(said) or request.device.startswith("cuda") else "this machine"
    tried = _TRIED.search(said)
    return ModelError(
        f"the memory of {whose} does not hold what '{request.backbone}' needs: {tried[0] if tried else last}",
        next_step=f"lower train.batch_size (now {request.batch_size}) or data.image_size (now {request.image_size})",
    )


def is_of_memory(said: str) -> bool:
    """Whether a text tells of memory that ran out."""
    return _NO_MEMORY.search(said) is not None


def _what_to_lower(task: FoldTask, whose: str) -> str:
    train = task.train
    lower = [f"train.batch_size (now {train.batch_size})", f"data.image_size (now {task.form.size})"]
    if train.validation_batch_size > train.batch_size:
        lower.insert(1, f"train.validation_batch_size (now {train.validation_batch_size})")
    also = "" if whose == "the GPU" else " or execution.parallel_folds"
    return f"lower {', '.join(lower)}{also}"
