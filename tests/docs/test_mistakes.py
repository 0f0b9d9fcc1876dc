"""Every mistake of docs/reference/errors.md, made again: it is answered as the page says, and as it should be."""

import pytest

from mistaken.mistake import Mistake, made
from mistaken.page import MISTAKES, on_the_page
from mistaken.worlds import Worlds


@pytest.fixture(scope="session")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return Worlds(tmp_path_factory.mktemp("mistaken"))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.slug)
def test_what_the_page_says_is_at_most_three_lines_and_ends_with_a_next_step(mistake: Mistake) -> None:
    lines = on_the_page(mistake).splitlines()
    assert lines, "run make errors"
    assert len(lines) <= 3
    assert lines[0].startswith("error: ")
    assert lines[-1].startswith("  ")
    assert "Traceback" not in "".join(lines)


def test_no_two_mistakes_have_the_same_name() -> None:
    assert len({mistake.slug for mistake in MISTAKES}) == len(MISTAKES)


SOME = [  # one in eight is made again with every change, all of them by `make thorough`
    pytest.param(mistake, id=mistake.slug, marks=() if number % 8 == 0 else pytest.mark.thorough)
    for number, mistake in enumerate(MISTAKES)
]


@pytest.mark.slow
@pytest.mark.parametrize("mistake", SOME)
def test_a_mistake_is_answered_as_the_page_says(mistake: Mistake, worlds: Worlds) -> None:
    if not mistake.possible():
        pytest.skip("only root may mount a file system")
    told = made(mistake, worlds)
    assert "Traceback" not in told.whole
    assert told.code == mistake.code
    assert told.text == on_the_page(mistake)
