"""Journals under hypothesis: what was written is read, a cut leaves a beginning, a change is noticed."""

import math
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foldproof.errors import DamagedFile, FailureCode
from foldproof.events.codes import NoticeCode
from foldproof.events.journal import frame, group_by_fold, parse
from foldproof.events.types import KINDS, Body, Event, to_json

TEXT = st.text(max_size=8)  # half characters of undecodable file names too
OF_TYPE: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(),
    float: st.floats(),
    NoticeCode: TEXT,  # of any version
    FailureCode: TEXT,
}


def bodies(kind: type[Body]) -> st.SearchStrategy[Any]:
    mapping = st.dictionaries(TEXT, st.floats(), max_size=3)
    return st.builds(kind, **{item.name: OF_TYPE.get(item.type, mapping) for item in fields(kind)})


EVENTS = st.builds(
    Event,
    run=TEXT,
    repeat=st.none() | st.integers(0, 3),
    fold=st.none() | st.integers(0, 3),
    seq=st.just(0),
    time=st.floats(allow_nan=False),
    body=st.one_of([bodies(kind) for kind in KINDS.values()]),
    about=st.dictionaries(
        TEXT, st.none() | st.booleans() | st.integers() | TEXT | st.lists(TEXT, max_size=2), max_size=2
    ),
)
JOURNALS = st.lists(EVENTS, min_size=1, max_size=4).map(
    lambda events: [replace(event, seq=seq) for seq, event in enumerate(events)]
)
CHANGES_WHAT_COUNTS = {"RunStarted", "FoldStarted", "FoldFailed", "RunFinished"}
some = settings(max_examples=60, deadline=None)


def written(events: Sequence[Event]) -> bytes:
    return b"".join(frame(to_json(event)) for event in events)


@some
@given(JOURNALS)
def test_every_event_reads_back_and_is_written_the_same_again(events: list[Event]) -> None:
    back = parse(written(events)).events
    assert written(back) == written(events)
    assert [(e.run, e.fold_id, e.time, e.kind, e.about) for e in back] == [
        (e.run, e.fold_id, e.time, e.kind, e.about) for e in events
    ]


@some
@given(JOURNALS, st.data())
def test_a_cut_anywhere_leaves_the_events_before_it(events: list[Event], data: st.DataObject) -> None:
    content = written(events)
    length = data.draw(st.integers(0, len(content)))
    kept = parse(content[:length])
    assert written(kept.events) == content[: kept.intact_bytes]
    assert kept.intact_bytes <= length
    assert b"\n" not in content[kept.intact_bytes : length]


@some
@given(JOURNALS, st.data())
def test_a_changed_byte_is_noticed_or_costs_only_the_unacknowledged_tail(
    events: list[Event], data: st.DataObject
) -> None:
    content = bytearray(written(events))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[position]))
    try:
        read = parse(bytes(content)).events
    except DamagedFile:
        return
    assert position == len(content) - 1
    assert written(read) == written(events[:-1])


@some
@given(st.lists(st.binary(max_size=40)))
def test_no_bytes_whatever_end_in_anything_but_a_damaged_file(payloads: list[bytes]) -> None:
    for content in (b"\n".join(payloads), b"".join(map(frame, payloads)) + b"x\n"):
        try:
            assert not parse(content).events
        except DamagedFile as error:
            assert "events.jsonl, line" in error.what  # noqa: PT017


@some
@given(JOURNALS, st.randoms(use_true_random=False))
def test_only_the_order_within_a_fold_counts_in_a_comparison(events: list[Event], random: Any) -> None:
    places = list({event.fold_id for event in events})
    random.shuffle(places)
    regrouped = [replace(e, time=0.0, about={}, seq=9) for place in places for e in events if e.fold_id == place]
    assert group_by_fold(events) == group_by_fold(regrouped)


STEADY = JOURNALS.filter(lambda events: not any(event.kind in CHANGES_WHAT_COUNTS for event in events))


@pytest.mark.slow
@some
@given(STEADY, st.data())
def test_a_missing_event_makes_journals_differ_unless_it_follows_the_clock(
    events: list[Event], data: st.DataObject
) -> None:
    gone = data.draw(st.integers(0, len(events) - 1))
    fewer = events[:gone] + events[gone + 1 :]
    follows = {"CheckpointSaved", "FoldResumed", "Notice"} | (
        {"ArtifactAdded"} if events[gone].fold_id is None else set()
    )
    assert (group_by_fold(events) == group_by_fold(fewer)) == (events[gone].kind in follows)
    assert not any(math.isnan(event.time) for event in events)
    assert sum(map(len, group_by_fold(fewer).values())) <= len(fewer)
