"""Folds: what is refused, a literal assignment, the table on disk."""

import hashlib
import random
import subprocess
import sys
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from foldproof import folds
from foldproof.config.schema import ExperimentConfig, FoldSettings, PixelSettings, TrainSettings
from foldproof.data.dataset import Dataset, Sample
from foldproof.errors import DamagedFile, FoldsError
from foldproof.folds import Scheme
from foldproof.folds.cover import covering, repair
from foldproof.folds.units import Unit
from foldproof.plan.splits import Splits, preview_splits, scheme_of, split
from foldproof.project import Project


def images(label: str, count: int, *, group: str = "", first: int = 0) -> list[Sample]:
    return [
        Sample(hashlib.sha256(f"{label} {n}".encode()).hexdigest(), label, f"{label}/{n}.png", group)
        for n in range(first, first + count)
    ]


TINY = Dataset.of(images("cat", 5) + images("dog", 4))
SCHEME = Scheme(k=2, seed=42)


def by_path(dataset: Dataset, made: folds.Assignment) -> dict[str, int]:
    return dict(sorted((s.path, int(fold)) for s, fold in zip(dataset.samples, made.fold_of, strict=True)))


def test_a_tiny_set_is_cut_like_this_for_ever() -> None:
    assert by_path(TINY, folds.assign(TINY, SCHEME)) == {
        "cat/0.png": 0,
        "cat/1.png": 0,
        "cat/2.png": 0,
        "cat/3.png": 1,
        "cat/4.png": 1,
        "dog/0.png": 0,
        "dog/1.png": 1,
        "dog/2.png": 1,
        "dog/3.png": 0,
    }
    assert by_path(TINY, folds.assign(TINY, SCHEME, repeat=1)) == {
        "cat/0.png": 1,
        "cat/1.png": 0,
        "cat/2.png": 0,
        "cat/3.png": 0,
        "cat/4.png": 1,
        "dog/0.png": 0,
        "dog/1.png": 1,
        "dog/2.png": 0,
        "dog/3.png": 1,
    }
    assert (
        folds.digest(TINY, [folds.assign(TINY, SCHEME)])
        == "a30d86901ac37b4f48618f0cae7d4c90531f3bede02c322467bd5725bd8248a8"
    )


def test_a_set_with_groups_across_classes_is_cut_like_this_for_ever() -> None:
    mixed = Dataset.of(
        [
            *images("cat", 4),
            *images("dog", 4),
            *images("cat", 3, group="farm", first=10),
            *images("dog", 1, group="farm", first=10),
            *images("cat", 1, group="zoo", first=20),
            *images("dog", 2, group="zoo", first=20),
        ]
    )
    assert by_path(mixed, folds.assign(mixed, Scheme(k=3, seed=7))) == {
        "cat/0.png": 1,
        "cat/1.png": 1,
        "cat/10.png": 0,
        "cat/11.png": 0,
        "cat/12.png": 0,
        "cat/2.png": 1,
        "cat/20.png": 2,
        "cat/3.png": 2,
        "dog/0.png": 2,
        "dog/1.png": 0,
        "dog/10.png": 0,
        "dog/2.png": 1,
        "dog/20.png": 2,
        "dog/21.png": 2,
        "dog/3.png": 1,
    }


def mixed_up(count: int) -> Dataset:
    """Images of seven classes of uneven size; a third alone, the rest in groups of uneven size across classes."""
    samples = []
    for n in range(count):
        label = f"class{min(n % 7, n % 5)}"
        group = "" if n % 3 == 0 else f"group{(n * n) % 911}"
        samples.append(Sample(hashlib.sha256(f"mixed {n}".encode()).hexdigest(), label, f"{label}/{n}.png", group))
    return Dataset.of(samples)


