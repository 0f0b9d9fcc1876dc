"""Check images before training: list every finding, and what may be excluded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from foldproof import folds, registry
from foldproof.config.read import load_settings
from foldproof.config.schema import DataSettings, FoldSettings, Settings
from foldproof.data.checks.duplicates import NearPair, naive_leak
from foldproof.data.checks.findings import CODES, Finding
from foldproof.data.dataset import Dataset
from foldproof.data.exclusions import Exclusion, add_exclusions
from foldproof.data.survey import Progress, no_progress
from foldproof.data.versions.versioned import DataVersion
from foldproof.errors import FoldsError, ProjectError
from foldproof.folds import Scheme
from foldproof.folds.units import unit_numbers, units_of
from foldproof.leaks import Leak, leak_of, sample_units
from foldproof.plan.installed_features import all_cores, features_of, installed_pass
from foldproof.project import Project
from foldproof.provenance import git
from foldproof.training_data.inspection import Inspection, inspect
from foldproof.training_data.load import folds_by_file, refuse


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What was seen, and all findings: of the files, of DVC's record, of the folds.

    `times`: how these were read, where folds are cut by them; `leak` where it was measured.
    """

    seen: Inspection
    findings: tuple[Finding, ...]
    schemes: tuple[FoldSettings, ...]
    project: Project | None
    times: tuple[str, ...] = ()
    leak: Leak | None = None

    @property
    def has_errors(self) -> bool:
        return any(finding.is_error for finding in self.findings)

    @cached_property
    def naive_leaks(self) -> Mapping[int, float]:
        """By number of folds: how many images a random split is expected to validate while a unit mate trains."""
        units = [unit.members for unit in units_of(self.seen.dataset)]
        return {k: naive_leak(units, k) for k in sorted({scheme.k for scheme in self.schemes})}

    def to_json(self) -> dict[str, Any]:
        return {
            "folder": str(self.seen.path),
            "errors": sum(finding.is_error for finding in self.findings),
            "warnings": sum(not finding.is_error for finding in self.findings),
            "findings": [finding.to_json() for finding in sorted(self.findings)],
            "pairs": [self._pair(pair) for pair in self.seen.duplicates.pairs],
            "naive_leak": {str(k): round(leak, 3) for k, leak in self.naive_leaks.items()},
            "card": self.seen.card(),
            "leak": self.leak.to_json() if self.leak else None,
        }

    def _pair(self, pair: NearPair) -> dict[str, Any]:
        samples = self.seen.dataset.samples
        names = {"first": samples[pair.first].path, "second": samples[pair.second].path}
        return {**names, "exact": pair.exact, "distance": pair.distance, "likeness": round(pair.likeness, 4)}


def check_images(
    here: Path, path: str | None = None, *, deep: bool = False, leaks: bool = False, progress: Progress = no_progress
) -> Checked:
    """Look at the images of the project that `here` lies in, or at those in `path`, which needs no project.

    Raises ProjectError without either, DataError where there are no images.
    """
    project, asked, schemes = _asked(here, path)
    folder = (here / path).absolute() if path is not None else _project(project).path(asked.data.path)
    seen = inspect(folder, asked.data, asked.folds, project=project, deep=deep, progress=progress)
    by_file = folds_by_file(seen, asked.folds, project.root) if project else {}
    cut = [_cut(seen, scheme, by_file, asked.folds.date_order or "") for scheme in schemes]
    found = Checked(
        seen=seen,
        findings=(
            *seen.findings,
            *_of_version(seen.version),
            *dict.fromkeys(one for one in cut if isinstance(one, Finding)),
        ),
        times=tuple(dict.fromkeys(one for one in cut if isinstance(one, str) and one)),
        schemes=schemes,
        project=project,
    )
    return replace(found, leak=_measured(found, asked.execution.cache_gb, progress)) if leaks else found


def leave_out(checked: Checked) -> tuple[Exclusion, ...]:
    """Write every file that cannot be trained on to the project's excluded.csv, for git to know; nothing else happens.

    Those that it lacked. Raises ProjectError where there is no project, StorageError.
    """
    file = _project(checked.project).exclusions_file
    found = checked.seen.found
    listed = [
        Exclusion(
            finding.subject,
            found.described.said[finding.subject].label,
            found.sha256[finding.subject],
            finding.code,
            finding.text,
        )
        for finding in checked.findings
        if CODES[finding.code].excludable and finding.subject in found.described.said
    ]
    added = add_exclusions(file, listed)
    if added:
        git.stage(file.parent, [file])
    return added


def _asked(here: Path, path: str | None) -> tuple[Project | None, Settings, tuple[FoldSettings, ...]]:
    try:
        project = Project.find(here)
    except ProjectError:
        if path is None:
            raise
        return None, Settings(data=DataSettings(path=path)), (FoldSettings(),)
    loaded = load_settings(project.settings_file)
    asked = loaded.settings
    if path is not None:
        asked = replace(asked, data=replace(asked.data, path=path))
    return project, asked, tuple(dict.fromkeys(config.folds for config in loaded.experiments))


def _project(project: Project | None) -> Project:
    if project is None:
        raise ProjectError(
            "no foldproof project here: there is no place for excluded.csv", next_step="`foldproof init`"
        )
    return project


def _measured(checked: Checked, limit_gb: float, progress: Progress) -> Leak:
    """The leak of the images, or of enough of them, under the first scheme. Raises DataError, FoldsError."""
    refuse(checked.seen.errors)
    seen, scheme = checked.seen, checked.schemes[0]
    units = unit_numbers(seen.dataset)
    chosen = sample_units(units)
    dataset = Dataset(tuple(seen.dataset.samples[position] for position in chosen))
    with TemporaryDirectory(ignore_cleanup_errors=True) as room, all_cores() as executor:
        one = installed_pass(
            dataset,
            seen.folder,
            within=seen.within,
            most_pixels=seen.most_pixels,
            cache=checked.project.cache if checked.project else Path(room),
            limit_gb=limit_gb,
        )
        features = features_of(one, executor, progress)
        return leak_of(dataset, features, units[chosen], k=scheme.k, seed=scheme.seed, progress=progress)


def _of_version(version: DataVersion) -> tuple[Finding, ...]:
    parts = (("changed", version.changed), ("missing", version.missing), ("not-versioned", version.extra))
    return tuple(Finding(code, path) for code, paths in parts for path in paths)


def _cut(seen: Inspection, scheme: FoldSettings, by_file: Mapping[str, str], date_order: str) -> Finding | str:
    """What is wrong with the folds of a scheme, or what is to be said of them."""
    is_stratified = scheme.scheme == folds.STRATIFIED
    try:
        if not is_stratified:
            if registry.is_dotted_path(scheme.scheme):  # looking at images runs nobody's code
                return ""
            said = seen.found.described.said
            asked = folds.SchemeInput(
                dataset=seen.dataset, folds=scheme, said=said, by_file=by_file, date_order=date_order
            )
            return folds.find_folds(asked)[0].told
        folds.assign(seen.dataset, Scheme(scheme.k, scheme.seed))
    except FoldsError as error:
        code, subject = ("class-too-small", f"k = {scheme.k}") if is_stratified else ("no-folds", scheme.scheme)
        return Finding(code, subject, f"{error.what}: {error.next_step}")
    return ""
