"""``rednd runs import`` of vectors: what is said, and what the other commands do with such a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rednd_core.data import load_dataset


@pytest.fixture
def vectors(planted_folder: Path, tmp_path: Path) -> list[Path]:
    data, rng = load_dataset(planted_folder), np.random.default_rng(3)
    np.save(tmp_path / "users.npy", rng.normal(size=(data.n_users, 8)))
    np.save(tmp_path / "items.npy", rng.normal(size=(data.n_items, 8)))
    return [tmp_path / "users.npy", tmp_path / "items.npy"]


def test_vectors_with_their_data(rednd, vectors: list[Path], planted_folder: Path) -> None:
    done = rednd(
        "runs", "import", *vectors, "--data", planted_folder, "--run", "mine", "--propagate", 2
    )
    assert done.code == 0, done.err
    assert "Imported mine: 40 users, 30 items, layers 0 to 2" in done.out
    assert "test recall@20" in done.out
    told = rednd("runs", "show", "mine", "--json").json
    assert told["record"]["config"]["model"] == "imported"
    assert told["record"]["config"]["hyperparameters"]["files"] == ["users.npy", "items.npy"]
    for command in (("evaluate",), ("smoothness",), ("recommend", "--user", "ann-3")):
        assert rednd(*command, "--run", "mine", "--json").code == 0
    refused = rednd("train", "--resume", "mine")
    assert refused.code == 1
    assert "Expected" in refused.err
    assert "Traceback" not in refused.err


def test_vectors_alone(rednd, vectors: list[Path], tmp_path: Path) -> None:
    assert rednd("runs", "import", *vectors, "--run", "alone").code == 0
    assert rednd("smoothness", "--run", "alone", "--json").code == 0
    assert rednd("neighbours", "--run", "alone", "--item", "3", "--json").code == 0
    assert (
        rednd("project", "--run", "alone", "--method", "pca", "--out", tmp_path / "m.html").code
        == 0
    )
    for command in (
        ("evaluate",),
        ("recommend", "--user", "3"),
        ("publish", "--out", tmp_path / "p.html"),
    ):
        refused = rednd(*command, "--run", "alone")
        assert refused.code == 1
        assert "import the vectors again with the data set" in refused.err


def test_a_run_without_interactions_travels(rednd, vectors: list[Path], tmp_path: Path) -> None:
    rednd("runs", "import", *vectors, "--run", "alone")
    assert rednd("runs", "export", "alone", tmp_path / "alone.zip").code == 0
    assert rednd("runs", "import", tmp_path / "alone.zip", "--run", "again").code == 0
    assert rednd("neighbours", "--run", "again", "--item", "3", "--json").code == 0
    assert not rednd("runs", "show", "again", "--json").json["record"]["data"]["n_train"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--config", "config.json"], "one .safetensors"),
        (["--rows", "size"], "order of rows"),
        (["--readout", "size"], "readout"),
        (["--propagate", "99"], "between 0 and 32"),
        (["--user-key", "P"], "--user-key and --item-key together"),
    ],
)
def test_options_that_do_not_fit(
    rednd,
    vectors: list[Path],
    planted_folder: Path,
    tmp_path: Path,
    monkeypatch,
    arguments,
    sentence,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.json").write_text("{}")
    refused = rednd("runs", "import", *vectors, "--data", planted_folder, *arguments)
    assert refused.code == 1
    assert sentence in refused.err