def test_larger_sets_are_cut_like_this_for_ever() -> None:
    plain = Dataset.of([s for n in range(10) for s in images(f"class {n}", 150 + 7 * n)])
    grouped = mixed_up(4_000)
    made = [folds.assign(data, Scheme(k, 42), repeat=r) for data in (plain, grouped) for k, r in ((5, 0), (10, 2))]
    digests = [folds.digest(plain, made[:2]), folds.digest(grouped, made[2:])]
    assert [digest[:16] for digest in digests] == ["b5d1bd4831543731", "8056e5370cfe7941"]
    half = Dataset.of([s._replace(group="") for s in grouped.samples[::2]])
    known = {s.sha256: int(f) for s, f in zip(half.samples, folds.assign(half, Scheme(5, 42)).fold_of, strict=True)}
    later = folds.assign(grouped, Scheme(5, 42), known=known)
    assert (folds.digest(grouped, [later])[:16], later.moved) == ("728a1e646010b634", 628)
    assert folds.split_digest(grouped, later.folds(5)[3])[:16] == "a8aaa0cd631ba113"


@pytest.mark.slow
def test_another_hash_seed_and_another_process_give_the_same_table() -> None:
    code = (
        "import hashlib\nfrom foldproof import folds\nfrom foldproof.data.dataset import Dataset, Sample\n"
        "samples = {Sample(hashlib.sha256(f'{label} {n}'.encode()).hexdigest(), label, f'{label}/{n}.png', g)\n"
        "    for label in ('cat', 'dog', 'eel') for n in range(20) for g in [f'g{n}' if n < 4 else '']}\n"
        "dataset, scheme = Dataset.of(list(samples)), folds.Scheme(k=3, seed=42)\n"
        "print(folds.to_csv(folds.make_rows(dataset, scheme, folds.assign(dataset, scheme))))\n"
    )
    tables = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("0", "1")
    }
    (table,) = tables
    assert len(table.splitlines()) > 60


def test_seeds_and_repeats_give_other_partitions() -> None:
    dataset = Dataset.of(images("cat", 30) + images("dog", 30))
    made = [folds.assign(dataset, Scheme(5, seed), repeat=repeat) for seed in (1, 2) for repeat in (0, 1, 2)]
    assert len({assignment.fold_of.tobytes() for assignment in made}) == 6
    assert len({folds.digest(dataset, [replace(assignment, repeat=0)]) for assignment in made}) == 6


def test_a_repeat_does_not_depend_on_how_many_there_are(tmp_path: Path) -> None:
    def rows(repeats: int) -> list[str]:
        project = Project(tmp_path / str(repeats) / "params.yaml")
        project.root.mkdir()
        config = ExperimentConfig(
            name="A", pixels=PixelSettings(), folds=FoldSettings(k=2, repeats=repeats), train=TrainSettings()
        )
        split(project, TINY, [config])
        return project.folds_file.read_text().splitlines()

    assert set(rows(1)) < set(rows(3))


def test_a_fold_says_repeat_and_index() -> None:
    assert [fold.id.folder_name for fold in folds.assign(TINY, SCHEME, repeat=3).folds(2)] == ["fold-3-0", "fold-3-1"]


def test_a_set_of_one_class_or_none_is_refused() -> None:
    with pytest.raises(FoldsError, match="only one class: cat"):
        folds.assign(Dataset.of(images("cat", 9)), SCHEME)
    with pytest.raises(FoldsError, match="only one class: none"):
        folds.assign(Dataset.of([]), SCHEME)


@pytest.mark.parametrize(
    ("dogs", "said", "advice"),
    [
        (
            images("dog", 2),
            "class 'dog' has 2 different images, too few for 3 folds",
            "set folds.k to at most 2, or add",
        ),
        (images("dog", 1), "class 'dog' has 1 different image, too few for 3 folds", "add images to it, or move"),
        ([*images("dog", 2), images("dog", 1)[0]._replace(path="dog/copy.png")], "2 different images", "at most 2"),
        (images("dog", 9, group="farm"), "class 'dog' has 1 different group, too few", "add images to it"),
    ],
)
def test_a_class_that_cannot_be_in_every_fold_is_refused_with_what_to_do(
    dogs: list[Sample], said: str, advice: str
) -> None:
    with pytest.raises(FoldsError) as caught:
        folds.assign(Dataset.of(images("cat", 9) + dogs), Scheme(k=3, seed=1))
    assert said in caught.value.what
    assert advice in caught.value.next_step


CONFIG = ExperimentConfig(name="A", pixels=PixelSettings(), folds=FoldSettings(k=2, repeats=2), train=TrainSettings())


