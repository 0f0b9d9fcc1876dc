"""The runs of a project are read once; among them one is found by name, the newest, one to resume, those before."""

import hashlib
import os
from pathlib import Path

import pytest

from foldproof.errors import DamagedFile, RunNotFound
from foldproof.events.fold_id import FoldId
from foldproof.records.store import RunStore, read_records
from scored import Scored, write_run

FIRST, AGAIN, SECOND, RETRAINED, OTHER = (
    "20260101-000000-aaaaaa",
    "20260102-000000-zzzzzz",
    "20260102-000000-cccccc",
    "20260103-000000-dddddd",
    "20270101-000000-eeeeee",
)
SMALL = {"each": 3, "epochs": 1}


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Path:
    """Two experiments, a fold of the first trained again, and an experiment called like the beginning of an id.

    AGAIN is written before SECOND, in the same second, and would come after it by its id.
    """
    folder = tmp_path_factory.mktemp("project") / "runs"
    write_run(folder, FIRST, Scored(experiment="FirstRun", **SMALL))
    write_run(folder, AGAIN, Scored(experiment="FirstRun", finished=2, **SMALL))
    write_run(folder, SECOND, Scored(experiment="Second", **SMALL))
    reseed = {"reseed_of": {"run": FIRST, "repeat": 0, "fold": 1}}
    write_run(folder, RETRAINED, Scored(experiment="FirstRun", finished=1, extra=reseed, **SMALL))
    write_run(folder, OTHER, Scored(experiment="2026", lr=0.5, extra={"fingerprint": "f" * 64}, **SMALL))
    for minute, run in enumerate((FIRST, AGAIN, SECOND, RETRAINED, OTHER)):
        os.utime(folder / run / "run.json", (60 * minute, 60 * minute))
    return folder


@pytest.fixture
def store(runs) -> RunStore:
    return RunStore.read(runs.iterdir())


def ids(found) -> list[str]:
    return [run.run for run in found]


def test_runs_come_in_the_order_in_which_they_began_also_within_a_second(store):
    assert ids(store.runs) == [FIRST, AGAIN, SECOND, RETRAINED, OTHER]


def test_a_fold_that_was_trained_again_is_no_run_of_its_experiment(store):
    assert RETRAINED not in ids(store.of_experiments)
    assert ids(store.named("FirstRun")) == [FIRST, AGAIN]
    assert store.newest("FirstRun").run == AGAIN
    assert ids(store.newest_of_each) == [AGAIN, SECOND, OTHER]
    assert ids(store.retrained([FIRST])) == [RETRAINED]
    assert ids(store.retrained([AGAIN])) == []
    assert store.newest("Third") is None


@pytest.mark.parametrize(
    ("wanted", "run"),
    [
        (FIRST, FIRST),
        ("FirstRun", AGAIN),
        ("FirstRun fold 1 again", RETRAINED),
        ("2026", OTHER),
        ("20260101", FIRST),
        ("20260102-000000-c", SECOND),
    ],
)
def test_a_run_is_an_id_then_a_name_then_the_one_beginning_of_an_id(store, wanted, run):
    assert ids(store.find([wanted, run])) == [run]


def test_a_beginning_that_several_runs_share_is_refused_with_the_list(store):
    with pytest.raises(RunNotFound, match="begins 4 run ids") as caught:
        store.find(["202601"])
    assert SECOND in caught.value.next_step


@pytest.mark.parametrize("wanted", ["", "Third", "First", "2026010100"])
def test_a_run_nobody_knows_is_refused(store, wanted):
    with pytest.raises(RunNotFound, match="no run"):
        store.find([wanted])
    with pytest.raises(RunNotFound, match="nothing has run yet"):
        RunStore.read(()).find([wanted])


def test_a_damaged_run_is_an_error_where_it_is_meant_and_hides_no_other(tmp_path):
    write_run(tmp_path, FIRST, Scored(**SMALL))
    for run in (SECOND, OTHER):
        write_run(tmp_path, run, Scored(experiment="Second", **SMALL))
    (tmp_path / SECOND / "run.json").write_text("{}")
    (tmp_path / OTHER / "events.jsonl").write_text("nonsense\n")
    store = RunStore.read(tmp_path.iterdir())
    assert (ids(store.runs), [folder.name for folder in store.damaged]) == ([FIRST, OTHER], [SECOND])
    records, unread = read_records(store.runs)
    assert ([record.run for record in records], [folder.name for folder in unread]) == ([FIRST], [OTHER])
    assert ids(store.find(["FirstRun"])) == [FIRST]
    for meant in (SECOND, "20260102"):
        with pytest.raises(DamagedFile):
            store.find(["FirstRun", meant])


def test_a_run_that_is_removed_while_the_runs_are_read_is_damaged_and_hides_no_other(tmp_path):
    write_run(tmp_path, FIRST, Scored(**SMALL))
    store = RunStore.read([tmp_path / FIRST, tmp_path / SECOND])
    assert (ids(store.runs), list(store.damaged)) == ([FIRST], [tmp_path / SECOND])


def test_the_newest_run_that_lacks_a_fold_is_resumed_else_the_newest(store):
    identity = store.newest("FirstRun").identity
    every = [FoldId(0, fold) for fold in range(3)]
    assert store.find_resumable(identity=identity, wanted=every).run == AGAIN
    assert store.find_resumable(identity=identity, wanted=every[:2]).run == AGAIN
    assert store.find_resumable(identity=store.newest("Second").identity, wanted=every).run == SECOND
    assert store.find_resumable(identity="another", wanted=every) is None


def test_a_run_names_those_of_its_experiment_or_identity_that_were_there_by_the_hash_of_their_facts(store, runs):
    named = store.earlier(experiment="FirstRun", identity="of none")
    hashes = {run: hashlib.sha256((runs / run / "run.json").read_bytes()).hexdigest() for run in (FIRST, AGAIN)}
    assert named == hashes
    by_identity = store.earlier(experiment="Renamed", identity=store.newest("FirstRun").identity)
    assert by_identity == hashes


def test_experiments_are_counted_on_the_same_images_alone(store):
    first, other = (store.newest(name).record.facts["fingerprint"] for name in ("FirstRun", "2026"))
    assert (store.scored_on({first}), store.scored_on({other}), store.scored_on({first, other})) == (2, 1, None)
    assert store.scored_on(set()) is None
