"""Journals: one writer, framed lines, a torn tail is cut, every other change is noticed."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from foldproof.errors import DamagedFile, StorageError
from foldproof.events import journal
from foldproof.events.journal import FILE_NAME, JournalWriter, frame, group_by_fold, parse, read, unframe
from foldproof.events.types import (
    ArtifactAdded,
    CheckpointSaved,
    Event,
    FoldFailed,
    FoldResumed,
    FoldStarted,
    Notice,
    RunFinished,
    to_json,
)
from foldproof.records.record import replay

GOLDEN = Path(__file__).parent.parent / "golden" / "journal_v1"

HOLDER = """
import sys, time
from pathlib import Path
from foldproof.events.journal import JournalWriter
from foldproof.events.types import Notice
with JournalWriter(Path(sys.argv[1]), run="r", repeat=0, fold=0, about={}) as journal:
    for number in range(int(sys.argv[2])):
        journal.append(Notice(code="n", text=str(number)))
    print("held", flush=True)
    time.sleep(60)
"""


def equal(one: Sequence[Event], other: Sequence[Event]) -> bool:
    return group_by_fold(one) == group_by_fold(other)


def writer(folder: Path, *, fold: int = 0) -> JournalWriter:
    return JournalWriter(folder, run="r", repeat=0, fold=fold, about={"host": "h"})


def write(folder: Path, count: int = 3) -> tuple[Event, ...]:
    with writer(folder) as journal:
        return tuple(journal.append(Notice(code="n", text=f"number {n}")) for n in range(count))


def hold(folder: Path, *, events: int) -> "subprocess.Popen[str]":
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), str(events)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_what_is_appended_is_read_in_order(tmp_path: Path) -> None:
    written = write(tmp_path)
    assert read(tmp_path / FILE_NAME) == written
    assert [event.seq for event in written] == [0, 1, 2]
    assert {(event.run, event.fold_id) for event in written} == {("r", (0, 0))}


def test_there_are_no_events_where_there_is_no_journal(tmp_path: Path) -> None:
    assert read(tmp_path / FILE_NAME) == ()


def test_a_second_writer_goes_on_where_the_first_ended(tmp_path: Path) -> None:
    first = write(tmp_path)
    with writer(tmp_path) as again:
        last = again.append(RunFinished(status="finished"), attempt=2)
    assert last.seq == 3
    assert last.about == {"host": "h", "attempt": 2}
    assert read(tmp_path / FILE_NAME) == (*first, last)


def test_events_are_passed_on_once_they_are_recorded(tmp_path: Path) -> None:
    with writer(tmp_path) as journal:
        for event in journal.record([Notice(code="n", text="1"), RunFinished(status="finished")]):
            assert read(tmp_path / FILE_NAME)[-1] == event


STARTED = FoldStarted(train_images=4, validation_images=2, parameters=9, trained_parameters=9, weights_sha256="a" * 64)
FAILED = FoldFailed(error="WorkerDied", reason="")
ADDED = [ArtifactAdded(file=name, sha256="b" * 64) for name in "ab"]
GOES_ON = FoldResumed(epoch=1, step=0, file="")


@pytest.mark.parametrize(
    "interrupted",
    [
        [STARTED, ADDED[0], FAILED, GOES_ON, ADDED[1]],
        [STARTED, ADDED[0], FAILED, ADDED[1]],
        [STARTED, ADDED[0], GOES_ON, ADDED[1]],
        [STARTED, ADDED[1], FAILED, STARTED, *ADDED],
        [STARTED, STARTED, *ADDED],
    ],
)
def test_what_was_interrupted_and_went_on_counts_as_if_it_had_never_stopped(
    tmp_path: Path, interrupted: list[Any]
) -> None:
    plain, other = tmp_path / "plain", tmp_path / "other"
    for folder, bodies in ((plain, [STARTED, *ADDED]), (other, interrupted)):
        folder.mkdir()
        with writer(folder) as journal:
            for body in bodies:
                journal.append(body)
    assert equal(read(plain / FILE_NAME), read(other / FILE_NAME))
    assert not equal(read(plain / FILE_NAME), read(other / FILE_NAME)[:-1])


def test_a_failure_counts_until_something_follows_it(tmp_path: Path) -> None:
    with writer(tmp_path) as journal:
        failed = [journal.append(body) for body in (STARTED, FAILED, Notice(code="n", text=""))]
    assert not equal(failed, failed[:1])


def test_a_line_is_length_checksum_and_payload() -> None:
    assert frame(b"123456789") == b"00000009 e3069283 123456789\n"  # the check value of CRC-32C
    assert unframe(b"00000009 e3069283 123456789") == b"123456789"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"00000009 e3069283 12345678",
        b"00000009 e3069283 123456780",
        b"00000009 E3069283 123456789",
        b"+0000009 e3069283 123456789",
        b"0000_009 e3069283 123456789",
        b"00000009_e3069283 123456789",
        b"00000009 e3069283_123456789",
        b"9 e3069283 123456789",
    ],
)
def test_a_line_that_was_not_written_like_this_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"written|invalid literal"):
        unframe(line)


def test_a_tail_torn_at_any_byte_is_cut_and_the_rest_stays(tmp_path: Path) -> None:
    written = write(tmp_path, 2)
    file = tmp_path / FILE_NAME
    whole = file.read_bytes()
    last = whole[: whole[:-1].rindex(b"\n") + 1]
    for length in range(len(last), len(whole)):
        assert parse(whole[:length]).events == written[:1]
        assert parse(whole[:length]).intact_bytes == len(last)
    for length in (len(last) + 1, len(last) + 18, len(whole) - 1):
        file.write_bytes(whole[:length])
        with writer(tmp_path) as again:
            event = again.append(Notice(code="n", text="after the crash"))
        assert read(file) == (written[0], event)


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    written = write(tmp_path, 2)
    whole = bytearray((tmp_path / FILE_NAME).read_bytes())
    noticed = 0
    for position in range(len(whole)):
        for bit in range(8):
            whole[position] ^= 1 << bit
            try:
                events = parse(bytes(whole)).events
            except DamagedFile:
                noticed += 1
            else:
                assert position == len(whole) - 1, "only the newline that acknowledges the last line"
                assert events == written[:1]
            whole[position] ^= 1 << bit
    assert noticed == 8 * (len(whole) - 1)


def test_a_line_that_is_missing_doubled_or_moved_is_noticed(tmp_path: Path) -> None:
    write(tmp_path, 3)
    one, two, three = (tmp_path / FILE_NAME).read_bytes().splitlines(keepends=True)
    for content in (two + three, one + three, one + one + two, one + three + two):
        with pytest.raises(DamagedFile, match="in place"):
            parse(content)


def test_a_damaged_journal_is_left_as_it_is_and_not_written_to(tmp_path: Path) -> None:
    write(tmp_path, 2)
    file = tmp_path / FILE_NAME
    damaged = file.read_bytes().replace(b"number 0", b"number 7")
    file.write_bytes(damaged)
    with pytest.raises(DamagedFile, match=r"events\.jsonl, line 1 is damaged: its checksum"):
        writer(tmp_path).__enter__()
    assert file.read_bytes() == damaged
    file.write_bytes(b"")
    assert write(tmp_path, 1) == read(file)


def test_a_journal_of_a_newer_schema_is_not_called_damaged(tmp_path: Path) -> None:
    (event,) = write(tmp_path, 1)
    content = frame(to_json(event).replace(b'"v":1', b'"v":3'))
    with pytest.raises(DamagedFile, match="line 1: an event of schema version 3") as caught:
        parse(content)
    assert caught.value.next_step == "read it with a newer foldproof"


@pytest.mark.slow
def test_a_second_writer_is_refused_while_the_first_lives_and_takes_over_when_it_is_killed(tmp_path: Path) -> None:
    holder = hold(tmp_path, events=2)
    try:
        with pytest.raises(StorageError, match=f"in use by process {holder.pid} on "):
            writer(tmp_path).__enter__()
        assert len(read(tmp_path / FILE_NAME)) == 2
    finally:
        holder.kill()
        holder.communicate(timeout=30)
    with writer(tmp_path) as journal:
        assert journal.append(RunFinished(status="interrupted")).seq == 2
    assert len(read(tmp_path / FILE_NAME)) == 3


def test_a_disk_that_is_full_costs_nothing_acknowledged(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="limits of a process are Unix")
    file = tmp_path / FILE_NAME
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with writer(tmp_path) as journal:
            first = journal.append(Notice(code="n", text="it fits"))
            resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 40, hard))
            with pytest.raises(StorageError, match="cannot write") as caught:
                journal.append(RunFinished(status="finished"))
            assert "free some space" in caught.value.next_step
            assert read(file) == (first,)
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
            second = journal.append(RunFinished(status="finished"))
        assert read(file) == (first, second)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_an_interrupt_in_the_middle_of_an_append_leaves_a_journal_that_goes_on(tmp_path: Path) -> None:
    with writer(tmp_path) as journal:
        first = journal.append(Notice(code="n", text="before"))
        with Path.open(tmp_path / FILE_NAME, "ab") as unacknowledged:
            unacknowledged.write(frame(to_json(first).replace(b'"seq":0', b'"seq":1')))
        last = journal.append(RunFinished(status="interrupted"))
    assert read(tmp_path / FILE_NAME) == (first, last)


def test_a_folder_that_is_not_there_is_the_users_to_fix(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot write"):
        writer(tmp_path / "file").__enter__()
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StorageError, match="cannot write"):
        writer(tmp_path).__enter__()


def test_a_writer_that_could_not_begin_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(StorageError):
        writer(tmp_path).__enter__()
    (tmp_path / FILE_NAME).rmdir()
    assert len(write(tmp_path, 1)) == 1


def body(reason: str) -> FoldFailed:
    return FoldFailed(error="E", reason=reason)


def event(reason: str, *, fold: int = 0, seq: int = 0) -> Event:
    return Event(run="r", repeat=0, fold=fold, seq=seq, time=float(seq), body=body(reason))


def test_journals_are_equal_when_every_fold_tells_the_same_in_the_same_order() -> None:
    one = [event("a"), event("b"), event("c", fold=1)]
    interleaved = [event("c", fold=1, seq=7), event("a", seq=3), event("b", seq=4)]
    assert equal(one, interleaved)
    assert not equal(one, [event("b"), event("a"), event("c", fold=1)])
    assert not equal(one, one[:2])
    assert not equal(one, [event("a"), event("b"), event("c", fold=2)])


def test_checkpoints_and_notices_do_not_count_in_a_comparison() -> None:
    noisy = [
        Event(run="s", repeat=0, fold=4, seq=0, time=0.0, body=Notice(code="n", text="slow")),
        event("a"),
        Event(run="s", repeat=0, fold=0, seq=1, time=0.0, body=CheckpointSaved(epoch=1, file="x")),
    ]
    assert equal(noisy, [event("a")])


def test_a_journal_of_schema_version_1_still_reads_and_is_still_written_the_same() -> None:
    content = (GOLDEN / FILE_NAME).read_bytes()
    events = parse(content).events
    assert [event.kind for event in events] == [
        "FoldStarted",
        "EpochFinished",
        "CheckpointSaved",
        "EpochFinished",
        "Notice",
        "FoldFinished",
        "FoldFailed",
    ]
    assert [event.time for event in events] == [1767225600.0 + 0.25 * seq for seq in range(7)]
    assert {(event.run, event.fold_id) for event in events} == {("20260101-000000-aaaaaa", (1, 2))}
    assert b"".join(frame(to_json(event)) for event in events) == content
    assert equal(events, parse(content).events)


def test_a_journal_of_schema_version_2_says_for_ever_what_it_amounts_to() -> None:
    content = (GOLDEN.with_name("journal_v2") / FILE_NAME).read_bytes()
    events = parse(content).events
    assert b"".join(frame(to_json(event)) for event in events) == content
    assert [event.kind for event in events if isinstance(event.body, FoldResumed)] == ["FoldResumed"] * 2
    (counted,) = journal.group_by_fold(events).values()
    assert [kind for kind, _ in counted] == ["FoldStarted", "EpochFinished", "FoldFinished"]
    record = replay(Path("run"), {}, events)
    assert [epoch.train_loss for epoch in record.epochs[1, 2]] == [0.25]
    assert (record.failed, record.finished[1, 2].scores) == ({}, {"accuracy": 0.5})