def test_images_that_new_ties_move_to_another_fold_are_told_once(tmp_path: Path) -> None:
    project = Project(tmp_path / "params.yaml")
    dataset = Dataset.of(images("cat", 8) + images("dog", 8))
    assert split(project, dataset, [CONFIG]).notices(CONFIG) == ()
    table = project.folds_file.read_bytes()
    assert split(project, dataset, [CONFIG]).notices(CONFIG) == ()
    assert project.folds_file.read_bytes() == table
    before = folds.assign(dataset, Scheme(2, 42)).fold_of
    tied = [
        s._replace(duplicate="0123456789abcdef") if s.path in ("cat/0.png", "cat/1.png") else s for s in dataset.samples
    ]
    apart = {int(fold) for s, fold in zip(tied, before, strict=True) if s.duplicate}
    later = split(project, Dataset.of(tied), [CONFIG])
    moved = [made.moved for made in later.of(CONFIG)]
    assert moved[0] == len(apart) - 1
    (notice,) = later.notices(CONFIG)
    assert notice.code == "folds"
    assert notice.text.startswith(f"{sum(moved)} image")
    assert split(project, Dataset.of(tied), [CONFIG]).notices(CONFIG) == ()


def test_a_table_with_the_line_ends_of_another_system_is_left_as_it_is(tmp_path: Path) -> None:
    project = Project(tmp_path / "params.yaml")
    split(project, TINY, [CONFIG])
    other = project.folds_file.read_bytes().replace(b"\n", b"\r\n")
    project.folds_file.write_bytes(other)
    split(project, TINY, [CONFIG])
    assert project.folds_file.read_bytes() == other


def test_a_table_that_leaves_a_fold_without_a_class_is_named_with_what_to_do() -> None:
    dataset = Dataset.of(images("cat", 6) + images("dog", 3))
    crowded = {s.sha256: 0 if s.label == "dog" else n % 3 for n, s in enumerate(dataset.samples)}
    with pytest.raises(FoldsError, match="without a class") as caught:
        folds.assign(dataset, Scheme(3, 1), known=crowded)
    assert "take the rows of k 3, seed 1, repeat 0 out of folds.csv" in caught.value.next_step
    more = Dataset.of([*dataset.samples, *images("dog", 2, first=10)])
    made = folds.assign(more, Scheme(3, 1), known=crowded)
    assert made.moved == 0
    assert {int(fold) for s, fold in zip(more.samples, made.fold_of, strict=True) if s.label == "dog"} == {0, 1, 2}


def test_groups_that_cannot_be_parted_are_refused_with_the_largest_number_of_folds_that_works() -> None:
    pairs = ["ab", "bc", "ca", "ab", "bc"]  # two of them to a fold with every class, so that five do for two folds
    knot = Dataset.of([s for n, pair in enumerate(pairs) for c in pair for s in images(c, 1, group=f"{n}", first=n)])
    with pytest.raises(FoldsError, match="found no split into 3 folds that keeps groups whole") as caught:
        folds.assign(knot, Scheme(k=3, seed=1))
    assert caught.value.next_step.startswith("set folds.k to at most 2, or make data.group_by join fewer images")
    assert len(np.unique(folds.assign(knot, Scheme(k=2, seed=1)).fold_of)) == 2


def test_a_large_group_is_made_up_for_by_single_images() -> None:
    dataset = Dataset.of(images("cat", 4, group="farm") + images("cat", 8, first=10) + images("dog", 12))
    made = folds.assign(dataset, Scheme(k=3, seed=5))
    assert sorted(np.bincount(made.fold_of)) == [8, 8, 8]


def test_the_digest_of_a_cut_and_of_a_split_changes_with_one_image() -> None:
    made = folds.assign(TINY, SCHEME)
    other = replace(made, fold_of=np.where(np.arange(len(TINY)) == 0, 1 - made.fold_of, made.fold_of))
    assert folds.digest(TINY, [made]) != folds.digest(TINY, [other])
    assert folds.digest(TINY, [made]) != folds.digest(TINY, [made, replace(made, repeat=1)])
    assert folds.split_digest(TINY, made.folds(2)[0]) != folds.split_digest(TINY, other.folds(2)[0])
    assert folds.split_digest(TINY, made.folds(2)[0]) != folds.split_digest(TINY, made.folds(2)[1])


