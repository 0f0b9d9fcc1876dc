"""What reaches training: the images that were checked, in folds that keep together what belongs together."""

import csv
import json

import pytest
from PIL import Image

from foldproof.cli.main import run_command
from foldproof.events import journal
from foldproof.events.types import Notice

pytestmark = pytest.mark.slow
QUICK = ("--set", "train.epochs=1", "--set", "tracking.enabled=false", "--set", "execution.executor=inline")


@pytest.fixture
def images(tiny_project, monkeypatch):
    monkeypatch.chdir(tiny_project)
    return tiny_project / "images"


def fold_of(folder):
    with (folder / "folds.csv").open(encoding="utf-8", newline="") as file:
        return {row["path"]: row["fold"] for row in csv.DictReader(file)}


def newest(folder):
    return max((folder / "runs").iterdir(), key=lambda run: (run / "run.json").stat().st_mtime_ns)


def notices(run):
    return {
        event.body.code: event.body.text
        for event in journal.read(run / "events.jsonl")
        if isinstance(event.body, Notice)
    }


def test_a_new_image_that_joins_two_groups_moves_them_into_one_fold_and_that_is_said(images, capsys):
    project = images.parent
    settings = project / "params.yaml"
    settings.write_text(settings.read_text().replace("path: images", r"path: images, group_by: '(\d{3})'"))
    assert run_command(["run", *QUICK]) == 0
    before = fold_of(project)
    one, other = next(
        (a, b)
        for a in sorted(before)
        for b in sorted(before)
        if a.startswith("cat") and b.startswith("cat") and before[a] != before[b]
    )
    with Image.open(images / one) as picture:
        picture.save(images / other.replace(".png", "_again.bmp"))
    capsys.readouterr()
    assert run_command(["run", *QUICK]) == 0
    after = fold_of(project)
    assert after[one] == after[other] == after[other.replace(".png", "_again.bmp")]
    stayed = [path for path in before if path.split("/")[1] not in (one.split("/")[1], other.split("/")[1])]
    assert all(before[path] == after[path] for path in stayed)
    assert "moved to another fold" in notices(newest(project))["folds"]
    assert capsys.readouterr().err.count("moved to another fold") == 1


def test_the_record_of_a_run_says_which_images_look_alike_and_what_was_found(images):
    with Image.open(images / "cat" / "000.png") as picture:
        picture.save(images / "cat" / "again.bmp")
    (images / "dog" / "notes.txt").write_text("x")
    assert run_command(["run", *QUICK]) == 0
    run = newest(images.parent)
    samples = {
        path: duplicate for path, _, _, _, duplicate in json.loads((run / "dataset.json").read_text())["samples"]
    }
    assert samples["cat/000.png"] == samples["cat/again.bmp"] != ""
    assert samples["cat/001.png"] == ""
    card = json.loads((run / "data-card.json").read_text())
    assert card["duplicates"]["exact_pairs"] == 1
    assert card["findings"]["ignored"]["count"] == 1
    assert "ignored" in notices(run)["warnings"]


def test_a_renamed_image_changes_neither_folds_nor_fingerprint(images):
    assert run_command(["run", *QUICK]) == 0
    first = json.loads((newest(images.parent) / "run.json").read_text())
    for number, path in enumerate(sorted(images.rglob("*.png"))):
        path.rename(path.with_name(f"renamed{97 * number % 100}.PNG"))
    assert run_command(["run", "--again", *QUICK]) == 0
    second = json.loads((newest(images.parent) / "run.json").read_text())
    for key in ("identity", "fingerprint", "folds_digest"):
        assert first[key] == second[key]


def test_the_fingerprint_covers_what_is_trained_not_what_lies_there(images, capsys):
    (images / "cat" / "bad.png").write_bytes(b"")
    assert run_command(["data", "check", "--exclude"]) == 0
    assert run_command(["run", *QUICK]) == 0
    with_list = json.loads((newest(images.parent) / "run.json").read_text())
    assert notices(newest(images.parent))["excluded"] == "1 image left out by excluded.csv"
    (images / "cat" / "bad.png").unlink()
    (images.parent / "excluded.csv").unlink()
    assert run_command(["run", "--again", *QUICK]) == 0
    without = json.loads((newest(images.parent) / "run.json").read_text())
    assert with_list["fingerprint"] == without["fingerprint"]
    assert with_list["images"] == without["images"] == 18
