"""Which lines of metrics.jsonl are valid, and which still hold after a resume went back."""

from __future__ import annotations

import json

import pytest

from rednd_core.errors import RunError
from rednd_core.runs import Run, RunWriter, journal
from rednd_core.runs.journal import Journal, epochs_of, parse_line

WEIGHT = {"event": "set_weight", "epoch": 3, "time": 1.0, "loss": "alignment", "value": 0.5}


def epoch(number: int, value: float = 1.0) -> dict:
    return {"epoch": number, "losses": {"bpr": value}}


def event(name: str, *place: int) -> dict:
    return {"event": name, **dict(zip(("epoch", "batch"), place, strict=False))}


def valid(*rows: dict) -> list[str]:
    """What still holds, in short."""
    return [str(row.get("event", row.get("epoch"))) for row in Journal(rows).rows]


def test_a_crash_takes_back_what_came_after_the_saving() -> None:
    lost = (epoch(2), event("set_weight", 2, 3), epoch(3), event("failed"))
    assert valid(epoch(1), event("paused", 1, 0), *lost, event("continued", 1, 4)) == [
        "1",
        "paused",
        "continued",
    ]
    assert valid(epoch(1), epoch(2), event("continued", 1, 0), epoch(2), epoch(3)) == [
        "1",
        "continued",
        "2",
        "3",
    ]


def test_what_a_stop_saved_is_kept() -> None:
    """The weight was set and saved before the 8th batch, another one set there after the resume."""
    stop = (epoch(4), event("set_weight", 4, 7), event("stopped", 4, 7))
    again = event("continued", 4, 7)
    kept = ["4", "set_weight", "stopped", "continued"]
    assert valid(*stop, again) == kept
    assert valid(*stop, again, event("set_weight", 4, 7), again) == kept
    assert valid(*stop, again, event("set_weight", 4, 8), epoch(5), again) == kept


def test_a_weight_set_right_after_the_saving_is_lost() -> None:
    assert valid(epoch(1), event("set_weight", 1, 0), event("continued", 1, 0)) == [
        "1",
        "continued",
    ]


def test_a_run_that_begins_again_has_no_past() -> None:
    assert valid(epoch(1), event("failed"), event("continued", 0, 0), epoch(1)) == [
        "continued",
        "1",
    ]


def test_notices_of_an_end_hold_until_the_training_goes_on() -> None:
    start, end = ({"event": "notice", "message": text} for text in ("at the start", "at the end"))
    epoch, again = {"epoch": 1, "seconds": 1.0}, {"event": "continued", "epoch": 1}
    assert journal.notices_of([start, epoch, end]) == ("at the start", "at the end")
    assert journal.notices_of([start, epoch, end, again, epoch]) == ("at the start",)
    assert journal.notices_of([start, again, start, epoch, end]) == ("at the start", "at the end")
    assert journal.notices_of([epoch]) == ()


def test_epochs_only_grow() -> None:
    assert valid(epoch(1), epoch(2), event("paused", 2, 0), epoch(3), epoch(2)) == ["1", "2"]


def test_no_epoch_stands_twice_whatever_events_say_of_their_place() -> None:
    assert valid(epoch(1), event("paused", 0, 0), epoch(1)) == ["1"]
    assert valid(epoch(3), event("paused", 0, 0), event("continued", 1, 0)) == ["continued"]


@pytest.mark.parametrize(
    "row",
    [
        WEIGHT,
        {"event": "failed", "time": 2.0, "message": "no room"},
        {"event": "continued", "epoch": 0, "batch": 3, "weights": {"bpr": 1}},
        {"event": "refused", **WEIGHT, "message": "no such loss"} | {"event": "refused"},
        {"epoch": 1, "smoothness": {"layer": {"id": {"0": {"all": {"mad": None}}}}}},
        {"epoch": 1, "smoothness": {"layer.id.0.users.mad": 0.5}, "improved": True},
    ],
)
def test_what_the_trainer_writes(row: dict) -> None:
    assert parse_line(json.dumps(row).encode(), "r", 1)