def test_schemes_share_a_table_without_disturbing_each_other() -> None:
    rows = [
        row
        for scheme in (SCHEME, Scheme(k=3, seed=42), Scheme(k=2, seed=43))
        for repeat in (0, 1)
        for row in folds.make_rows(TINY, scheme, folds.assign(TINY, scheme, repeat=repeat))
    ]
    expected = {
        s.sha256: int(f) for s, f in zip(TINY.samples, folds.assign(TINY, SCHEME, repeat=1).fold_of, strict=True)
    }
    assert folds.known_folds(rows, SCHEME, 1) == expected
    assert folds.known_folds(rows, Scheme(k=4, seed=42), 0) == {}


def test_a_table_is_brought_up_to_date_with_the_new_names_of_images() -> None:
    old = folds.make_rows(TINY, SCHEME, folds.assign(TINY, SCHEME))
    renamed = Dataset.of([s._replace(path=f"new/{s.path}") for s in TINY.samples])
    new = folds.make_rows(renamed, SCHEME, folds.assign(renamed, SCHEME, known=folds.known_folds(old, SCHEME, 0)))
    merged = folds.merge(old, new)
    assert merged == sorted(new)
    assert folds.merge(merged, new) == merged
    assert [row.fold for row in sorted(old)] == [row.fold for row in merged]


TABLE = folds.to_csv(folds.make_rows(TINY, SCHEME, folds.assign(TINY, SCHEME)))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("v,k,seed", "k,v,seed", "folds.csv has the columns k, v, seed"),
        (",42,0,", ",42,x,", "line 2 is not a row of folds"),
        ("1,2,42,0,", "2,2,42,0,", "line 2 is not a row of folds: schema version 2, newer than this foldproof"),
        ("1,2,42,0,0,", "1,2,42,0,2,", "is not a row of folds: fold 2 of 2"),
        ("1,2,42,0,0,", "1,2,42,0,-1,", "is not a row of folds: fold -1 of 2"),
        ("1,2,42,0,", "", "line 2 is not a row of folds"),
        ("1,2,42,0,", "<<<<<<< ours\n1,2,42,0,", "line 2 is not a row of folds"),
        ("cat", "cat,cat", "is not a row of folds"),
        (TINY.samples[0].sha256, TINY.samples[0].sha256[:-1] + "g", "is not a SHA-256"),
        ("cat", '"' + "x" * 200_000, "is not a row of folds: field larger"),
    ],
)
def test_a_damaged_table_is_refused_with_its_line(before: str, after: str, said: str) -> None:
    with pytest.raises(DamagedFile) as caught:
        folds.from_csv(TABLE.replace(before, after, 1))
    assert said in caught.value.what


def test_a_table_that_a_spreadsheet_has_saved_keeps_its_folds() -> None:
    assert folds.from_csv("\ufeff" + TABLE.replace("\n", "\r\n")) == folds.from_csv(TABLE)


def test_an_empty_table_has_no_columns() -> None:
    with pytest.raises(DamagedFile, match=r"has the columns \(none\)"):
        folds.from_csv("")
    assert folds.from_csv(folds.to_csv([])) == []


def test_twenty_thousand_images_are_cut_evenly_in_less_than_seconds() -> None:
    dataset = Dataset.of([s for n in range(10) for s in images(f"class {n}", 2_000)])
    began = time.monotonic()
    made = folds.assign(dataset, Scheme(k=5, seed=42))
    assert time.monotonic() - began < 5  # 0.3 s alone on a core; ten times that would be another algorithm
    assert np.bincount(made.fold_of).tolist() == [4_000] * 5


def test_a_name_with_a_line_break_of_any_kind_keeps_its_row() -> None:
    breaks = ("\r", "\n", "\r\n", "", ",", '"')
    odd = [s._replace(path=f"{breaks[n % 6]}/{n}{breaks[n % 3]}") for n, s in enumerate(TINY.samples)]
    rows = folds.make_rows(Dataset.of(odd), SCHEME, folds.assign(TINY, SCHEME))
    assert folds.from_csv(folds.to_csv(rows)) == rows


