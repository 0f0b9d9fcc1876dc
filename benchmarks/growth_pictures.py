"""Points of `growth.py` in; a picture an axis, as SVG that is the same for the same points, out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt

MEASURED, CPU, THEORY, OTHER = "#1b5e9b", "#9aa5b1", "#d1495b", "#5b8c5a"
TITLES = {
    "images": "images",
    "folds": "folds of 5,000 digits",
    "sweep": "experiments that differ in learning rate",
    "epochs": "experiments of 1, 2, 3, … epochs with the same beginning",
    "cores": "cores",
}


def draw(document: Mapping[str, Any], folder: Path) -> list[Path]:
    """`growth-AXIS.svg` for every axis that was measured."""
    written = []
    mpl.rcParams.update({"svg.hashsalt": "growth", "svg.fonttype": "none", "font.family": "sans-serif"})
    of_axis = {
        axis: sorted((one for one in document["points"] if one["axis"] == axis), key=lambda one: one["x"])
        for axis in TITLES
    }
    for axis, title in TITLES.items():
        points = of_axis[axis]
        if len(points) < 2:
            continue
        figure, axes = plt.subplots(figsize=(5.4, 3.2), layout="constrained")
        xs = [one["x"] for one in points]
        axes.plot(xs, [one["wall"] for one in points], "o-", color=MEASURED, label="seconds")
        axes.plot(xs, [one["cpu"] for one in points], "s-", color=CPU, markersize=4, label="processor seconds")
        for name, (values, colour) in theory(axis, points, of_axis["sweep"]).items():
            axes.plot(xs, values, "--", color=colour, linewidth=1.2, label=name)
        _dress(axes, axis, title, xs)
        file = folder / f"growth-{axis}.svg"
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
        file.write_text("".join(f"{line.rstrip()}\n" for line in file.read_text().splitlines()), encoding="utf-8")
        written.append(file)
    return written


def theory(
    axis: str, points: Sequence[Mapping[str, Any]], sweep: Sequence[Mapping[str, Any]] = ()
) -> dict[str, tuple[list[float], str]]:
    """The line beside what was measured: seconds for every point.

    Cores: the time on one core, divided. Else proportional to the images that pass the network, from the first point to
    the last: what grows faster than that sags below it in between. Epochs: at the seconds a pass of the `sweep`, in
    which nothing can be shared, when no epoch is trained twice and when each experiment is trained alone.
    """
    walls = [one["wall"] for one in points]
    if axis == "cores":
        return {"one core, divided": ([walls[0] * points[0]["x"] / one["x"] for one in points], THEORY)}
    passes = [one["passes"] for one in points]
    if axis != "epochs":
        rate = (walls[-1] - walls[0]) / (passes[-1] - passes[0])
        return {"proportional": ([walls[0] + rate * (one - passes[0]) for one in passes], THEORY)}
    if len(sweep) < 2:
        return {}
    rate = (sweep[-1]["wall"] - sweep[0]["wall"]) / (sweep[-1]["passes"] - sweep[0]["passes"])
    return {
        "no epoch twice": ([walls[0] + rate * (one - passes[0]) for one in passes], THEORY),
        "each trained alone": ([walls[0] + rate * (one["alone"] - points[0]["alone"]) for one in points], OTHER),
    }


def _dress(axes: Any, axis: str, title: str, xs: Sequence[int]) -> None:
    axes.set_xlabel(title)
    axes.set_ylabel("s")
    if axis in ("images", "epochs"):
        axes.set_xscale("log")
        axes.set_yscale("log")
    axes.set_xticks(xs, [f"{x:,}" for x in xs])
    axes.minorticks_off()
    if axis not in ("images", "epochs"):
        axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)
