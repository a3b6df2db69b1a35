"""What an archive has for people to read: the exact command, and the figures as a page without a network."""

from __future__ import annotations

import re
import shlex
import zipfile
from pathlib import Path

import pytest

from rednd_core.cli.data_options import DataOptions
from rednd_core.cli.options import parse_assignments
from rednd_core.config import ColumnNames, DataConfig, RunConfig, TrainingConfig
from rednd_core.modeling.defaults import configure
from rednd_core.runs import Run, RunRecord, RunStore, export, import_archive
from rednd_core.runs.record import Provenance
from rednd_core.runs.train_command import train_command


def texts(archive: Path) -> tuple[str, str]:
    """command.txt and figures.html."""
    with zipfile.ZipFile(archive) as packed:
        return packed.read("done/command.txt").decode(), packed.read("done/figures.html").decode()


@pytest.mark.parametrize(
    ("data", "training"),
    [
        (DataConfig(path="my data/baby"), TrainingConfig(seed=3, ks=(5, 20), engine="csr")),
        (
            DataConfig(
                path="reviews.csv",
                split="random",
                ratios=(0.7, 0.1, 0.2),
                split_seed=4,
                columns=ColumnNames(user="who is it"),
                rating_threshold=4.0,
                min_interactions=5,
                sample_users=100,
                text_features="tfidf",
                layout="table",
            ),
            TrainingConfig(snapshot_mb=0, learning_rate=1e-5),
        ),
    ],
)
def test_the_command_means_the_same_configuration(data, training) -> None:
    config = RunConfig(
        model="lightgcn", data=data, hyperparameters={"n_layers": 3}, training=training
    )
    record = RunRecord(config=config, provenance=Provenance(seed=training.seed))
    words = shlex.split(train_command(record))
    assert words[:2] == ["rednd", "train"]
    given: dict[str, list[str]] = {}
    for option, value in zip(words[2::2], words[3::2], strict=True):
        given.setdefault(option.removeprefix("--"), []).append(value)
    number = {"split-seed": int, "threshold": float, "min-interactions": int, "sample-users": int}
    reading = {
        option.replace("-", "_"): number.get(option, str)(values[0])
        for option, values in given.items()
        if option not in ("data", "model", "set", "column")
    }
    read = DataOptions(**reading, columns=given.get("column")).config(given["data"][0])
    again = configure(given["model"][0], read, parse_assignments(given["set"]))
    expected = configure("lightgcn", data, {"n_layers": 3, **training.model_dump()})
    assert again == expected


def test_processes_that_trained_together_are_in_the_command(record: RunRecord) -> None:
    together = record.provenance.model_copy(update={"processes": 2})
    command = train_command(record.model_copy(update={"provenance": together}))
    assert command.startswith("torchrun --nproc-per-node 2 -m rednd_core train --data ")


def test_an_archive_has_both_and_an_import_leaves_them(
    finished: Run, target: RunStore, tmp_path: Path
) -> None:
    archive = export(finished, tmp_path / "done.zip")
    command, page = texts(archive)
    assert "--data sample_data/shop --model lightgcn" in command
    assert not re.search(r"https?://|<script|src=", page), "it opens without a network"
    assert "default-src &#x27;none&#x27;" in page or "default-src 'none'" in page
    assert command.strip() in page.replace("&#x27;", "'")
    assert "digest ab12" in page
    assert "<th>recall@20</th><td>0.2000</td>" in page
    assert "best epoch, 2" in page
    # Two epochs: the loss falls from the top left to the bottom right.
    loss = page.partition("Loss bpr")[2]
    assert "points='62.0,12.0 408.0,206.0'" in loss
    arrived = import_archive(archive, target)
    assert not {"command.txt", "figures.html"} & {path.name for path in arrived.path.iterdir()}


def test_names_that_look_like_markup_are_text(finished: Run, tmp_path: Path) -> None:
    finished.layout.metrics.write_text('{"epoch":1,"losses":{"<b>x</b>":0.5}}\n')
    _, page = texts(export(finished, tmp_path / "done.zip"))
    assert "<b>x" not in page
    assert "Loss &lt;b&gt;x" in page


def test_a_run_that_cannot_be_drawn_is_exported_all_the_same(finished: Run, tmp_path: Path) -> None:
    finished.layout.metrics.write_text("no JSON\n")
    with zipfile.ZipFile(export(finished, tmp_path / "done.zip")) as packed:
        names = packed.namelist()
    assert "done/command.txt" in names
    assert "done/figures.html" not in names