def drawn_set(number: int) -> tuple[Dataset, Scheme, int, dict[str, int]]:
    """Images of 2 to 4 classes, some in groups of several classes, some copies of others; some have a fold already."""
    draw = random.Random(number)
    classes, k = "abcd"[: draw.randint(2, 4)], draw.randint(2, 5)
    most = draw.choice((1, 3, 8))
    samples, known = [], {}
    for group in range(draw.randint(k, 5 * k)):
        for _ in range(draw.randint(1, most)):
            name = hashlib.sha256(f"{number} {len(samples) - (draw.random() < 0.05)}".encode()).hexdigest()
            label = draw.choice(classes)
            samples.append(Sample(name, label, f"{len(samples)}.png", f"g{group}" if draw.random() < 0.8 else ""))
            if number % 3 == 0 and draw.random() < 0.3:
                known[name] = draw.randrange(k)
    return Dataset.of(samples), Scheme(k, draw.randrange(5)), draw.randrange(2), known


def knotted_set(number: int) -> tuple[Dataset, Scheme, int, dict[str, int]]:
    """Nothing but groups, few of them, whose images are of one, two or three classes: gaps are left and filled."""
    draw = random.Random(number)
    classes, k = "abc"[: draw.randint(2, 3)], draw.randint(2, 4)
    samples: list[Sample] = []
    for group in range(draw.randint(k, 3 * k)):
        mine = draw.sample(classes, draw.randint(1, len(classes)))
        for _ in range(draw.choice((1, 2, 6))):
            name = hashlib.sha256(f"{number} {len(samples)}".encode()).hexdigest()
            samples.append(Sample(name, draw.choice(mine), f"{len(samples)}.png", f"g{group}"))
    return Dataset.of(samples), Scheme(k, draw.randrange(5)), 0, {}


def outcome_of(number: int) -> str:
    dataset, scheme, repeat, known = knotted_set(number) if number % 2 else drawn_set(number)
    try:
        made = folds.assign(dataset, scheme, repeat=repeat, known=known)
    except FoldsError as error:
        return f"{error.what}; {error.next_step}"
    return f"{made.repeat} {made.moved} {made.fold_of.tolist()} {folds.digest(dataset, [made])}"


@pytest.mark.slow
def test_three_thousand_drawn_sets_are_cut_or_refused_like_this_for_ever() -> None:
    """With gaps that are filled, searches that succeed and fail, images that are kept, refusals with their advice."""
    said = [outcome_of(number) for number in range(3_000)]
    refused = sum(not line[0].isdigit() for line in said)
    kept = sum(line.startswith(("0 ", "1 ")) and not line.startswith(("0 0 ", "1 0 ")) for line in said)
    assert refused > 200
    assert kept > 50
    total = hashlib.sha256("\n".join(said).encode()).hexdigest()
    assert total == "d8d69fe63ea5f8a940938fac75adf61900f631be13aad992f0effdae03ee4320"


def test_too_many_folds_become_as_many_as_the_images_allow() -> None:
    few = Dataset.of(images("cat", 3) + images("dog", 9))
    made, scheme = folds.assign_at_most(few, Scheme(5, 7))
    assert scheme == Scheme(3, 7)
    assert made.fold_of.tolist() == folds.assign(few, Scheme(3, 7)).fold_of.tolist()
    made, scheme = folds.assign_at_most(TINY, Scheme(2, 42))
    assert (scheme, by_path(TINY, made)) == (Scheme(2, 42), by_path(TINY, folds.assign(TINY, SCHEME)))
    tied = Dataset.of(
        images("cat", 2, group="a")
        + images("dog", 2, group="a")
        + images("cat", 4, first=2)
        + images("dog", 2, group="b", first=2)
    )
    assert folds.assign_at_most(tied, Scheme(5, 1))[1] == Scheme(2, 1)
    with pytest.raises(FoldsError):
        folds.assign_at_most(Dataset.of(images("cat", 5) + images("dog", 1)), Scheme(5, 7))
    with pytest.raises(FoldsError):
        folds.assign_at_most(Dataset(()), Scheme(5, 7))


