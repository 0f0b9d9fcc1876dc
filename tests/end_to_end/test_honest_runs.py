"""`verify` accuses nobody who is honest, whatever the settings were and whatever is done beside the record later."""

import json
import locale
import random
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from foldproof.after_run.reports import write_reports
from foldproof.analysis.judged import STATISTICS, Judged
from foldproof.config.read import load_settings
from foldproof.errors import DamagedFile
from foldproof.events.journal import JournalWriter
from foldproof.executors.stopping import Stopping
from foldproof.plan.options import RunOptions
from foldproof.project import Project
from foldproof.records.record import RunRecord
from foldproof.reproduce.record_source import RecordSource
from foldproof.verify.levels import verify
from foldproof.workflow import run as train
from recorded import INLINE, train_inline

OWN_METRIC = """\
import numpy as np


def score(probabilities, labels):
    return float(np.mean(probabilities[np.arange(len(labels)), labels]))


score.higher_is_better = True
"""
OWN_PARTS = """\
calls = 0


def shaky(images, keys):
    global calls
    calls += 1
    if calls == 6:  # once, in a fold that is not the first; its run can go on later
        raise RuntimeError("this step was not to be")
    return images


"""
KINDS = ("plain", "repeats", "a fold failed", "resumed")
FIRST = (*KINDS, *KINDS[:1] * 4)  # of those that are always drawn
ZONES = ("UTC", "Asia/Kolkata", "America/St_Johns", "Pacific/Kiritimati")
LOCALES = ("C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "fr_FR.UTF-8", "ar_SA.UTF-8")  # those that are here
AFTERWARDS = (
    "nothing",
    "other settings",
    "a neighbour is deleted",
    "another experiment",
    "moved",
    "how they were judged is lost",
)
METRICS = ("auto", "accuracy", "balanced_accuracy", "macro_f1", "log_loss", "own_metric:score")
ROPES = (0.1, 0.5, 1.0, 2.5, 10.0)
CASES = [pytest.param(seed, marks=[] if seed < 8 else pytest.mark.thorough) for seed in range(200)]


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Two experiments, one of them run twice."""
    root = train_inline(tmp_path_factory.mktemp("honest"))
    train_inline(root, INLINE.replace(", fast: {train: {lr: 0.01}}", ""))
    return root


@pytest.fixture(scope="module")
def projects(trained, tmp_path_factory) -> Callable[[str], Path]:
    """A trained project of each of `KINDS`, made when it is first asked for."""
    made = {"plain": trained}

    def of_kind(kind: str) -> Path:
        if kind not in made:
            made[kind] = train_kind(kind, tmp_path_factory.mktemp("kind"))
        return made[kind]

    return of_kind


def settings_of(kind: str) -> str:
    short = INLINE.replace("epochs: 3", "epochs: 2")
    if kind == "plain":
        return INLINE
    if kind == "repeats":
        return short.replace("k: 3", "k: 3, repeats: 2")
    return short.replace("slow: {}", "slow: {train: {augment: 'own_parts:shaky'}}")


def train_kind(kind: str, root: Path) -> Path:
    (root / "own_parts.py").write_text(OWN_PARTS)
    sys.modules.pop("own_parts", None)
    train_inline(root, settings_of(kind))
    if kind in ("a fold failed", "resumed"):
        (slow,) = (run for run in map(RunRecord.read, Project(root / "params.yaml").run_folders()) if run.failed)
        assert (len(slow.failed), len(slow.finished)) == (1, 2)
    if kind == "resumed":
        project = Project(root / "params.yaml")
        train(
            project, load_settings(project.settings_file), names=["slow"], options=RunOptions(resume=True), quiet=True
        )
        assert RunRecord.read(slow.folder).complete
    return root


@contextmanager
def elsewhere(zone: str, language: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock of another place and, where it is installed, its language."""
    before = locale.setlocale(locale.LC_ALL)
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    with suppress(locale.Error):
        locale.setlocale(locale.LC_ALL, language)
    try:
        yield
    finally:
        locale.setlocale(locale.LC_ALL, before)
        monkeypatch.delenv("TZ")
        time.tzset()


def summed_up(root: Path, settings: str) -> list[Path]:
    """The runs of a project, with their tables made under these settings and journaled."""
    (root / "params.yaml").write_text(settings)
    project = Project(root / "params.yaml")
    loaded = load_settings(project.settings_file)
    runs = list(project.run_folders())
    with closing(Stopping()) as stopping:
        for folder, body in write_reports(project, loaded.settings, runs, stopping):
            assert getattr(body, "code", "") != "no-report", body
            with JournalWriter(folder, run=folder.name, about={}) as journal:
                journal.append(body)
    return runs


def tables_of(run: Path):
    found = verify(RecordSource(folder=run, is_foreign=False), None, highest=0)
    (tables,) = (check for level in found.levels for check in level.checks if check.name == "tables")
    return found, tables


@pytest.mark.slow
@pytest.mark.parametrize("seed", CASES)
def test_an_honest_run_is_never_accused(projects, tmp_path, monkeypatch, seed):
    chance = random.Random(seed)
    kind = FIRST[seed] if seed < len(FIRST) else chance.choice(KINDS)
    root, settings = tmp_path / "project", settings_of(kind)
    shutil.copytree(projects(kind), root)
    (root / "own_metric.py").write_text(OWN_METRIC)
    monkeypatch.syspath_prepend(str(root))
    metric, rope = METRICS[seed % len(METRICS)], chance.choice(ROPES)
    private = chance.random() < 0.2
    tracking = "tracking: {enabled: false, privacy: true}\n" if private else "tracking: {enabled: false}\n"
    with elsewhere(chance.choice(ZONES), chance.choice(LOCALES), monkeypatch):
        runs = summed_up(root, f"{settings}compare: {{metric: '{metric}', rope: {rope}}}\n{tracking}")
    after = chance.choice(AFTERWARDS)
    if after == "other settings":
        (root / "params.yaml").write_text(f"{settings}compare: {{metric: macro_f1, rope: {chance.choice(ROPES)}}}\n")
    elif after == "a neighbour is deleted":
        shutil.rmtree(runs.pop(chance.randrange(len(runs))))
    elif after == "another experiment":
        (root / "params.yaml").write_text(INLINE.replace("slow: {}", "renamed: {train: {epochs: 1}}"))
    elif after == "moved":
        root = root.rename(tmp_path / "elsewhere")
        runs = [root / "runs" / run.name for run in runs]
    elif after == "how they were judged is lost":
        for file in root.glob("runs/*/report*/judged.json"):
            file.unlink()
    with elsewhere(chance.choice(ZONES), chance.choice(LOCALES), monkeypatch):
        for run in runs:
            found, tables = tables_of(run)
            accused = [check for level in found.levels for check in level.checks if check.state == "broken"]
            if after == "a neighbour is deleted":  # that it was left out is what another check has to say
                accused = [check for check in accused if check.name != "company"]
            assert not accused, (kind, metric, rope, after, accused)
            assert tables.state != "broken", (kind, metric, rope, after, tables)


@pytest.mark.slow
def test_a_changed_number_in_a_table_is_found_by_the_recorded_metric_and_range(trained, tmp_path):
    root = tmp_path / "project"
    shutil.copytree(trained, root)
    run = summed_up(root, f"{INLINE}compare: {{metric: balanced_accuracy, rope: 2.5}}\n")[0]
    assert tables_of(run)[1].state == "holds"
    table = run / "report" / "comparison.csv"
    text = table.read_text()
    place = next(at for at, sign in enumerate(text) if sign.isdigit() and text[at - 1] == "." and at > text.index("\n"))
    table.write_text(text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :])
    assert tables_of(run)[1].state == "broken"


