"""One flipped bit anywhere in a checkpoint or a journal is seen, or changes nothing that is read.

`make faults` flips a thousand at random; every bit of what stands in front is flipped always.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import torch

from conftest import CLASSES
from faults.places import report, trials
from foldproof.errors import DamagedFile
from foldproof.events.journal import FILE_NAME, read
from foldproof.models.small_cnn import small_cnn
from foldproof.training.checkpoint import Checkpoint, Preprocessing
from journaled import JournaledRun

SEED = 20261124


def flipped(content: bytes, bit: int) -> bytes:
    changed = bytearray(content)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def chosen(content: bytes, *, front: int) -> list[int]:
    """Every bit of the first `front` bytes, and seeded random ones of the whole."""
    seeded = random.Random(SEED)
    return [*range(8 * front), *(seeded.randrange(8 * len(content)) for _ in range(trials(150)))]


def judge(path: Path, bits: Iterable[int], load: Callable[[], object]) -> tuple[Counter[tuple[str, ...]], list[int]]:
    """What came of each flip, and the bits whose flip was not refused."""
    whole, counts, accepted = path.read_bytes(), Counter[tuple[str, ...]](), []
    for bit in bits:
        path.write_bytes(flipped(whole, bit))
        try:
            load()
        except DamagedFile as error:
            counts["refused" if len(str(error).splitlines()) <= 3 else "refused at length",] += 1
        else:
            accepted.append(bit)
            counts["accepted",] += 1
    path.write_bytes(whole)
    return counts, accepted


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    pixels = Preprocessing(image_size=8, resize="squash", mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    return Checkpoint(
        weights=dict(small_cnn(classes=4, pretrained=False).head.state_dict()),
        backbone="small_cnn",
        classes=(*CLASSES, "dög\x1b"),
        preprocessing=pixels,
        identity="5ca1ab1e" * 8,
        run="20260102-030405-abcdef",
        repeat=0,
        fold=1,
        epoch=2,
    ).save(tmp_path / "model.safetensors")


@pytest.mark.slow
def test_no_flipped_bit_of_a_checkpoint_is_accepted(checkpoint: Path) -> None:
    content = checkpoint.read_bytes()
    header = 8 + int.from_bytes(content[:8], "little")
    Checkpoint.load(checkpoint)
    counts, accepted = judge(checkpoint, chosen(content, front=header), lambda: Checkpoint.load(checkpoint))
    report(f"flipped bits of a checkpoint ({len(content):,} bytes, a header of {header:,})", counts)
    assert (accepted, counts["refused at length",]) == ([], 0)


@pytest.mark.slow
def test_no_flipped_bit_of_a_journal_changes_an_event_that_is_read(tmp_path: Path) -> None:
    """What is not refused hits the last newline: the last line then counts as torn, and the others stay."""
    run = JournaledRun.make(tmp_path)
    run.begin_fold((0, 1), epochs=3)
    run.finish_fold((0, 1))
    path = run.fold_folder((0, 1)) / FILE_NAME
    content, events = path.read_bytes(), read(path)
    seen: list[object] = []

    def load() -> None:
        seen.append(read(path))

    last_byte = range(8 * (len(content) - 1), 8 * len(content))
    bits = [*chosen(content, front=content.index(b"\n") + 1), *last_byte]
    counts, accepted = judge(path, bits, load)
    report(f"flipped bits of a journal ({len(content):,} bytes)", counts)
    assert (set(accepted), counts["refused at length",]) == (set(last_byte), 0)
    assert all(told == events[:-1] for told in seen)