SAID = ExperimentConfig(name="one", pixels=PixelSettings(), folds=FoldSettings(k=3, seed=1), train=TrainSettings())


def noticed(fold_of: list[int], *, scheme: str = "predefined", moved: int = 0, repeats: int = 1) -> list[str]:
    """What is said of folds that the data say: 3 cats, then 3 dogs."""
    dataset = Dataset.of([Sample(f"{at:064x}", "cat" if at < 3 else "dog", f"{at}.png") for at in range(len(fold_of))])
    config = replace(SAID, folds=FoldSettings(k=3, seed=1, scheme=scheme, repeats=repeats))
    made = {
        (scheme_of(config), repeat): folds.Assignment(repeat, np.array(fold_of), moved if repeat == 0 else 2 * moved)
        for repeat in range(repeats)
    }
    return [notice.text for notice in Splits(dataset, made).notices(config)]


def test_folds_that_the_data_say_and_that_lack_classes_or_leave_images_out_are_said() -> None:
    assert noticed([0, 1, 2, 0, 1, 2]) == []
    assert noticed([0, 1, 1, 0, 2, 2]) == [
        "fold 1 validates on no image of dog, and 1 other folds lack some",
    ]
    assert noticed([0, 1, 2, 0, 1, 1]) == ["fold 2 validates on no image of dog"]
    assert noticed([0, 1, 2, 0, 1, 2, -1, -1]) == ["2 of 8 images train and never validate"]
    assert noticed([0, 1, 1, 0, 2, 2], scheme="stratified") == []


@pytest.mark.parametrize(
    ("moved", "repeats", "text"),
    [
        (1, 1, "1 image moved to another fold: new images join their groups"),
        (2, 1, "2 images moved to another fold: new images join their groups"),
        (2, 3, "10 images moved to another fold, in 3 of 3 repeats: new images join their groups"),
    ],
)
def test_images_that_moved_are_counted_over_all_repeats(moved: int, repeats: int, text: str) -> None:
    assert noticed([0, 1, 2, 0, 1, 2], scheme="stratified", moved=moved, repeats=repeats) == [text]


def mended_plainly(brought: list[set[int]], places: list[int], movable: list[int], k: int, classes: int) -> bool:
    """As `repair` is described, counting everything again before each move."""

    def held(label: int, fold: int) -> int:
        return sum(label in has and place == fold for has, place in zip(brought, places, strict=True))

    for label in range(classes):
        for fold in range(k):
            if held(label, fold):
                continue
            able = [
                at
                for at in movable
                if label in brought[at] and all(held(other, places[at]) > 1 for other in brought[at])
            ]
            if not able:
                return False
            places[able[0]] = fold
    return True


def test_gaps_are_filled_by_the_first_unit_that_its_fold_can_spare() -> None:
    filled = 0
    for number in range(3_000):
        draw = random.Random(number)
        k, classes = draw.randint(2, 4), draw.randint(1, 3)
        count = draw.randint(k, 4 * k)
        brought = [set(draw.sample(range(classes), draw.randint(1, classes))) for _ in range(count)]
        places = [draw.randrange(draw.randint(1, k)) for _ in range(count)]
        movable = draw.sample(range(count), draw.randint(1, count))
        units = [Unit(f"{at}", (at,), dict.fromkeys(sorted(has), 1)) for at, has in enumerate(brought)]
        mine, plain = list(places), list(places)
        succeeded = repair(units, mine, movable=movable, k=k, classes=classes)
        assert bool(succeeded) == mended_plainly(brought, plain, movable, k, classes)
        assert mine == plain
        moved = sum(one != other for one, other in zip(mine, places, strict=True))
        filled += bool(succeeded) and moved > 1
    assert filled > 100


def gaps(number: int) -> tuple[list[set[int]], list[int], list[int], int, int]:
    """Units of several classes, some with a home already, that have to cover every class in every fold."""
    draw = random.Random(number)
    k, classes = draw.randint(2, 3), draw.randint(2, 4)
    count = draw.randint(k, 7)
    brought = [set(draw.sample(range(classes), draw.randint(1, classes))) for _ in range(count)]
    homes = [draw.randrange(k) if draw.random() < 0.2 else -1 for _ in range(count)]
    movable = [at for at in draw.sample(range(count), count) if homes[at] < 0]
    return brought, homes, movable, k, classes


