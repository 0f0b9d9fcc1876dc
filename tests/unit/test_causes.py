"""What can be the cause of other bits: each thing that may differ with its sentence, and all of them in their order."""

from dataclasses import replace

import pytest

from foldproof.analysis.causes import first_shows, probable_causes
from foldproof.analysis.difference import Change, CodeDifference, Difference, FoldDifference, ImageDifference, differ
from foldproof.analysis.difference import RunSide as Side
from foldproof.analysis.divergence import Divergence
from foldproof.data.dataset import Dataset

COMMIT = Change("commit", "aaa", "bbb")
VERSION = Change("foldproof", "0.1", "0.2")


def change(name: str) -> Change:
    return Change(name, "this", "that")


def parting(epoch: int, step: int | None, kind: str) -> Divergence:
    return Divergence(repeat=0, fold=0, epoch=epoch, step=step, kind=kind, then="1", now="2")  # type: ignore[arg-type]


def said(difference: Difference, divergence: Divergence | None = None) -> list[tuple[str, str]]:
    return [(cause.kind, cause.text) for cause in probable_causes(difference, divergence)]


ONE_EACH = [
    (Difference(settings=(change("train.threads"),)), ("threads", "train.threads this then, that now")),
    (Difference(settings=(change("train.lr"),)), ("config", "config: train.lr this then, that now")),
    (
        Difference(images=ImageDifference(added=("a", "b", "c", "d"), regrouped=("e",))),
        ("data", "data: 4 images added (a, b, c, …); 1 image regrouped (e)"),
    ),
    (Difference(images=ImageDifference(removed=("a", "b", "c"))), ("data", "data: 3 images removed (a, b, c)")),
    (
        Difference(folds=FoldDifference(moved=2000, paths=("a",))),
        ("folds", "folds: 2,000 images in another fold (a)"),
    ),
    (
        Difference(code=CodeDifference(plugins=True, model=True)),
        ("code", "code: the modules that the settings name differ"),
    ),
    (
        Difference(code=CodeDifference(training_code=True, foldproof=VERSION)),
        ("code", "code: foldproof's own training code differs (foldproof 0.1 then, 0.2 now)"),
    ),
    (
        Difference(code=CodeDifference(model=True)),
        ("code", "code: the model built here starts from different numbers: weights or a library"),
    ),
    (
        Difference(arithmetic=(change("device"), change("device_name"))),
        ("device", "device: this then, that now"),
    ),
    (Difference(arithmetic=(change("device_name"),)), ("device", "device: this then, that now")),
    (Difference(arithmetic=(change("torch"),)), ("package", "package: torch this then, that now")),
    (
        Difference(arithmetic=(change("instruction_set"), change("switches"))),
        ("instruction set", "instruction set this then, that now"),
    ),
    (
        Difference(arithmetic=(change("switches"),)),
        ("instruction set", "instruction set: switches this then, that now"),
    ),
    (Difference(arithmetic=(change("threads"),)), ("threads", "threads this then, that now")),
    (
        Difference(packages=(change("numpy"), change("pillow"), change("timm"), change("torchvision"))),
        (
            "package",
            "package: numpy this then, that now; pillow this then, that now; timm this then, that now; and 1 more",
        ),
    ),
    (Difference(packages=(change("pytest"),)), ("package", "package: pytest this then, that now")),
    (
        Difference(arithmetic=(change("tf32"), change("compiled"))),
        ("instruction set", "instruction set: compiled this then, that now"),
    ),
    (
        Difference(arithmetic=(change("compiled"), change("fingerprint"))),
        ("instruction set", "instruction set: the same functions give different bits here"),
    ),
    (Difference(machine=(change("hostname"), change("processor"))), ("processor", "processor this then, that now")),
    (
        Difference(machine=(change("hostname"),)),
        ("nothing known", "nothing known: nothing on which bits depend differs"),
    ),
    (Difference(), ("nothing known", "nothing known: nothing that is recorded differs")),
]


