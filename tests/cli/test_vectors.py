"""``rednd vectors`` and ``rednd neighbours``."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rednd_core.cli.neighbours import neighbours
from rednd_core.cli.recommend import recommend
from rednd_core.cli.vectors import vectors
from rednd_core.data import load_dataset
from rednd_core.runs import RunStore

N_USERS, N_NODES = 40, 70


@pytest.fixture
def ids(planted_folder: Path) -> list[str]:
    dataset = load_dataset(planted_folder)
    return [*dataset.user_ids.tolist(), *dataset.item_ids.tolist()]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_layer_as_a_table(
    rednd, trained: RunStore, tmp_path: Path, ids: list[str], ending: str
) -> None:
    out = tmp_path / f"v.{ending}"
    done = rednd("vectors", "--run", "done", "--layer", 1, "--out", out)
    assert (done.code, "70 vectors of layer 1, 8 wide" in done.out) == (0, True), done.err
    table = pd.read_csv(out) if ending == "csv" else pd.read_parquet(out)
    assert table["kind"].tolist() == ["user"] * N_USERS + ["item"] * (N_NODES - N_USERS)
    assert table["id"].tolist() == ids
    values = table[[f"v{column}" for column in range(8)]].to_numpy(np.float32)
    stored = np.load(trained.root / "done" / "layers" / "id_1.npy")
    np.testing.assert_array_equal(values, stored)


def test_without_a_layer_what_scores(rednd, trained: RunStore, tmp_path: Path) -> None:
    out = tmp_path / "v.parquet"
    assert rednd("vectors", "--run", "done", "--out", out).code == 0
    values = pd.read_parquet(out).iloc[:, 2:].to_numpy()
    folder = trained.root / "done" / "layers"
    np.testing.assert_array_equal(values[:N_USERS], np.load(folder / "users.npy"))
    np.testing.assert_array_equal(values[N_USERS:], np.load(folder / "items.npy"))


def test_a_folder_for_the_projector(
    rednd, trained: RunStore, tmp_path: Path, ids: list[str]
) -> None:
    out = tmp_path / "projector"
    for _ in range(2):  # a folder that is there is replaced file by file
        assert rednd("vectors", "--run", "done", "--layer", 2, "--out", out).code == 0
    assert {path.name for path in out.iterdir()} == {
        "tensors.tsv", "metadata.tsv", "projector_config.pbtxt"
    }  # fmt: skip
    tensors = [line.split("\t") for line in (out / "tensors.tsv").read_text().splitlines()]
    stored = np.load(trained.root / "done" / "layers" / "id_2.npy")
    np.testing.assert_array_equal(np.array(tensors, dtype=np.float32), stored)
    head, *rows = [line.split("\t") for line in (out / "metadata.tsv").read_text().splitlines()]
    assert head == ["kind", "id", "title"]
    assert [row[1] for row in rows] == ids
    number = ids[N_USERS].removeprefix("sku-")
    assert rows[N_USERS] == ["item", f"sku-{number}", f"Thing {number}"]
    config = (out / "projector_config.pbtxt").read_text()
    assert 'tensor_path: "tensors.tsv"' in config
    assert 'metadata_path: "metadata.tsv"' in config


def test_titles_keep_a_cell_of_the_projector(
    rednd, tmp_path: Path, planted_folder: Path, quick
) -> None:
    """A line break in a title would begin a row; a formula would be one in a spreadsheet."""
    folder = tmp_path / "odd"
    folder.mkdir()
    content = (planted_folder / "interactions.csv").read_text(encoding="utf-8")
    (folder / "interactions.csv").write_text(content, encoding="utf-8")
    (folder / "items.csv").write_text('itemID,title\nsku-0,=1+1\nsku-1,"a b\tc"\n')
    done = rednd("train", "--data", folder, "--model", "lightgcn", "--run", "odd", *quick)
    assert done.code == 0, done.err
    out = tmp_path / "projector"
    assert rednd("vectors", "--run", "odd", "--layer", 0, "--out", out).code == 0
    rows = [line.split("\t") for line in (out / "metadata.tsv").read_text().splitlines()]
    assert len(rows) == 1 + N_NODES
    titles = {row[1]: row[2:] for row in rows}
    assert (titles["sku-0"], titles["sku-1"]) == (["'=1+1"], ["a b c"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--layer", 9], "a layer of id from 0 to 2"),
        (["--layer", -1], "a layer of id from 0 to 2"),
        (["--layer", 0, "--modality", "video"], "a modality among id"),
        (["--modality", "id"], "--layer with --modality"),
    ],
)
def test_what_is_not_there_is_refused(
    rednd, trained: RunStore, tmp_path: Path, options, message
) -> None:
    out = tmp_path / "v.csv"
    refused = rednd("vectors", "--run", "done", "--out", out, *options)
    assert (refused.code, message in refused.err) == (1, True), refused.err
    assert not out.exists()


def test_files_of_another_kind_are_refused(rednd, trained: RunStore, tmp_path: Path) -> None:
    refused = rednd("vectors", "--run", "done", "--out", tmp_path / "v.xlsx")
    assert (refused.code, ".csv or .parquet" in refused.err) == (1, True)
    missing = rednd("vectors", "--run", "done", "--out", tmp_path / "none" / "v.csv")
    assert (missing.code, "no folder" in missing.err) == (1, True), missing.err


@pytest.mark.parametrize("among", ["both", "users", "items"])
def test_neighbours_by_cosine(rednd, trained: RunStore, ids: list[str], among: str) -> None:
    result = rednd("neighbours", "--run", "done", "--item", "sku-3", "--layer", 1, "--k", 5,
                   "--among", among, "--json")  # fmt: skip
    layer = np.load(trained.root / "done" / "layers" / "id_1.npy").astype(np.float64)
    node = ids.index("sku-3")
    lengths = np.sqrt((layer**2).sum(axis=1))
    cosines = layer @ layer[node] / (lengths * lengths[node])
    cosines[node] = -np.inf
    if among == "users":
        cosines[N_USERS:] = -np.inf
    elif among == "items":
        cosines[:N_USERS] = -np.inf
    best = np.argsort(-cosines)[:5]
    found = result.json
    assert (found["kind"], found["id"], found["layer"], found["modality"]) == (
        "item", "sku-3", 1, "id"
    )  # fmt: skip
    rows = found["neighbours"]
    assert [row["id"] for row in rows] == [ids[node] for node in best]
    assert [row["kind"] for row in rows] == ["user" if n < N_USERS else "item" for n in best]
    assert [row["rank"] for row in rows] == [1, 2, 3, 4, 5]
    np.testing.assert_allclose([row["cosine"] for row in rows], cosines[best], rtol=1e-12)


def test_neighbours_for_people(rednd, trained: RunStore) -> None:
    shown = rednd("neighbours", "--run", "done", "--user", "ann-3", "--among", "items")
    assert shown.code == 0, shown.err
    assert "id, layer 2: nearest to user ann-3" in shown.out
    assert "Thing" in shown.out
    for options, message in (
        (["--item", "sku-999"], "the original id of an item"),
        (["--user", "sku-3"], "the original id of a user"),
        ([], "--item or --user"),
        (["--item", "sku-3", "--user", "ann-3"], "--item or --user"),
        (["--item", "sku-3", "--layer", 7], "from 0 to 2"),
        (["--item", "sku-3", "--k", 0], "k of at least 1"),
    ):
        refused = rednd("neighbours", "--run", "done", *options)
        assert (refused.code, message in refused.err) == (1, True), refused.err


EXAMPLES = [
    example
    for command in (neighbours, recommend, vectors)
    for example in re.findall(r"`rednd ([^`]*--[^`]*)`", str(command.__doc__))
]


def test_the_examples_of_all_three_are_looked_at() -> None:
    assert {example.split()[0] for example in EXAMPLES} == {"neighbours", "recommend", "vectors"}


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_work_on_the_bundled_runs(
    rednd, tmp_path: Path, monkeypatch, example: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done = rednd(*example.split())
    assert (done.code, done.err) == (0, "")