def can_be_covered(brought: list[set[int]], homes: list[int], k: int, classes: int) -> bool:
    """By trying every way."""
    free = [at for at, home in enumerate(homes) if home < 0]
    for way in product(range(k), repeat=len(free)):
        places = dict(zip(free, way, strict=True)) | {at: home for at, home in enumerate(homes) if home >= 0}
        held = {(label, places[at]) for at, has in enumerate(brought) for label in has}
        if len(held) == k * classes:
            return True
    return False


def test_every_class_is_brought_to_every_fold_where_any_way_of_placing_the_units_does() -> None:
    said = []
    for number in range(400):
        brought, homes, movable, k, classes = gaps(number)
        units = [Unit(f"{at}", (at,), dict.fromkeys(sorted(has), 1)) for at, has in enumerate(brought)]
        found = covering(units, homes, movable=movable, k=k, classes=classes)
        assert (found is not None) == can_be_covered(brought, homes, k, classes)
        if found is not None:
            held = {(label, fold) for has, fold in zip(brought, found, strict=True) if fold >= 0 for label in has}
            assert len(held) == k * classes
            assert all(home in (-1, fold) for home, fold in zip(homes, found, strict=True))
        said.append(str(found))
    assert 100 < said.count("None") < 300
    assert (
        hashlib.sha256("\n".join(said).encode()).hexdigest()
        == "2b9c15ca9a2480503302f52fcb8692ee0aa9df45d1b4bd432a4a793c1c02ba79"
    )


@pytest.mark.parametrize(
    ("version", "scheme", "fold", "is_one"),
    [
        (1, None, 0, True),
        (1, None, -1, False),
        (1, None, 2, False),
        (2, "predefined", -1, True),
        (2, "predefined", -2, False),
        (2, "predefined", 1, True),
        (2, "predefined", 2, False),
        (3, "predefined", 0, False),
    ],
)
def test_a_fold_of_a_row_is_one_of_k_or_none_where_there_are_schemes(
    version: int, scheme: str | None, fold: int, is_one: bool
) -> None:
    columns = "v,k,seed,repeat,fold,sha256,label,group,path" + (",scheme" if scheme else "")
    text = f"{columns}\n{version},2,1,0,{fold},{'a' * 64},cat,,cat.png" + (f",{scheme}" if scheme else "") + "\n"
    if is_one:
        (row,) = folds.from_csv(text)
        assert (row.k, row.seed, row.repeat, row.fold, row.scheme) == (2, 1, 0, fold, scheme or "stratified")
    else:
        with pytest.raises(DamagedFile, match="line 2 is not a row of folds"):
            folds.from_csv(text)


def test_cuts_that_are_foreseen_are_those_that_are_made_and_nothing_is_written(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").touch()
    project = Project(tmp_path / "params.yaml")
    config = replace(SAID, folds=FoldSettings(k=3, seed=1, repeats=2))
    by_the_data = replace(SAID, folds=FoldSettings(k=3, seed=1, scheme="predefined"))
    said = {scheme_of(by_the_data): folds.Assignment(0, np.arange(12) % 3)}
    few, more = (Dataset.of(images("cat", count) + images("dog", count, first=20)) for count in (4, 6))

    def places(dataset: Dataset, splits: Splits) -> dict[object, dict[str, int]]:
        return {key: by_path(dataset, made) for key, made in splits.assignments.items()}

    foreseen = preview_splits(project, few, [config])
    assert not project.folds_file.exists()
    before = places(few, split(project, few, [config]))
    assert places(few, foreseen) == before
    assert before.keys() == {(scheme_of(config), 0), (scheme_of(config), 1)}
    written = project.folds_file.read_bytes()
    foreseen = preview_splits(project, more, [config, by_the_data], said)
    assert project.folds_file.read_bytes() == written
    after = places(more, split(project, more, [config, by_the_data], said))
    assert places(more, foreseen) == after
    assert after.pop((scheme_of(by_the_data), 0)) == by_path(more, said[scheme_of(by_the_data)])
    assert all(after[key].items() >= kept.items() for key, kept in before.items())