@pytest.mark.parametrize(("difference", "cause"), ONE_EACH, ids=[cause[1][:60] for _, cause in ONE_EACH])
def test_one_thing_that_differs_is_one_cause(difference, cause):
    assert said(difference) == [cause]


def test_all_that_may_differ_at_once_is_told_in_the_order_of_how_well_it_explains_other_bits():
    code = CodeDifference(plugins=True, training_code=True, foldproof=VERSION, model=True, commit=COMMIT)
    arithmetic = ("torch", "device", "instruction_set", "threads", "fingerprint")
    everything = Difference(
        settings=(change("train.lr"),),
        images=ImageDifference(changed=("a",)),
        folds=FoldDifference(moved=1, paths=("a",)),
        code=code,
        packages=(change("numpy"), change("pytest")),
        machine=(change("processor"),),
        arithmetic=tuple(map(change, arithmetic)),
    )
    told = [text.partition(" this")[0] for _, text in said(everything)]
    assert told == [
        "config: train.lr",
        "data: 1 image changed (a)",
        "code: the modules that the settings name differ",
        "code: foldproof's own training code differs (foldproof 0.1 then, 0.2 now)",
        "device:",
        "package: torch",
        "instruction set",
        "threads",
        "package: numpy",
        "processor",
        "package: pytest",
    ]
    without = replace(everything, images=ImageDifference(), settings=(), arithmetic=())
    own = replace(without, code=replace(code, plugins=False))
    kinds = [text.partition(" this")[0] for _, text in said(own)]
    assert kinds[:3] == [
        "folds: 1 image in another fold (a)",
        "code: foldproof's own training code differs (foldproof 0.1 then, 0.2 now)",
        "code: the model built here starts from different numbers: weights or a library",
    ]
    assert kinds[-1] == "code: commit aaa then, bbb now; the modules that the settings name are the same"


def test_images_that_moved_because_of_a_setting_of_the_folds_come_after_it_and_those_that_moved_by_themselves_before():
    moved = FoldDifference(moved=1, paths=("a",))
    with_code = CodeDifference(plugins=True)
    both = Difference(settings=(change("folds.seed"),), folds=moved, code=with_code)
    assert [kind for kind, _ in said(both)] == ["config", "code", "folds"]
    assert [kind for kind, _ in said(replace(both, settings=(change("train.lr"),)))] == ["config", "folds", "code"]


def test_other_images_explain_what_comes_after_the_first_weights_better_than_those():
    images = ImageDifference(added=("a",))
    beside = Difference(images=images, code=CodeDifference(plugins=True))
    assert [kind for kind, _ in said(beside, parting(0, None, "initial weights"))] == ["code", "data"]
    assert [kind for kind, _ in said(beside, parting(1, 1, "loss"))] == ["data", "code"]


def test_the_size_in_use_shows_in_the_first_weights_and_the_range_in_the_first_step():
    assert first_shows("image size in use") == "before"
    assert first_shows("range in use") == "first step"
    assert first_shows("a setting of a later version") == "before"


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ({"image_size": 8}, {"image_size": 9}, [Change("image size in use", "8", "9")]),
        ({"image_size": 8}, {}, [Change("image size in use", "8", "absent")]),
        (
            {"range": {"low": 0, "high": 9.5, "bits": 16}},
            {},
            [Change("range in use", "0 to 9.5", "8-bit images")],
        ),
    ],
)
def test_a_size_and_a_range_that_were_found_in_the_images_are_told_as_settings_are(then, now, expected):
    config = {"config": {"pixels": {}, "folds": {}, "train": {}}}
    sides = [
        Side(facts={**config, **facts}, environment={}, dataset=Dataset.of([]), rows=(), code_diff=b"")
        for facts in (then, now)
    ]
    assert list(differ(*sides).settings) == expected
