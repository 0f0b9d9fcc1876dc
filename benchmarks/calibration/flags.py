"""What `healthy.py` made in; how often a fold is said to disagree, wrongly or rightly, out: flags.json."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from healthy import FAULTS, PARTS, Healthy, settings
from kept import part_file
from numpy.typing import NDArray
from scipy import stats

from foldproof.analysis.lines import DISAGREES
from foldproof.analysis.statistics.homogeneity import LOOKED_AT, FoldCurve, compare_curves

RESULT = Path(__file__).parent / "flags.json"
COSTS = (0.03, 0.05, 0.07, 0.10, 0.15)  # taken from every epoch of the first fold
SIMULATED = 4000


def draws(setting: Healthy) -> dict[str, NDArray[Any]]:
    """All draws made so far, end to end; empty where there are none."""
    files = [part_file(setting, part) for part in range(PARTS[setting.a_fold])]
    parts = [dict(np.load(file)) for file in files if file.exists()]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def flagged(curves: NDArray[np.float64], images: NDArray[np.int32]) -> int | None:
    """The fold that is said to disagree.  # [fold, epoch], [fold]"""
    pairs = enumerate(zip(curves, images))  # noqa: B905
    found = compare_curves({(0, at): FoldCurve(tuple(curve), int(n)) for at, (curve, n) in pairs})
    return found.fold_id.fold if found is not None and found.p < DISAGREES and found.matters else None


def judged(setting: Healthy) -> dict[str, Any] | None:
    """False alarms after each number of epochs, and how often each fault is found."""
    found = draws(setting)
    if not found:
        return None
    images = found["images"]
    curves = found["right"] / images[:, :, None]  # [draw, fold, epoch]
    alarms = [
        sum(flagged(one[:, :epochs], n) is not None for one, n in zip(curves, images, strict=True))
        for epochs in range(1, setting.epochs + 1)
    ]
    faulty = found["faults"] / images[:, :1, None]  # [draw, fault, epoch]
    last = slice(-LOOKED_AT, None)
    return {
        "learner": setting.learner,
        "easy": setting.easy,
        "rate": setting.rate,
        "images": setting.a_fold,
        "accuracy": float(curves[:, :, -1].mean()),
        "draws": len(curves),
        "false_alarms": alarms,
        "upper_bound": float(stats.beta.ppf(0.975, alarms[-1] + 1, len(curves) - alarms[-1])),
        "faults": {
            fault: {
                "cost": float((curves[:, 0, last] - faulty[:, at, last]).mean()),
                "found": sum(
                    flagged(np.concatenate([faulty[draw, at][None], curves[draw, 1:]]), images[draw]) == 0
                    for draw in range(len(curves))
                ),
            }
            for at, fault in enumerate(FAULTS)
        },
        "found_at_a_cost": {
            f"{100 * cost:.0f}": sum(
                flagged(one - cost * (np.arange(len(one)) == 0)[:, None], n) == 0
                for one, n in zip(curves, images, strict=True)
            )
            for cost in COSTS
        },
    }


def simulated(accuracy: float, images: int, noise: float) -> dict[str, Any]:
    """False alarms of folds whose trainings differ by `noise`, half of it lasting, half from epoch to epoch."""
    rng = np.random.default_rng(images)
    n = np.full(5, images)
    part = noise / np.sqrt(2)
    alarms = 0
    for _ in range(SIMULATED):
        level = np.clip(accuracy + part * rng.standard_normal((5, 1)), 0, 1)
        alarms += flagged(rng.binomial(images, level) / images + part * rng.standard_normal((5, 3)), n) is not None
    return {"accuracy": accuracy, "images": images, "noise": noise, "draws": SIMULATED, "false_alarms": alarms}


def main() -> None:
    """Write flags.json from what has been made so far."""
    rows = [row for setting in settings() if (row := judged(setting)) is not None]
    made_up = [
        simulated(accuracy, images, noise)
        for accuracy, noise in ((0.95, 0.005), (0.8, 0.01))
        for images in (200, 1000, 2000, 10_000)
    ]
    RESULT.write_text(json.dumps({"v": 1, "trained": rows, "simulated": made_up}, indent=1) + "\n", encoding="utf-8")
    for row in (*rows, *made_up):
        print(row)


if __name__ == "__main__":
    sys.exit(main())
