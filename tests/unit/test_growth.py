"""The lines and pictures of `make growth`."""

import numpy as np
import pytest

from benchmarks.growth import points, write_images
from benchmarks.growth_pictures import draw, theory

POINTS = [
    {"axis": "epochs", "x": x, "passes": 100 * x, "alone": alone, "wall": wall, "cpu": wall}
    for x, alone, wall in ((1, 100, 5.0), (3, 600, 9.0), (10, 5500, 20.0))
]
SWEEP = [
    {"axis": "sweep", "x": x, "passes": 100 * x, "alone": None, "wall": 3.0 + 2.0 * x, "cpu": 1.0} for x in (1, 3, 10)
]


def test_the_proportional_line_goes_through_the_first_point_and_the_last():
    (line,) = theory("sweep", SWEEP).values()
    assert line[0] == pytest.approx([5.0, 9.0, 23.0])


def test_twice_the_cores_would_take_half_the_time():
    one, two = ({"x": x, "passes": 100, "wall": wall} for x, wall in ((1, 8.0), (2, 5.0)))
    (line,) = theory("cores", [one, two]).values()
    assert line[0] == [8.0, 4.0]


def test_experiments_that_begin_alike_stand_beside_what_they_take_alone_at_the_pace_of_those_that_share_nothing():
    lines = theory("epochs", POINTS, SWEEP)
    assert lines["no epoch twice"][0] == pytest.approx([5.0, 9.0, 23.0])
    assert lines["each trained alone"][0] == pytest.approx([5.0, 15.0, 113.0])


@pytest.mark.slow
def test_the_same_points_give_the_same_pictures(tmp_path):
    folders = [tmp_path / "one", tmp_path / "other"]
    drawn = []
    for folder in folders:
        folder.mkdir()
        drawn.append({file.name: file.read_bytes() for file in draw({"points": [*POINTS, *SWEEP]}, folder)})
    assert drawn[0] == drawn[1]
    assert set(drawn[0]) == {"growth-sweep.svg", "growth-epochs.svg"}


def test_every_axis_grows_and_its_images_are_all_different(tmp_path):
    for axis in {point.axis for point in points(quick=False)}:
        works = [point.passes for point in points(quick=False) if point.axis == axis]
        assert len(works) >= 2
        assert works == sorted(works)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 784))
    write_images(tmp_path, 60, pictures, np.array([0, 1, 1]))
    files = [file.read_bytes() for file in tmp_path.rglob("*.png")]
    assert len(files) == len(set(files)) == 60
