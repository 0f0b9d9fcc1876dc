"""A record in; a clean project with its code, images and folds, ready to be trained, out."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from foldproof.config.read import load_settings, resolved_experiment
from foldproof.config.schema import SETTINGS_FILES, ExecutionConfig, ExperimentConfig
from foldproof.data.survey import Progress, unheard
from foldproof.data.versions.borrow import borrow_settings
from foldproof.data.versions.pull import pull
from foldproof.data.versions.unfinished import root_of
from foldproof.data.versions.versioned import DataVersion
from foldproof.errors import ProjectError, UnknownName, nearest
from foldproof.facts import range_in_use
from foldproof.material.gather import Material, gather
from foldproof.project import Project
from foldproof.reproduce import images
from foldproof.reproduce.images import Source
from foldproof.reproduce.recorded import Recorded
from foldproof.reproduce.subject import Subject
from foldproof.reproduce.workshop import with_code_as_it_is, with_recorded_code
from foldproof.storage import inside, write_atomically

MOST_PIXELS = 10**10  # what was trained on once is not refused for its size


@dataclass(frozen=True, kw_only=True)
class Staged:
    """`project` holds the code and will hold the run; `config` and `material` are what is trained."""

    project: Project
    config: ExperimentConfig
    material: Material


def stage_as_recorded(
    recorded: Recorded, subject: Subject, project: Project | None, place: Path, *, trusted: bool
) -> Staged:
    """Everything as the record has it. `trusted`: it may change code. Raises CannotCheck for what cannot be had."""
    shop = with_recorded_code(place, project, recorded, trusted=trusted)
    path = str(recorded.record.facts.get("data_path") or "data")
    sources = []
    if subject.images is not None:
        given = subject.images
        sources.append(Source("the images given", lambda: given))
    if project is not None:
        own = load_settings(project.settings_file).settings.data.path
        places = (own,) if subject.is_foreign else (own, path)  # a foreign record does not say where to look
        sources += [Source(f"{one} as it is now", partial(project.path, one)) for one in dict.fromkeys(places)]
    if project is not None and shop.is_checkout and root_of(shop.root) is not None:
        sources.append(Source("DVC", lambda: _pulled(project, shop.root, path)))
    folder = place / "images"
    folder.mkdir()
    dataset = images.place(recorded.dataset, folder, sources)
    dvc_hash = _of(recorded.environment, "data").get("dvc_hash")
    version = DataVersion(state="clean" if dvc_hash else "unversioned", dvc_hash=dvc_hash)
    within = range_in_use(recorded.record.facts)
    material = Material(path, folder, dataset, version, notices=(), card={}, most_pixels=MOST_PIXELS, within=within)
    write_atomically(shop.root / "folds.csv", recorded.folds_table)
    return _staged(shop.root, recorded.config, material)


def stage_as_it_is(recorded: Recorded, project: Project | None, place: Path, progress: Progress = unheard) -> Staged:
    """The experiment of the record's name as the project has it now. Raises FoldproofError."""
    if project is None:
        raise ProjectError("--as-is needs a project", next_step="change into the project's folder")
    loaded = load_settings(project.settings_file)
    named = {config.name: config for config in loaded.experiments}
    name = recorded.config.name
    if name not in named:
        hint = nearest(name, named)
        raise UnknownName(
            f"the settings have no experiment '{name}' any more{'; ' + hint if hint else ''}",
            next_step=f"they have: {', '.join(named)}",
        )
    root = with_code_as_it_is(place, project).root
    if project.folds_file.exists():
        shutil.copyfile(project.folds_file, root / "folds.csv")
    return _staged(root, named[name], gather(project, loaded.settings, allow_dirty=True, progress=progress))


def execution_like(recorded: Recorded, project: Project | None) -> ExecutionConfig:
    """How to train here: as the project does, on the kind of device that the run had."""
    execution = load_settings(project.settings_file).execution if project is not None else ExecutionConfig()
    on_cpu = _of(recorded.environment, "numeric_class").get("device", "cpu") == "cpu"
    return replace(execution, device="cpu" if on_cpu else "auto")


def _staged(root: Path, config: ExperimentConfig, material: Material) -> Staged:
    """With a settings file, in JSON, which is YAML too, of the one experiment as it is trained."""
    sections = resolved_experiment(config)
    sections["data"]["path"] = str(material.folder)
    content = {"version": 1, **sections, "experiments": {config.name: {}}, "tracking": {"enabled": False}}
    file = write_atomically(root / SETTINGS_FILES[0], json.dumps(content, indent=1).encode() + b"\n")
    return Staged(project=Project(file), config=config, material=material)


def _pulled(project: Project, root: Path, path: str) -> Path:
    """The images as the recorded commit has them, brought by DVC into the checkout."""
    folder = inside(root, path)
    lender, borrower = root_of(project.root), root_of(root)
    if lender is not None and borrower is not None and lender != borrower:
        borrow_settings(lender, borrower)
    pull(folder)
    return folder


def _of(environment: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = environment.get(name)
    return part if isinstance(part, dict) else {}
