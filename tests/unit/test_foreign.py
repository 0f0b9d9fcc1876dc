"""Somebody else's results, from a CSV."""

import math

import pytest

from foldproof.analysis.compare import compare
from foldproof.analysis.foreign.scores import FoldScore, candidates_of_scores, scales
from foldproof.analysis.foreign.tables import candidates_of_csv
from foldproof.analysis.verdict import BETTER, CANNOT_TELL
from foldproof.errors import DamagedFile


def scores(text: str) -> dict[str, list[float]]:
    some, _ = candidates_of_csv(text, name="t.csv")
    return {one.summary.experiment: [round(v, 4) for v in one.summary.accuracy_by_fold.values()] for one in some}


@pytest.mark.parametrize(
    "text",
    [
        "experiment,fold,score\nA,0,0.5\nA,1,0.25\n",
        "experiment,fold,score\nA,0,50\nA,1,25\n",
        "experiment,fold,score\nA,0,50 %\nA,1,25%\n",
        "Experiment;Fold;Score\nA;0;50,0\nA;1;25,0\n",
        "experiment\tfold\tscore\r\nA\t0\t0.5\r\n\r\nA\t1\t0.25\r\n",
        "\ufeffexperiment, fold, score\nA, fold_0, 0.5\nA, fold_1, 0.25\n",
        "fold,score,experiment,notes\n0,0.5,A,hm\n1,0.25,A,\n",
    ],
)
def test_a_table_is_read_however_a_spreadsheet_wrote_it(text):
    assert scores(text) == {"A": [0.5, 0.25]}


def test_a_file_has_one_scale_and_it_is_said():
    text = "experiment,fold,score\nA,0,0.64 %\nA,1,0.7 %\nB,0,93.5 %\nC,0,0\n"
    assert scores(text) == {"A": [0.0064, 0.007], "B": [0.935], "C": [0.0]}
    assert "percentages: as they are written" in candidates_of_csv(text, name="t.csv")[1]
    plain = "experiment,fold,score\nA,0,0.64\nA,1,64.0\n"
    assert scores(plain) == {"A": [0.0064, 0.64]}
    assert "percentages: the highest is 64" in candidates_of_csv(plain, name="t.csv")[1]
    assert "percentages" not in candidates_of_csv("experiment,fold,score\nA,0,0.64\n", name="t.csv")[1]


@pytest.mark.parametrize("percentage", ["93.5", "93.5 %", "0.9 %"])
def test_fractions_beside_percentages_are_refused_since_they_could_be_either(percentage):
    with pytest.raises(DamagedFile, match=r"'A' has scores up to 0\.64, others have percentages") as raised:
        scores(f"experiment,fold,score\nA,0,0.64\nB,0,{percentage}\n")
    assert "% sign" in raised.value.next_step


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_table_of_scores_is_read_as_a_table_of_labels_is(encoding):
    text = "# of May\nexperiment|fold|score|notes\nGröße|0|0.5|\nGröße|1|0.25|\n"
    some, said = candidates_of_csv(text.encode(encoding), name="t.csv")
    assert [one.summary.experiment for one in some] == ["Größe"]
    assert "read as" in said


def test_a_fold_that_is_not_there_leaves_the_others_to_be_compared():
    rows = [f"{name},{fold},{50 + fold}" for name in "AB" for fold in range(5) if (name, fold) != ("B", 3)]
    some, _ = candidates_of_csv("experiment,fold,score\n" + "\n".join(rows), name="t.csv")
    found = compare(some)
    assert found.pairs[0].places == 4
    assert found.lines[1].expected_folds == 5


@pytest.mark.parametrize("scores", [(0.95, 0.95, 0.95, 0.95, 1.0), (0.9, 0.9, 0.9, 0.9, 0.91)])
def test_rounded_scores_that_hardly_vary_do_not_make_a_fold_disagree(scores):
    rows = [FoldScore(experiment="A", repeat=0, fold=fold, score=score) for fold, score in enumerate(scores)]
    found = compare(candidates_of_scores(rows, metric="accuracy"))
    assert not found.lines[0].disagreement.flagged


def test_what_to_run_next_is_not_said_of_somebody_elses_experiments():
    text = "experiment,id,fold,label,cat,dog\n" + predictions("A; rm -rf ~ #", 300) + predictions("B", 305)
    some, said = candidates_of_csv(text, name="p.csv")
    found = compare(some, unverified=said)
    assert found.verdict.winner is None
    assert not any("foldproof run" in note for note in found.verdict.notes)


def test_a_class_may_be_called_as_a_column_of_the_other_table():
    (one,), _ = candidates_of_csv("id,fold,label,N,Score\nx,0,N,1,0\ny,1,Score,1,0\n", name="t.csv")
    assert one.table.classes == ("N", "Score")


def test_a_fold_without_a_score_is_a_fold_without_a_result():
    (one,), _ = candidates_of_csv("experiment,fold,score\nA,0,0.5\nA,1,nan\nA,2,\n", name="t.csv")
    assert one.summary.status == "failed"
    assert list(one.summary.accuracy_by_fold) == [(0, 0)]
    assert one.summary.expected_folds == 3


