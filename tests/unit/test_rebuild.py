"""What a record from elsewhere may ask to be installed, and what a later foldproof may conclude."""

from dataclasses import replace

import pytest

from foldproof.analysis.difference import Difference
from foldproof.analysis.divergence import Divergence
from foldproof.reproduce.cannot import CannotCheck
from foldproof.reproduce.rebuild import rebuilt
from foldproof.reproduce.recorded import Recorded
from foldproof.reproduce.verdict import Extent, FoldCheck, by_another_foldproof, judge


def recorded(environment: dict[str, object]) -> Recorded:
    return Recorded(
        folder=None, record=None, config=None, dataset=None, folds_table="", rows=(), environments=(environment,),
        code_diff=b"",
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"packages": None, "python": "3.11.2"},
        {"packages": ["numpy"], "python": "3.11.2"},
        {"packages": {"numpy": 2}, "python": "3.11.2"},
        {"packages": {"-e /somewhere/else": "1"}, "python": "3.11.2"},
        {"packages": {"numpy": "1 --index-url=elsewhere"}, "python": "3.11.2"},
        {"packages": {"numpy": "2.1\n-r other.txt"}, "python": "3.11.2"},
        {"packages": {"numpy": "2.1"}, "elsewhere": ["numpy"], "python": "3.11.2"},
        {"packages": {"numpy": "2.1"}, "elsewhere": {"numpy": "file:///x"}, "python": "3.11.2"},
        {"packages": {"numpy": "2.1"}, "python": None},
        {"packages": {"numpy": "2.1"}, "python": "3.11; rm"},
    ],
)
def test_what_is_no_list_of_packages_is_never_handed_to_an_installer(environment, tmp_path):
    wheel = tmp_path / "foldproof.whl"
    wheel.write_bytes(b"")
    with pytest.raises(CannotCheck) as raised, rebuilt(recorded(environment), wheel, tmp_path):
        pass
    assert raised.value.needed
    assert list(tmp_path.iterdir()) == [wheel] or not list(tmp_path.rglob("*.txt"))


PARTED = FoldCheck(
    repeat=0, fold=0, epochs=1, accuracy_then=0.5, accuracy_now=0.6, weights_sha256="w",
    divergence=Divergence(repeat=0, fold=0, epoch=1, step=2, kind="loss", then="1", now="2"),
)  # fmt: skip
WHOLE = Extent(folds=1, of_folds=1, epochs=1, of_epochs=1)


def test_other_bits_of_a_later_foldproof_say_nothing_against_a_record():
    later = replace(Difference(), code=replace(Difference().code, training_code=True))
    verdict = by_another_foldproof(judge([PARTED], later, extent=WHOLE, tolerance=0.01), later)
    assert verdict.word == "CANNOT CHECK HERE"
    assert any("--env rebuild" in line for line in verdict.lines)


def test_other_bits_by_a_later_foldproof_and_other_images_are_a_divergence():
    both = replace(
        Difference(),
        code=replace(Difference().code, training_code=True),
        images=replace(Difference().images, changed=("a.png",)),
    )
    assert by_another_foldproof(judge([PARTED], both, extent=WHOLE, tolerance=0.01), both).word == "DIVERGED"
