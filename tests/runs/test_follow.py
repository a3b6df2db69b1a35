"""Following metrics.jsonl sees what reading it anew sees."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from rednd_core.errors import RunError
from rednd_core.runs import Follower, RunStore, create_run


@pytest.fixture
def writer(store: RunStore, record):
    return create_run(store.root / "live", record)


def row(epoch: int, value: float) -> dict[str, object]:
    return {"epoch": epoch, "losses": {"bpr": value}, "valid": {"recall@20": value}}


def test_nothing_yet(writer, store: RunStore) -> None:
    history = Follower(store.open("live")).read()
    assert history.epochs.empty
    assert history.events == ()


def test_each_look_adds_what_was_appended(writer, store: RunStore) -> None:
    run = store.open("live")
    follower = Follower(run)
    for epoch in (1, 2, 3):
        writer.append_metrics(row(epoch, epoch / 4))
        writer.append_event("set_weight", epoch=epoch, loss="alignment", value=0.1)
        history = follower.read()
        pd.testing.assert_frame_equal(history.epochs, run.metrics())
        assert list(history.events) == run.events()
    assert follower.read() is history  # nothing new, nothing built


def test_only_new_bytes_are_read(writer, store: RunStore, monkeypatch) -> None:
    from rednd_core.runs import journal

    parsed = []
    original = journal.parse_line
    monkeypatch.setattr(journal, "parse_line", lambda *a: parsed.append(a[2]) or original(*a))
    follower = Follower(store.open("live"))
    for epoch in (1, 2, 3):
        writer.append_metrics(row(epoch, 0.5))
        follower.read()
    assert parsed == [1, 2, 3]


def test_half_a_line_waits_for_its_end(writer, store: RunStore) -> None:
    run = store.open("live")
    follower = Follower(run)
    line = json.dumps(row(1, 0.5)).encode()
    run.layout.metrics.write_bytes(line[:20])
    assert follower.read().epochs.empty
    run.layout.metrics.write_bytes(line + b"\n")
    assert follower.read().epochs["losses.bpr"].tolist() == [0.5]


def test_a_resume_that_went_back_discards_what_lay_behind(writer, store: RunStore) -> None:
    run = store.open("live")
    follower = Follower(run)
    for epoch in (1, 2, 3):
        writer.append_metrics(row(epoch, 1.0))
    writer.append_event("set_weight", epoch=3, batch=0, loss="alignment", value=0.5)
    follower.read()
    writer.append_event("continued", epoch=1, batch=0, weights={"alignment": 0.001})
    assert follower.read().epochs["epoch"].tolist() == [1]
    writer.append_metrics(row(2, 0.25))
    history = follower.read()
    assert history.epochs["losses.bpr"].tolist() == [1.0, 0.25]
    assert [event["event"] for event in history.events] == ["continued"]
    pd.testing.assert_frame_equal(history.epochs, run.metrics())
    assert list(history.events) == run.events()


def test_a_replaced_file_is_read_from_its_beginning(writer, store: RunStore) -> None:
    run = store.open("live")
    follower = Follower(run)
    for epoch in (1, 2):
        writer.append_metrics(row(epoch, 1.0))
    follower.read()
    run.layout.metrics.write_text(json.dumps(row(1, 0.5)) + "\n")
    assert follower.read().epochs["losses.bpr"].tolist() == [0.5]


def test_a_broken_line_is_reported_at_every_look(writer, store: RunStore) -> None:
    run = store.open("live")
    follower = Follower(run)
    writer.append_metrics(row(1, 1.0))
    follower.read()
    with run.layout.metrics.open("ab") as file:
        file.write(b"not json\n")
    for _ in range(2):
        with pytest.raises(RunError, match="in line 2"):
            follower.read()