def test_repeats_and_numbers_of_images_are_read_where_they_are_given():
    text = "experiment,repeat,fold,score,n\nA,0,0,0.5,100\nA,0,1,0.6,90\nA,1,0,0.4,95\nA,1,1,0.5,95\n"
    (one,), said = candidates_of_csv(text, name="t.csv")
    assert one.summary.images_by_fold == {(0, 0): 100, (0, 1): 90, (1, 0): 95, (1, 1): 95}
    assert (one.summary.k, one.summary.repeats) == (2, 2)
    assert "not verified" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no rows"),
        ("experiment,fold,score\n", "has no rows"),
        ("a,b\n1,2\n", "has the columns a, b"),
        ("experiment,fold,score\nA,zero,0.5\n", "line 2: fold 'zero' is not a number"),
        ("experiment,fold,score\nA,0,half\n", "line 2: score 'half' is not a number"),
        ("experiment,fold,score\nA,0,inf\n", "line 2: score is inf"),
        ("experiment,fold,score\nA,0\n", "line 2: 2 cells, but 3 columns"),
        ("experiment,fold,score\nA,0,1\nA,0,2\n", "fold 0 of 'A' appears twice"),
        ("experiment,fold,score\nA,0,-1\n", "neither fractions nor percentages"),
        ("experiment,fold,score\nA,0,101\n", "neither fractions nor percentages"),
        ("experiment,fold,score\nA,99999,1\n", "fold 99999 is above 1000"),
        ("fold,fold,score\nA,0,1\n", "a column 'fold' twice"),
        ('experiment,fold,score\n"A,0,1\n', "line"),
        ("id,fold,label,cat\nx,0,cat,1\n", "the probabilities of 1 classes"),
        ("id,fold,label,cat,dog\nx,0,cow,1,0\n", "line 2: label 'cow' has no column"),
        ("id,fold,label,cat,dog\nx,0,cat,1,0\nx,1,cat,1,0\n", "line 3: id 'x' appears twice"),
        ("id,fold,label,cat,dog\nx,0,cat,high,0\n", "line 2: cat 'high' is not a number"),
        (
            "id,fold,label,confidence,cat,dog\nx,0,cat,0.9,0.9,0.1\n",
            "line 2: cat, confidence, dog are not probabilities",
        ),
        ("id,fold,label,cat,dog\nx,0,cat,5.5,-4.5\n", "line 2: cat, dog are not probabilities"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused_with_its_line(text, said):
    with pytest.raises(DamagedFile) as caught:
        candidates_of_csv(text, name="t.csv")
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


def predictions(name: str, right: int) -> str:
    return "".join(
        f"{name},img{at},{at % 5},{'cat' if at % 2 else 'dog'},{p},{1 - p:.2f}\n"
        for at in range(400)
        for p in [0.9 if (at % 2 == 1) == (at * 7 % 400 < right) else 0.1]
    )


def test_predictions_image_by_image_are_compared_as_a_runs_own_are():
    text = "experiment,id,fold,label,cat,dog\n" + predictions("Good", 360) + predictions("Bad", 280)
    some, said = candidates_of_csv(text, name="p.csv")
    found = compare(some, unverified=said)
    assert [round(line.score.mean, 2) for line in found.lines] == [0.9, 0.7]
    assert found.pairs[0].common_images == 400
    assert found.verdict.word == BETTER
    assert found.verdict.text.startswith("Good is better")


def test_one_table_without_a_column_for_the_experiment_is_called_by_its_name():
    (one,), _ = candidates_of_csv("id,fold,label,cat,dog\nx,0,cat,1,0\ny,1,dog,1,0\n", name="mine.csv")
    assert one.summary.experiment == "mine.csv"
    assert one.table.predicted.tolist() == [0, 0]


def test_the_same_differences_in_every_fold_prove_nothing_without_images():
    rows = [
        FoldScore(experiment=name, repeat=0, fold=fold, score=base + fold)
        for name, base in (("A", 50.0), ("B", 60.0))
        for fold in range(5)
    ]
    found = compare(candidates_of_scores(rows, metric="accuracy"))
    assert found.verdict.word == CANNOT_TELL
    assert math.isnan(found.pairs[0].p)


def test_names_lose_what_would_move_the_cursor():
    (one,) = candidates_of_scores(
        [FoldScore(experiment="A\x1b[2J\nB", repeat=0, fold=fold, score=0.5) for fold in range(1)], metric="accuracy"
    )
    assert one.summary.experiment.isprintable()


def test_of_a_store_with_percentages_it_is_said_whose_they_are():
    rows = [FoldScore(experiment=name, repeat=0, fold=0, score=score) for name, score in (("A", 0.8), ("B", 86.0))]
    assert scales(rows) == "scores of B above 1 are percentages, the others fractions"
    assert scales(rows[1:]) == "scores above 1 are percentages"
    assert scales(rows[:1]) == ""
