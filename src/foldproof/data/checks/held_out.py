"""Report images, or groups, that are both in training and in the held-out set. Pure."""

from collections.abc import Iterator, Mapping

from foldproof.data.checks.duplicates import Duplicates
from foldproof.data.checks.findings import Finding
from foldproof.data.dataset import Dataset
from foldproof.data.examine import ExaminedPicture


def join_parts(dataset: Dataset, held_out: Dataset) -> Dataset:
    """Both as one: the images that train come first, each part in its own order."""
    return Dataset((*dataset.samples, *held_out.samples))


def find_on_both_sides(
    dataset: Dataset, held_out: Dataset, pictures: Mapping[str, ExaminedPicture], alike: Duplicates
) -> Iterator[Finding]:
    """Images that train with the pixels, the group or the looks of one that is held out.

    `pictures` are of all of both; `alike`: what looks alike of both joined.
    """
    pixels = {pictures[sample.path].pixels: sample.path for sample in held_out.samples}
    groups = {sample.group: sample.path for sample in held_out.samples if sample.group}
    for sample in dataset.samples:
        same = pixels.get(pictures[sample.path].pixels)
        if same is not None:
            yield Finding("held-out-twice", sample.path, f"the same pixels as {same}, which is held out")
    torn = {sample.group: sample.path for sample in dataset.samples if sample.group in groups}
    for group, path in sorted(torn.items()):
        yield Finding("held-out-group", path, f"of group '{group}', as is {groups[group]}, which is held out")
    everything = join_parts(dataset, held_out).samples
    for pair in alike.pairs:
        first, second = sorted((pair.first, pair.second))
        if not pair.exact and first < len(dataset) <= second:
            text = f"looks like {everything[second].path}, which is held out"
            yield Finding("held-out-alike", everything[first].path, text)
