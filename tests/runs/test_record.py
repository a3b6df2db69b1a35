from __future__ import annotations

import json

import pytest

from rednd_core.errors import RunError
from rednd_core.runs import Command, ModelFacts, RunRecord, StatusRecord
from rednd_core.runs.reading import parse_record

FACTS = ModelFacts.uniform(("id",), 2, 4)


def test_round_trip(record: RunRecord) -> None:
    assert parse_record(RunRecord, record.model_dump_json(), "config.json") == record


def modalities(*names: str) -> dict:
    return {"model": json.loads(FACTS.model_dump_json()) | {"widths": {n: [4, 4] for n in names}}}


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"format": 3}, "Expected format 1 or 2 in config.json, but found format '3'"),
        ({"format": 3, "surprise": 1}, "found format '3'"),
        ({"format": "2"}, "found format '2'"),
        ({"surprise": 1}, "Extra inputs are not permitted at surprise"),
        ({"provenance": {"seed": "999"}}, "at provenance.seed"),
        (modalities("image", "Image"), "differ by more than case at model.widths"),
        (modalities("../image"), "should match pattern"),
    ],
)
def test_what_does_not_fit_is_one_sentence(record: RunRecord, change: dict, sentence: str) -> None:
    text = json.dumps(json.loads(record.model_dump_json()) | change)
    with pytest.raises(RunError) as caught:
        parse_record(RunRecord, text, "config.json")
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000, '{"state": NaN}', b"\xff\xfe"])
def test_broken_json_is_a_run_error(text: str | bytes) -> None:
    with pytest.raises(RunError, match="a valid status"):
        parse_record(StatusRecord, text, "status.json")


@pytest.mark.parametrize(
    "values",
    [
        {"command": "set_weight"},
        {"command": "set_weight", "loss": "alignment"},
        {"command": "set_weight", "loss": "alignment", "value": -1.0},
        {"command": "set_weight", "loss": "alignment", "value": float("nan")},
        {"command": "pause", "value": 0.1},
        {"command": "reboot"},
    ],
)
def test_impossible_commands(values: dict) -> None:
    with pytest.raises(ValueError, match="validation error"):
        Command(**values)
