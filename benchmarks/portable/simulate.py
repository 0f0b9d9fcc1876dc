"""The same tiny trainings on processors that QEMU simulates, with and without train.portable: a table, and result.json.

Needs Debian's qemu-user (7.2 or newer, which knows AVX2). A run here, on the real processor, is compared bit for bit
with one on each simulated processor: weights of every epoch, losses, scores, predictions.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

PROCESSORS = ("Haswell", "Broadwell", "Skylake-Client", "EPYC", "EPYC-Rome", "EPYC-Milan", "max")
SETTINGS = """\
version: 1
data: {path: images, image_size: 32}
folds: {k: 2, seed: 1}
train: {batch_size: 8, epochs: 2, seed: 5, augment: light}
execution: {executor: inline}
tracking: {enabled: false}
experiments:
  small_cnn: {}
  small_cnn_sgd: {train: {optimizer: sgd, schedule: cosine, lr: 0.01}}
  resnet18: {train: {backbone: resnet18, epochs: 1, optimizer: adamw}}
  frozen_efficientnet:
    train: {backbone: efficientnet_lite0, pretrained: true, freeze_backbone: true, augment: none, any_image_size: true}
"""
HERE = Path(__file__).parent


def images(folder: Path) -> None:
    """24 pictures of noise in two classes."""
    for label, name in enumerate(("cat", "dog")):
        (folder / name).mkdir(parents=True)
        for number in range(12):
            random = np.random.default_rng([label, number])
            pixels = random.integers(0, 120 + 80 * label, (40, 36, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.jpg", quality=90)


def run(project: Path, experiment: str, *, portable: bool, processor: str | None) -> Path | None:
    """Train; the folder of the run. None where QEMU itself crashed, as it does now and then: twice is enough."""
    shutil.rmtree(project / ".foldproof", ignore_errors=True)
    before = set((project / "runs").glob("*"))
    emulator = ["qemu-x86_64", "-cpu", processor] if processor else []
    command = [*emulator, sys.executable, "-m", "foldproof", "run", experiment, "--quiet"]
    command += ["--set", f"train.portable={'true' if portable else 'false'}"]
    for _ in range(2):
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            (made,) = set((project / "runs").glob("*")) - before
            return made
        if "uncaught target signal" not in done.stderr:
            raise SystemExit(f"{experiment} on {processor}: {done.stderr[-2000:]}")
        before = set((project / "runs").glob("*"))
    return None


def same(one: Path, other: Path) -> dict[str, bool]:
    """Whether journals, and numeric fingerprints, of two runs are equal."""
    from foldproof.events.journal import by_fold
    from foldproof.records.record import read_events

    def compared(folder: Path) -> dict[object, object]:
        return {place: said for place, said in by_fold(read_events(folder)).items() if place is not None}

    prints = [
        json.loads((run / "environment.json").read_text())["numeric_class"]["fingerprint"] for run in (one, other)
    ]
    return {"journals": compared(one) == compared(other), "fingerprint": prints[0] == prints[1]}


def main() -> None:
    """Compare every processor with this one, in both modes."""
    experiments = ("small_cnn", "small_cnn_sgd", "resnet18", "frozen_efficientnet")
    result: dict[str, dict[str, dict[str, dict[str, bool]]]] = {}
    with tempfile.TemporaryDirectory() as name:
        project = Path(name)
        images(project / "images")
        (project / "params.yaml").write_text(SETTINGS)
        for portable in (True, False):
            mode = "portable" if portable else "default"
            for experiment in experiments if portable else experiments[:1]:
                here = run(project, experiment, portable=portable, processor=None)
                assert here is not None
                for processor in PROCESSORS:
                    there = run(project, experiment, portable=portable, processor=processor)
                    found = same(here, there) if there is not None else {"crashed": True}
                    result.setdefault(mode, {}).setdefault(experiment, {})[processor] = found
                    print(f"{mode:9} {experiment:20} {processor:15} {found}", flush=True)
                    (HERE / "result.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
