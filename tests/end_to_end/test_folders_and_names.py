"""Folders and names as the world has them, from nothing to a compared run by what a person types."""

import os
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import draw, draw_classes
from foldproof.cli.main import run_command
from foldproof.project import Project
from foldproof.records.record import RunRecord

CHEAP = (
    "train.backbone=small_cnn train.pretrained=false train.freeze_backbone=false train.epochs=1 data.image_size=8 "
    "execution.executor=inline tracking.enabled=false"
)
SET = [word for pair in CHEAP.split() for word in ("--set", pair)]
NAMES = (
    'quo"te', "semi;colon,comma", "new\nline", "tab\tx", "<b>[bold]markup", "y" * 200, "-rf", "0", "null", "NUL",
    "naïve é",
    "日本", "emoji 🦊", " blank", "trailing ", "%s{0}$HOME`id`", "a|b", "*?[x]", "~", "#c", "=cmd()", "esc\x1b[31mred",
    "back\\slash", "C:", "\u202egnp", "1.0", "it's", "&amp;", "{{7*7}}",
)  # fmt: skip


def typed(*words: str) -> None:
    assert run_command(list(words)) == 0, shlex.join(words)


def records_of(folder: Path) -> list[RunRecord]:
    return [RunRecord.read(run) for run in Project.find(folder).run_folders()]


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows holds few of these names")
def test_a_class_and_a_file_may_have_any_name_that_a_folder_can_have(tmp_path, monkeypatch, capsys):
    root = tmp_path / "my $work 'x'"
    for label, name in enumerate(NAMES):
        for number in range(3):
            draw(
                root / "im\nages" / name / f'{number} <i>#%"é\n.png',
                label=label % 3,
                number=100 * label + number,
                size=16,
            )
    monkeypatch.chdir(root)
    typed("init")
    typed("data", "add", "im\nages")
    counted = [line for line in capsys.readouterr().out.splitlines() if line.startswith("       3  ")]
    assert len(counted) == len(NAMES)
    typed("data", "check")
    assert "warning name-not-portable" in capsys.readouterr().out
    typed("run", *SET)
    (record, _) = records_of(root)
    assert sorted(record.facts["classes"]) == sorted(NAMES)
    for format_ in ("text", "csv", "md", "latex"):
        typed("compare", "--format", format_)
    for format_ in ("html", "md", "json"):
        typed("report", "--format", format_, "-o", f"out/r.{format_}")
    assert "<b>[bold]" not in (root / "out" / "r.html").read_text()
    typed("verify", record.run)
    typed("bundle", record.run, "-o", "b.zip", "--images")
    monkeypatch.chdir(tmp_path)
    typed("verify", str(root / "b.zip"))
    assert "\x1b[31m" not in capsys.readouterr().out


def thumbnails(folder: Path) -> None:
    draw_classes(folder / "photos", each=8, size=32)
    for name in ("cat", "dog"):
        draw(folder / "photos" / name / "@eaDir" / "000.png" / "thumb.png", label=0, number=1, size=32)
    draw(folder / "photos" / "#recycle" / "x.png", label=0, number=1, size=32)


def masks(folder: Path) -> None:
    for label, name in enumerate(("cat", "dog", "eel")):
        for number in range(8):
            draw(folder / "photos" / name / "images" / f"{number}.png", label=label, number=number, size=32)
            draw(folder / "photos" / name / "masks" / f"{number}.png", label=label, number=90 + number, size=32)


def nested_parts(folder: Path) -> None:
    for start, (part, each) in enumerate((("seg_train", 8), ("seg_test", 3))):
        for label, name in enumerate(("cat", "dog", "eel")):
            for number in range(each):
                path = folder / "photos" / part / part / name / f"{number}.png"
                draw(path, label=label, number=100 * start + number, size=32)
    draw(folder / "photos" / "seg_pred" / "seg_pred" / "1.png", label=0, number=999, size=32)


def without_suffix(folder: Path) -> None:
    draw_classes(folder / "photos", each=8, size=32)
    for path in [*(folder / "photos").rglob("*.png")]:
        path.rename(path.with_suffix(""))


@pytest.mark.slow
@pytest.mark.parametrize("make", [thumbnails, masks, nested_parts, without_suffix])
def test_a_folder_as_it_comes_is_trained_on_by_its_classes_alone(make: Callable[[Path], None], tmp_path, monkeypatch):
    make(tmp_path)
    monkeypatch.chdir(tmp_path)
    typed("init")
    typed("data", "add", "photos")
    typed("run", *SET)
    typed("compare")
    for record in records_of(tmp_path):
        assert record.status == "finished"
        assert record.facts["images"] == 24
        assert record.facts["classes"] == ["cat", "dog", "eel"]
