"""Open the models of a run: a record and whose models are meant in, a `Labeller` for images out.

Labelling computes in the process that asks for it: there is one model at a time to wait for, and no fold to lose.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from foldproof import registry
from foldproof.data.readers import MOST_PIXELS
from foldproof.errors import ProjectError, SettingsError, UntrustedCode
from foldproof.predict.by import chosen_folds, parse_by
from foldproof.predict.seen import count_trained_on
from foldproof.predict.weights import check_weights
from foldproof.project import Project
from foldproof.provenance.numeric import PORTABLE
from foldproof.records.record import RunRecord
from foldproof.reproduce.record_source import RecordSource
from foldproof.reproduce.recorded import Recorded

if TYPE_CHECKING:
    import torch

    from foldproof.predict.label import Labeller


@dataclass(frozen=True)
class OpenedModels:
    """`about`: the run, and whose models these are, as a table of labels says it. `notes`: sentences for a person."""

    labeller: "Labeller"
    record: RunRecord
    about: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.labeller.ensemble.classes


@contextmanager
def opened_models(
    source: RecordSource,
    *,
    by: str,
    project: Project | None,
    device: str = "auto",
    trust_code: bool = False,
    most_pixels: int = MOST_PIXELS,
) -> Iterator[OpenedModels]:
    """The models of a run for the length of a block, in which this process computes as the run's folds did.

    `by`: `folds`, the mean of all, or `fold:2`. `project`: that of the current folder.
    Raises FoldsError where a fold has no model, UntrustedCode where a record from elsewhere would run code, DamagedFile
    and ModelError where weights cannot be used, SettingsError for a device that is not there.
    """
    recorded, code = Recorded.read(source.folder), code_folder(source, project)
    fold_ids = chosen_folds(parse_by(by), recorded.record)
    train = recorded.config.train
    if registry.is_dotted_path(train.backbone) and source.is_foreign and not trust_code:
        raise UntrustedCode(
            f"this record is not of this project and would run code: {train.backbone}",
            next_step=f"look at it in {code}; if you trust it, do the same again with --trust-code",
        )
    check_weights(source, fold_ids)
    trained_on = count_trained_on(recorded, fold_ids)
    if train.portable:
        _be_portable()
    from foldproof.predict.ensemble import Ensemble
    from foldproof.predict.label import Labeller
    from foldproof.training import determinism

    chosen = determinism.choose_device("cpu" if train.portable and device == "auto" else device)
    with determinism.settled(chosen, threads=train.threads):
        if train.portable:
            determinism.check_portable()
        ensemble = Ensemble.load(recorded, fold_ids, plugins=code, device=chosen)
        about = {
            "run": recorded.record.run,
            "experiment": recorded.record.title,
            "by": by,
            "folds": [str(fold_id) for fold_id in fold_ids],
        }
        labeller = Labeller(ensemble, chosen, train.threads, trained_on, most_pixels)
        yield OpenedModels(labeller, recorded.record, about, tuple(_notes(recorded, code, chosen)))


def code_folder(source: RecordSource, project: Project | None) -> Path:
    """Where a backbone of the user's own is looked for: in the run's project, else in that of the current folder."""
    if project is not None and not source.is_foreign:
        return project.root
    with suppress(ProjectError):
        return Project.find(source.folder).root
    return Path.cwd() if project is None else project.root


def _be_portable() -> None:
    """Raises SettingsError where torch is loaded already, with other instructions than a portable run computes with."""
    if PORTABLE.items() <= os.environ.items():
        return
    if "torch" in sys.modules:
        raise SettingsError(
            "this run was trained with train.portable, which has to be known before torch is loaded, and here it is",
            next_step="label images with the command `foldproof predict`",
        )
    os.environ.update(PORTABLE)


def _notes(recorded: Recorded, code: Path, device: "torch.device") -> Iterator[str]:
    train = recorded.config.train
    if registry.is_dotted_path(train.backbone) and not train.pretrained:
        then = {(environment.get("numeric_class") or {}).get("plugins") for environment in recorded.environments}
        if any(then) and _code_now(recorded, code, device) not in then:
            yield f"the code of {train.backbone} is not what it was when it was trained: labels may differ"


def _code_now(recorded: Recorded, code: Path, device: "torch.device") -> str:
    """The digest of a backbone of the user's own and of what it reads, as a run records it."""
    import torch

    from foldproof.training.build import build_classifier
    from foldproof.training.decisive_code import decisive_code
    from foldproof.training.opened import watched
    from foldproof.training.task import ModelRequest

    request = ModelRequest.of(recorded.config, classes=recorded.dataset.classes, device=str(device), plugins=code)
    request = replace(request, parts=())
    with torch.random.fork_rng(devices=[]), watched() as read:
        build_classifier(request, device)
    return decisive_code(request, image_size=8, read=read).backbone
