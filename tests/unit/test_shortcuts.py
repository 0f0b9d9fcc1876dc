"""The shortcut probe: what it must see, and what must not make it speak."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from foldproof.data.checks.shortcuts import MOST_IMAGES, FileTraits, Shortcut, probe_shortcuts


def noise(images: int, *, seed: int = 0) -> FileTraits:
    """Traits that say nothing, each with several values."""
    random = np.random.default_rng(seed)
    return FileTraits(
        format=random.choice(["JPEG", "PNG"], images).tolist(),
        camera=random.choice(["", "Canon", "Nikon"], images).tolist(),
        width=random.integers(300, 900, images),
        height=random.integers(300, 900, images),
        file_bytes=random.integers(10_000, 90_000, images),
        colour=random.uniform(0, 255, (images, 3)),
    )


def classes(images: int, number: int = 3) -> NDArray[np.int64]:
    return np.random.default_rng([images, number]).permutation(np.arange(images) % number)


def alone(images: int) -> NDArray[np.int64]:
    return np.arange(images)


def clear(found: tuple[Shortcut, ...]) -> list[str]:
    return [shortcut.trait for shortcut in found if shortcut.clear]


@pytest.mark.parametrize("images", [20, 60, 400])
@pytest.mark.parametrize("number", [2, 3, 5])
@pytest.mark.parametrize("trait", ["file format", "camera", "pixel size", "file size", "mean colour"])
def test_a_class_that_a_trait_gives_away_is_found_in_few_images_and_in_many(
    trait: str, number: int, images: int
) -> None:
    labels, traits = classes(images, number), noise(images)
    odd = labels == 1
    given_away = {
        "file format": replace(traits, format=["PNG" if it else "JPEG" for it in odd]),
        "camera": replace(traits, camera=["Leica" if it else "" for it in odd]),
        "pixel size": replace(traits, width=np.where(odd, 640, 800)),
        "file size": replace(traits, file_bytes=np.where(odd, traits.file_bytes + 90_000, traits.file_bytes)),
        "mean colour": replace(traits, colour=np.where(odd[:, None], traits.colour / 9 + 220, traits.colour * 0.8)),
    }
    found = probe_shortcuts(given_away[trait], labels, alone(images))
    assert clear(found) == [trait]
    shortcut = next(shortcut for shortcut in found if shortcut.clear)
    assert number == 2 or shortcut.label == 1
    assert shortcut.score > shortcut.chance == 1 / number


@pytest.mark.slow
def test_noise_is_flagged_in_at_most_one_of_thirty_sets() -> None:
    sets = [(size, seed) for size in (20, 60, 300) for seed in range(10)]
    flagged = [
        (size, seed)
        for size, seed in sets
        if clear(probe_shortcuts(noise(size, seed=seed), classes(size, 2 + seed % 3), alone(size)))
    ]
    assert len(flagged) <= 1


def test_two_cameras_that_split_ten_classes_in_half_are_found() -> None:
    labels = classes(500, 10)
    traits = replace(noise(500), camera=["Leica" if label < 5 else "Canon" for label in labels])
    assert clear(probe_shortcuts(traits, labels, alone(500))) == ["camera"]


def test_a_camera_a_patient_is_no_shortcut_since_no_patient_is_learned_from_and_asked() -> None:
    labels = np.repeat([0, 1], 200)
    patients = np.arange(400) // 20  # ten a class
    traits = replace(noise(400), camera=[f"camera {patient}" for patient in patients])
    assert clear(probe_shortcuts(traits, labels, alone(400))) == ["camera"]
    assert clear(probe_shortcuts(traits, labels, patients)) == []


def test_three_patients_a_class_prove_nothing_however_many_images_they_have() -> None:
    labels, patients = np.repeat([0, 1], 300), np.arange(600) // 100
    traits = replace(noise(600), format=["PNG" if label else "JPEG" for label in labels])
    found = probe_shortcuts(traits, labels, patients)
    assert next(s for s in found if s.trait == "file format").recall == 1.0
    assert clear(found) == []


def test_a_trait_with_one_value_is_skipped() -> None:
    traits = replace(noise(40), format=["PNG"] * 40, camera=[""] * 40, width=np.full(40, 28), height=np.full(40, 28))
    assert [s.trait for s in probe_shortcuts(traits, classes(40), alone(40))] == ["file size", "mean colour"]


def test_one_class_or_no_image_gives_no_finding() -> None:
    assert probe_shortcuts(noise(30), np.zeros(30, dtype=np.int64), alone(30)) == ()
    assert probe_shortcuts(noise(0), np.zeros(0, dtype=np.int64), alone(0)) == ()


def test_the_same_traits_give_the_same_findings() -> None:
    assert probe_shortcuts(noise(200), classes(200), alone(200)) == probe_shortcuts(
        noise(200), classes(200), alone(200)
    )


@pytest.mark.slow
def test_of_very_many_images_some_from_everywhere_are_looked_at() -> None:
    images = 3 * MOST_IMAGES
    labels = classes(images, 2)
    traits = replace(noise(images), format=["PNG" if label else "JPEG" for label in labels])
    found = probe_shortcuts(traits, labels, alone(images))
    assert clear(found) == ["file format"]
    assert {shortcut.images for shortcut in found} == {MOST_IMAGES}


def test_a_finding_is_said_in_one_line_and_as_json() -> None:
    labels = classes(60)
    traits = replace(noise(60), format=["PNG" if label == 1 else "JPEG" for label in labels])
    found = next(s for s in probe_shortcuts(traits, labels, alone(60)) if s.clear)
    names = ("cat", "dog", "eel")
    assert found.text(names) == (
        "'dog' can be told by the file's format alone: that fits 100% of its images and 0% of the others"
    )
    assert found.to_json(names)["class"] == "dog"
    assert found.to_json(names)["clear"] is True
