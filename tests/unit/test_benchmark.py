"""What `make bench` counts, and what it says of it."""

import importlib
import json
import subprocess
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import benchmarks
from benchmarks.campaign import Campaign
from benchmarks.estimate import estimated
from benchmarks.kept import Kept
from benchmarks.measured import Measure
from benchmarks.others import OTHERS, others_of
from benchmarks.outcome import Expected, Logged, Outcome, differences
from benchmarks.parts import PART, Pace, Part, whole
from benchmarks.ratios import Pair, around, counted, spread
from benchmarks.report import slug, write_report
from benchmarks.sides import Foldproof
from benchmarks.works import WORKS, Way

QUIET = Measure(wall=10.0, cpu=18.0, others=0.2, cores=2, peak_rss=10**9, load=0.1)
PAIR = Pair(
    work="digits",
    way="cold",
    other="usual",
    number=0,
    commit="abc",
    theirs=replace(QUIET, wall=40.0, cpu=36.0),
    ours=replace(QUIET, peak_rss=2 * 10**9),
    accuracy={"FirstRun": (0.8, 0.9)},
)
WORK = WORKS["tiny"]
WHOLE = Expected({"One": 1}, 2)


def outcome(**changes):
    done = Logged(status=("FINISHED",) * 3, epochs=(1, 1), models=2, accuracy=0.5)
    return Outcome({"One": replace(done, **changes)}, {"One": (30, 30)})


def unlike(ours, theirs, they_should=WHOLE):
    return differences(ours, theirs, we_should=WHOLE, they_should=they_should)


def test_a_pair_says_how_many_times_as_fast_and_as_large():
    assert (PAIR.speed, PAIR.processor_time, PAIR.memory) == (4.0, 2.0, 2.0)


@pytest.mark.parametrize("side", ["theirs", "ours"])
def test_a_pair_beside_a_busy_neighbour_is_void_and_not_counted(side):
    disturbed = replace(PAIR, **{side: replace(QUIET, others=1.1)})
    assert "other processes took" in disturbed.void
    assert counted([PAIR, disturbed]) == [PAIR]
    assert not replace(PAIR, **{side: replace(QUIET, others=0.9)}).void


def test_foldproof_stands_in_the_middle_of_the_others_and_who_is_before_it_alternates():
    assert around(("a", "b", "c"), 0) == (("a", "b"), ("c",))
    assert around(("a", "b", "c"), 1) == (("c",), ("b", "a"))
    assert (around(("a",), 0), around(("a",), 1)) == ((("a",), ()), ((), ("a",)))


def test_a_spread_is_the_median_with_its_range_and_its_count():
    found = spread([3.0, 1.0, 10.0])
    assert (found.median, found.least, found.most, found.n) == (3.0, 1.0, 10.0, 3)


def test_a_part_is_scaled_to_what_the_whole_takes_where_folds_and_epochs_take_the_same_time():
    start, fold, epoch = 7.0, 3.0, 2.0  # seconds; `fold` without its epochs
    work, part = WORKS["digits"], Part(folds=2, epochs=2)
    exact = start + sum(work.folds * (fold + one.epochs * epoch) for one in work.experiments)
    timed = replace(QUIET, wall=start + part.folds * (fold + part.epochs * epoch))
    scaled = whole(timed, Pace(fold + part.epochs * epoch, epoch), part, work)
    assert scaled.wall == pytest.approx(exact)
    assert scaled.others_share == pytest.approx(timed.others_share)  # so a void part is a void pair
    assert scaled.peak_rss == timed.peak_rss


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
    assert unlike(*sides) == []
    sides[whose] = outcome(**changes)
    (problem,) = unlike(*sides)
    assert said in problem


def test_folds_of_other_sizes_are_other_work():
    assert unlike(outcome(), replace(outcome(), images={"One": (32, 28)})) == []
    assert unlike(outcome(), replace(outcome(), images={"One": (35, 25)}))
    assert unlike(outcome(), replace(outcome(), images={"One": (30, 29)}))
    assert unlike(outcome(), replace(outcome(), experiments={}))


def test_who_runs_a_part_must_have_done_that_part_on_folds_of_the_same_size():
    part = replace(outcome(status=("FINISHED",) * 2, epochs=(2,), models=1), images={"One": (30,)})
    assert unlike(outcome(), part, Expected({"One": 2}, 1)) == []
    assert unlike(outcome(), part, Expected({"One": 3}, 1))
    assert unlike(outcome(), replace(part, images={"One": (40,)}), Expected({"One": 2}, 1))


