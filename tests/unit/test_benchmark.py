"""What `make bench` counts, and what it says of it."""

import json
from dataclasses import asdict, replace

import pytest

from benchmarks.alternate import Kept
from benchmarks.measured import Measure
from benchmarks.outcome import Logged, Outcome, differences
from benchmarks.ratios import Pair, counted, script_first, spread
from benchmarks.report import slug, write_report
from benchmarks.works import TUNED, WORKS, settings_of

QUIET = Measure(wall=10.0, cpu=18.0, others=0.2, cores=2, peak_rss=10**9, load=0.1)
PAIR = Pair(
    work="digits",
    setting="usual",
    number=0,
    commit="abc",
    script=replace(QUIET, wall=40.0, cpu=36.0),
    foldproof=replace(QUIET, peak_rss=2 * 10**9),
    accuracy={"FirstRun": (0.8, 0.9)},
)
WORK = WORKS["tiny"]


def outcome(**changes):
    done = Logged(status=("FINISHED",) * 3, epochs=(1, 1), models=2, accuracy=0.5)
    return Outcome({"One": replace(done, **changes)}, {"One": (30, 30)})


def test_a_pair_says_how_many_times_as_fast_and_as_large():
    assert (PAIR.speed, PAIR.processor_time, PAIR.memory) == (4.0, 2.0, 2.0)


@pytest.mark.parametrize("side", ["script", "foldproof"])
def test_a_pair_beside_a_busy_neighbour_is_void_and_not_counted(side):
    disturbed = replace(PAIR, **{side: replace(QUIET, others=1.1)})
    assert "other processes took" in disturbed.void
    assert counted([PAIR, disturbed]) == [PAIR]
    assert not replace(PAIR, **{side: replace(QUIET, others=0.9)}).void


def test_who_begins_alternates_so_that_neither_is_always_second():
    assert [script_first(number) for number in range(4)] == [True, False, True, False]


def test_a_spread_is_the_median_with_its_range_and_its_count():
    found = spread([3.0, 1.0, 10.0])
    assert (found.median, found.least, found.most, found.n) == (3.0, 1.0, 10.0, 3)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": ("FINISHED", "RUNNING", "FINISHED")}, "not every run of One is closed"),
        ({"epochs": (1, 0)}, "logged (1, 0) epochs"),
        ({"models": 1}, "1 models of 2 folds"),
    ],
)
@pytest.mark.parametrize("whose", [0, 1])
def test_whoever_does_less_than_the_work_is_found_out(changes, said, whose):
    sides = [outcome(), outcome()]
    assert differences(WORK, *sides) == []
    sides[whose] = outcome(**changes)
    (problem,) = differences(WORK, *sides)
    assert said in problem


def test_folds_of_other_sizes_are_other_work():
    assert differences(WORK, outcome(), replace(outcome(), images={"One": (32, 28)})) == []
    assert differences(WORK, outcome(), replace(outcome(), images={"One": (35, 25)}))
    assert differences(WORK, outcome(), replace(outcome(), images={"One": (30, 29)}))
    assert differences(WORK, outcome(), replace(outcome(), experiments={}))


def test_a_report_has_every_ratio_with_its_range_and_what_it_was_measured_on(tmp_path):
    slower = replace(PAIR, number=1, script=replace(PAIR.script, wall=60.0))
    void = replace(PAIR, number=2, foldproof=replace(QUIET, others=9.0))
    data, page = write_report([PAIR, slower, void], tmp_path, photos=None)
    document = json.loads(data.read_text(encoding="utf-8"))
    (summary,) = document["works"]
    assert summary["speed"] == {"median": 5.0, "least": 4.0, "most": 6.0, "n": 2}
    assert (summary["void"], len(document["pairs"])) == (1, 3)
    assert document["machine"]["processor"]
    assert "hostname" not in document["machine"]
    text = page.read_text(encoding="utf-8")
    for expected in ("5.00 (4.00-6.00)", "commit abc", "| digits | usual | FirstRun | 0.8000 | 0.9000 |"):
        assert expected in text


def test_a_report_of_void_pairs_alone_is_none(tmp_path):
    with pytest.raises(SystemExit, match="busy"):
        write_report([replace(PAIR, script=replace(QUIET, others=9.0))], tmp_path, photos=None)


def test_what_was_measured_of_this_code_is_there_after_an_interruption(tmp_path):
    kept = Kept(tmp_path / "measured.jsonl")
    assert (kept.pairs("digits", "usual", "abc"), kept.best("digits")) == ([], None)
    for other in ({"setting": "best"}, {"work": "tiny"}, {"commit": "older"}, {}):
        kept.add("pair", asdict(replace(PAIR, **other)))
    kept.add("best", {"work": "digits", **asdict(TUNED[2])})
    again = Kept(tmp_path / "measured.jsonl")
    assert again.pairs("digits", "usual", "abc") == [PAIR]
    assert (again.best("digits"), again.best("tiny")) == (TUNED[2], None)


def test_processors_are_part_of_a_file_name():
    assert slug("Intel(R) Xeon(R) Gold 6330 @ 2.00GHz") == "intel-xeon-gold-6330-2-00ghz"


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_where_a_backbone_is_frozen_the_script_that_passes_it_once_is_measured_too(work):
    assert ("features once" in settings_of(work)) == work.frozen