@pytest.mark.slow
@pytest.mark.parametrize("statistics", [None, STATISTICS + 1])
def test_tables_of_before_or_of_other_statistics_say_nothing_against_the_record(trained, tmp_path, statistics):
    root = tmp_path / "project"
    shutil.copytree(trained, root)
    run = summed_up(root, f"{INLINE}compare: {{rope: 2.5}}\n")[0]
    file = run / "report" / "judged.json"
    if statistics is None:
        file.unlink()
    else:
        file.write_text(json.dumps({**json.loads(file.read_text()), "statistics": statistics}))
    assert tables_of(run)[1].state == ("not here" if statistics else tables_of(run)[1].state)
    assert tables_of(run)[1].state != "broken"


@pytest.mark.slow
@pytest.mark.parametrize("states", ["recorded", "not recorded"])
def test_a_table_that_is_older_than_a_run_in_it_says_nothing_against_the_record(projects, tmp_path, states):
    root = tmp_path / "project"
    shutil.copytree(projects("a fold failed"), root)
    summed_up(root, settings_of("a fold failed"))
    project = Project(root / "params.yaml")
    if states == "not recorded":
        for file in root.glob("runs/*/report/judged.json"):
            said = {name: value for name, value in json.loads(file.read_text()).items() if name != "states"}
            file.write_text(json.dumps({**said, "v": 1}))
    assert all(tables_of(run)[1].state == "holds" for run in project.run_folders())
    train(project, load_settings(project.settings_file), names=["slow"], options=RunOptions(resume=True), quiet=True)
    how = {"recorded": "has gone on since they were made", "not recorded": "when they were made is not recorded"}
    for run in project.run_folders():
        found = tables_of(run)[1]
        assert found.state != "broken", found
        assert how[states] in found.said


def test_what_is_written_beside_a_table_comes_back():
    run = "20260101-000000-aaaaaa"
    judged = Judged(metric="own:score", rope=0.025, runs=(run,), states={run: "0" * 64})
    assert Judged.parse(judged.to_json()) == judged
    before = {name: value for name, value in json.loads(judged.to_json()).items() if name != "states"}
    assert Judged.parse(json.dumps({**before, "v": 1}).encode()) == replace(judged, states={})


@pytest.mark.parametrize(
    "changed",
    [
        {"metric": 3},
        {"metric": "x" * 501},
        {"rope": "1"},
        {"rope": -1},
        {"rope": True},
        {"rope": 10**400},
        {"runs": "all"},
        {"runs": ["../x"]},
        {"runs": [1]},
        {"states": []},
        {"states": {"20260101-000000-aaaaaa": 3}},
        {"statistics": "1"},
        {"statistics": None},
    ],
)
def test_what_no_run_writes_beside_a_table_is_refused(changed):
    said = {**json.loads(Judged(metric="auto", rope=0.01, runs=()).to_json()), **changed}
    with pytest.raises(DamagedFile):
        Judged.parse(json.dumps(said).encode())


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"{}", b"\xff", b'{"metric": "auto"}', b"[" * 100_000])
def test_what_is_no_such_file_is_refused(content):
    with pytest.raises(DamagedFile):
        Judged.parse(content)