BROKEN = [
    "{]",
    "[1]",
    "7",
    '{"no": "epoch"}',
    '{"epoch": "1"}',
    '{"epoch": NaN}',
    '{"epoch": true}',
    '{"epoch": -1}',
    '{"event": 7}',
    '{"event": ["set_weight"]}',
    '{"event": "set_weight"}',
    '{"event": "continued"}',
    '{"event": "paused", "epoch": "3"}',
    '{"event": "continued", "epoch": 1, "batch": true}',
    *(
        json.dumps(WEIGHT | change)
        for change in ({"loss": 1}, {"value": "x"}, {"value": None}, {"epoch": 1.5}, {"time": "x"})
    ),
    json.dumps(WEIGHT).replace("0.5", "1e999"),
    json.dumps(WEIGHT | {"event": "refused"}),
    '{"epoch": 1, "losses": {"bpr": "x"}}',
    '{"epoch": 1, "losses": {"bpr": [1]}}',
    '{"epoch": 1, "losses": 3}',
    '{"epoch": 1, "smoothness": {"mad": [[1]]}}',
    '{"epoch": 1, "smoothness": {"x": 0.5}}',
    '{"epoch": 1, "smoothness": {"layer.id.x.users.mad": 0.5}}',
    '{"epoch": 1, "smoothness": {"layer.id.0.users.mad": [0.5]}}',
    '{"epoch": 1, "smoothness": 0.5}',
    '{"epoch": 1, "smoothness": {"mad": "<b>"}}',
    '{"epoch": 1, "smoothness": {"mad": 1%s}}' % ("0" * 400),
]


@pytest.mark.parametrize("line", BROKEN)
def test_a_broken_line_is_named(finished: Run, line: str) -> None:
    content = finished.layout.metrics.read_text()
    finished.layout.metrics.write_text(f"{line}\n{content}")
    for look in (finished.metrics, finished.events):
        with pytest.raises(RunError, match="in line 1; remove that line"):
            look()


def test_a_resumed_run_reads_back(finished: Run) -> None:
    writer = RunWriter(finished.path)
    writer.append_event("continued", epoch=1, batch=0)
    writer.append_metrics(epoch(2, 9.0))
    assert finished.metrics()["losses.bpr"].tolist() == [0.5, 9.0]
    assert [row["event"] for row in finished.events()] == ["continued"]


def test_what_was_never_defined_is_a_number_that_is_none() -> None:
    """A measure of a side with one node is null in every line."""
    rows = [
        {"epoch": n, "smoothness.mad": None, "losses.bpr": value}
        for n, value in ((1, None), (2, 0.5))
    ]
    table = epochs_of(rows)
    assert table["smoothness.mad"].dtype == table["losses.bpr"].dtype == float
    assert table["smoothness.mad"].isna().all()


def test_the_discrepancy_of_early_runs_is_read_under_its_present_name():
    """They had layer 0 in the mean, hence a value at depth 0."""
    early = {"readout.id.0.users.discrepancy": 0.0, "readout.id.1.users.discrepancy": 0.04}
    today = {"readout.id.1.users.discrepancy": 0.8, "layer.id.0.users.mad": 1.0}

    def read(values):
        return parse_line(json.dumps({"epoch": 1, "smoothness": values}).encode(), "run", 1)

    assert read(early) == {
        "epoch": 1,
        "smoothness.readout.id.0.users.readout_drift": 0.0,
        "smoothness.readout.id.1.users.readout_drift": 0.04,
    }
    assert read(today) == {
        "epoch": 1,
        "smoothness.readout.id.1.users.discrepancy": 0.8,
        "smoothness.layer.id.0.users.mad": 1.0,
    }


def test_a_line_costs_the_same_however_many_stand_before_it(monkeypatch) -> None:
    """60,000 events between an epoch that is taken back and the one before cost 60,000 looks each time."""
    looks = 0
    precedes = journal._precedes

    def counted(*place) -> bool:
        nonlocal looks
        looks += 1
        return precedes(*place)

    monkeypatch.setattr(journal, "_precedes", counted)
    rows: list[dict] = [event("paused", 0, 0)] * 3_000
    rows += [epoch(1), event("continued", 0, 9)] * 3_000
    held = Journal(rows).rows
    assert len(held) == 3_001
    assert looks <= 3 * len(rows)


class Counted(dict):
    """An event that counts how often it is asked for anything."""

    asked = 0

    def get(self, *key):
        Counted.asked += 1
        return super().get(*key)

    def __contains__(self, key: object) -> bool:
        Counted.asked += 1
        return super().__contains__(key)


def test_events_before_an_epoch_are_not_searched_for_the_last_one() -> None:
    rows: list[dict] = [Counted(event("paused", 0, 0)) for _ in range(1_000)]
    rows += [epoch(1), event("continued", 0, 9)] * 1_000
    Counted.asked = 0
    Journal(rows)
    assert Counted.asked < 10 * 2_000


def test_more_names_than_a_training_has_are_refused() -> None:
    rows = [{"epoch": n, f"x{n}": 1.0} for n in range(1, 10_002)]
    with pytest.raises(RunError, match="10000 different names"):
        Journal(rows)
