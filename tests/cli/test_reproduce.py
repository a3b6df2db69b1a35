"""``rednd reproduce``: the same figures bit for bit, or which differ and what has changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from rednd_core.runs import RunStore


def edit(path: Path, change) -> None:
    """Let ``change`` alter the JSON in ``path``."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def figure(result, section: str, name: str) -> dict:
    (found,) = [f for f in result.json["figures"] if f["section"] == section and f["name"] == name]
    return found


def test_an_archive_trains_to_the_same_figures(
    rednd, trained: RunStore, planted_folder: Path, tmp_path: Path
) -> None:
    assert rednd("runs", "export", "done", tmp_path / "done.zip").code == 0
    elsewhere = tmp_path / "elsewhere"
    result = rednd(
        *("reproduce", tmp_path / "done.zip", "--data", planted_folder, "--run", "again"),
        *("--runs-dir", elsewhere),
    )
    assert result.code == 0, result.err
    sections = {
        "the epochs": 2,
        "losses of every epoch": 2,
        "validation metrics of every epoch": 10,
        "validation metrics of the best epoch": 10,
        "test metrics": 10,
        "scoring vectors": 2,
    }
    for section, n in sections.items():
        (line,) = [line for line in result.out.splitlines() if section in line]
        assert f"{n} of {n}" in line
    assert "All 36 figures of done came out the same" in result.out
    assert "The version of" not in result.out
    assert "does not say with which machine" not in result.out
    assert [path.name for path in elsewhere.iterdir() if path.is_dir()] == ["again"]


def test_what_differs_is_named_with_its_amount(
    rednd, trained: RunStore, planted_folder: Path
) -> None:
    layout = trained.open("done").layout

    def other_metric(evaluation: dict) -> None:
        evaluation["test"]["recall@5"] += 0.125

    def other_machine(record: dict) -> None:
        provenance = record["provenance"]
        provenance["versions"]["torch"] = "1.0"
        provenance["commit"] = "0123456789ab"
        provenance["machine"] |= {"engine": "dgl", "threads": 77, "processor": "an abacus"}

    edit(layout.evaluation, other_metric)
    edit(layout.config, other_machine)
    lines = layout.metrics.read_text().splitlines()
    second = json.loads(lines[1])
    second["losses"]["bpr"] += 0.5
    layout.metrics.write_text("\n".join([lines[0], json.dumps(second), *lines[2:]]) + "\n")
    vectors = np.load(layout.items)
    vectors[3, 0] += 0.25
    np.save(layout.items, vectors)

    result = rednd("reproduce", "done", "--data", planted_folder, "--json")
    assert result.code == 1, result.err
    assert not result.json["same"]
    different = [f["name"] for f in result.json["figures"] if not f["same"]]
    assert different == ["bpr", "recall@5", "vectors of the items"]
    metric = figure(result, "test metrics", "recall@5")
    assert metric["largest"] == pytest.approx(0.125)
    loss = figure(result, "losses of every epoch", "bpr")
    assert (loss["n_values"], loss["n_different"], loss["where"]) == (3, 1, "epoch 2")
    assert loss["largest"] == pytest.approx(0.5)
    rows = figure(result, "scoring vectors", "vectors of the items")
    assert (rows["n_different"], rows["where"]) == (1, "item 3")
    said = " ".join(result.json["changes"])
    for words in (
        "The version of torch was 1.0 and is ",
        "Another engine: dgl then, csr now.",
        "Another number of threads: 77 then, ",
        "Another processor: an abacus then, ",
        "the run was trained at commit 0123456789ab, and this is",
    ):
        assert words in said


def test_other_data_are_refused_by_their_digest(
    rednd, trained: RunStore, planted_folder: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    shutil.copytree(planted_folder, other)
    table = other / "interactions.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:-1]) + "\n")
    result = rednd("reproduce", "done", "--data", other)
    assert result.code == 1
    assert "the data set" in result.err
    assert "other with other content" in result.err
    assert [entry.name for entry in trained.list()] == ["done"]


def test_a_steered_run_is_refused(rednd, trained: RunStore, planted_folder: Path) -> None:
    event = {"event": "set_weight", "time": 1.0, "epoch": 3, "loss": "regularization", "value": 0.5}
    with trained.open("done").layout.metrics.open("a") as file:
        file.write(json.dumps(event) + "\n")
    result = rednd("reproduce", "done", "--data", planted_folder)
    assert result.code == 1
    assert "the weight of regularization was moved after epoch 3" in result.err
    assert [entry.name for entry in trained.list()] == ["done"]


def test_a_run_that_has_no_results_is_refused(
    rednd, trained: RunStore, planted_folder: Path
) -> None:
    trained.open("done").layout.evaluation.unlink()
    result = rednd("reproduce", "done", "--data", planted_folder)
    assert result.code == 1
    assert "a run that was trained to its results" in result.err