def test_a_report_has_every_ratio_with_its_range_and_what_it_was_measured_on(tmp_path):
    slower = replace(PAIR, number=1, theirs=replace(PAIR.theirs, wall=60.0))
    void = replace(PAIR, number=2, ours=replace(QUIET, others=9.0))
    part = replace(PAIR, other="timm", part=str(PART), arguments=("--workers", "2"))
    data, page = write_report([PAIR, slower, void, part], tmp_path, photos=None)
    document = json.loads(data.read_text(encoding="utf-8"))
    summary, scaled = document["works"]
    assert summary["speed"] == {"median": 5.0, "least": 4.0, "most": 6.0, "n": 2}
    assert (summary["void"], summary["part"], scaled["part"]) == (1, "", str(PART))
    assert len(document["pairs"]) == 4
    assert document["machine"]["processor"]
    assert "hostname" not in document["machine"]
    text = page.read_text(encoding="utf-8")
    standing = "| digits | cold | 10.0 | 5.0x (4.0-6.0) | 6x | timm: 4.0x (4.0-4.0), scaled | 3x | 1 |"
    for expected in ("5.00 (4.00-6.00)", "commit abc", f"scaled from {PART}", standing, "0.8000 | 0.9000 |"):
        assert expected in text


def test_a_report_of_void_pairs_alone_is_none(tmp_path):
    with pytest.raises(SystemExit, match="busy"):
        write_report([replace(PAIR, theirs=replace(QUIET, others=9.0))], tmp_path, photos=None)


def test_what_was_measured_of_this_code_is_there_after_an_interruption(tmp_path):
    kept = Kept(tmp_path / "measured.jsonl")
    assert (kept.pairs("abc"), kept.found("digits", "best")) == ([], None)
    for other in ({"commit": "older"}, {}):
        kept.add("pair", asdict(replace(PAIR, **other)))
    kept.add("search", {"work": "digits", "other": "best", "found": ["--workers", "2"]})
    again = Kept(tmp_path / "measured.jsonl")
    assert again.pairs("abc") == [PAIR]
    assert len(again.pairs()) == 2
    assert (again.found("digits", "best"), again.found("tiny", "best")) == (("--workers", "2"), None)


def test_a_campaign_goes_on_with_the_sides_that_lack_pairs_and_says_how_long():
    work = WORKS["digits"]
    campaign = Campaign((work,), ("usual", "timm"), (), ("timm",), pairs=1, tries=2, more=())
    exact = replace(PAIR, other="timm")
    assert not campaign.wants(exact)
    assert campaign.wants(replace(exact, part=str(PART)))
    void = replace(PAIR, ours=replace(QUIET, others=9.0))
    assert campaign.lacking(work, [PAIR]) == ["timm"]
    assert campaign.lacking(work, [void]) == ["usual", "timm"]
    assert campaign.lacking(work, [void, void]) == ["timm"]
    said = estimated(campaign, {"digits": ["usual"]}, [], [replace(PAIR, seconds=590.0)])
    assert said.startswith("about 10 min")


def test_processors_are_part_of_a_file_name():
    assert slug("Intel(R) Xeon(R) Gold 6330 @ 2.00GHz") == "intel-xeon-gold-6330-2-00ghz"


@pytest.mark.parametrize("work", WORKS.values(), ids=WORKS)
def test_a_work_is_measured_beside_all_who_can_do_it(work):
    names = {other.name for other in others_of(work)}
    assert {"usual", "best", "lightning", "skorch", "fastai", "timm"} <= names
    assert {name for name in OTHERS if "feature" in name} <= names or not work.frozen
    assert any(way.bfloat16 for way in work.ways) == any(OTHERS[name].bfloat16 for name in names)


@pytest.mark.slow
def test_warm_is_what_a_run_left_in_the_cache_and_nothing_else(tmp_path):
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    left = ["mlflow.db", "runs/a/run.json", ".foldproof/wheels/b", ".foldproof/cache/c", "data/train/d.png", ".dvc/e"]
    for file in left:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    for warm, kept in ((True, left[3:]), (False, left[4:])):
        Foldproof(WORK, tmp_path, Way("", warm=warm)).forget()
        assert {file for file in left if (tmp_path / file).exists()} == set(kept)


@pytest.mark.parametrize("name", sorted(file.stem for file in Path(benchmarks.__file__).parent.glob("[a-z]*.py")))
def test_every_benchmark_finds_what_it_is_made_of(name):
    if name != "usual_script":  # shares no code with the others, and is run by a test of its own
        importlib.import_module(f"benchmarks.{name}")
