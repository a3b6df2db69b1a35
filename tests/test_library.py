"""What other programs use: ``import rednd_core as rc``, as docs/api.md describes it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import rednd_core as rc
from rednd_core.config import PROJECT_ROOT
from rednd_core.errors import ConfigError, DataError, RunError

PAGE = (PROJECT_ROOT / "docs/api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
SHOP = PROJECT_ROOT / "sample_data/shop/runs/shop-lightgcn/layers"
N_USERS = 3
EDGES = np.array([[0, 0, 1, 2], [3, 4, 4, 5]])  # three users, three items
LAYERS = [np.random.default_rng(0).normal(size=(6, 4)), np.eye(6, 4) + 1]


@pytest.fixture(autouse=True)
def _no_runs_of_our_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDND_RUNS", str(tmp_path / "runs"))


@pytest.fixture(scope="module")
def shop() -> rc.LoadedRun:
    return rc.load("shop-lightgcn")


def mad(rows: np.ndarray) -> float:
    """Mean of 1 - cos over all ordered pairs of different rows, one pair after the other."""
    lengths = np.sqrt((rows**2).sum(axis=1))
    distances = [
        1 - rows[i] @ rows[j] / (lengths[i] * lengths[j])
        for i in range(len(rows))
        for j in range(len(rows))
        if i != j
    ]
    return float(np.mean(distances))


def test_the_names_are_there_and_no_others() -> None:
    assert {name: callable(getattr(rc, name)) for name in rc.__all__} == dict.fromkeys(
        ("LoadedRun", "load", "measure"), True
    )
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = rc.lode


def test_the_page_shows_a_run_as_tables() -> None:
    names: dict[str, Any] = {}
    exec(BLOCKS[0], names)
    assert [layer.shape for layer in names["layers"]] == [(1600, 32)] * 4
    assert list(names["lists"].columns) == [
        "user_id", "rank", "item_id", "title", "score", "hit"
    ]  # fmt: skip
    assert list(names["near"]["rank"]) == [1, 2, 3, 4, 5]
    for column in (*names["lists"].columns, *names["near"].columns, *names["measures"].columns):
        assert f"`{column}`" in PAGE, "the page names every column"


def test_the_page_shows_a_training_that_logs_its_smoothness(capsys) -> None:
    names: dict[str, Any] = {}
    exec(BLOCKS[1], names)
    log = names["log"]
    assert (len(log), {len(row) for row in log}) == (5, {4})
    connected = np.unique(names["users"].numpy())
    expected = [
        mad(layer.detach().numpy()[connected].astype(np.float64)) for layer in names["layers"]
    ]
    np.testing.assert_allclose(log[-1], expected, rtol=1e-5)
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_layers_are_what_the_run_holds(shop: rc.LoadedRun) -> None:
    dataset = shop.dataset
    for k, table in enumerate(shop.layers("id")):
        np.testing.assert_array_equal(table.to_numpy(), np.load(SHOP / f"id_{k}.npy"))
        assert table.index.names == ["kind", "id"]
    user = table.loc[("user", dataset.user_ids[17])].to_numpy()
    np.testing.assert_array_equal(user, np.load(SHOP / "id_3.npy")[17])
    item = shop.embeddings().loc[("item", dataset.item_ids[5])].to_numpy()
    np.testing.assert_array_equal(item, np.load(SHOP / "items.npy")[5])
    with pytest.raises(ConfigError, match="a modality among id"):
        shop.layers("video")


def test_the_layers_of_a_run_measure_the_same_as_arrays(shop: rc.LoadedRun) -> None:
    dataset = shop.dataset
    edges = np.stack([dataset.train.users, dataset.train.items + dataset.n_users])
    own = shop.measures()
    own = own[own["view"] == "layer"].reset_index(drop=True)
    arrays = [np.load(SHOP / f"id_{k}.npy") for k in range(4)]
    found = rc.measure(arrays, edges, dataset.n_users)
    found = found[found["view"] == "layer"].reset_index(drop=True)
    assert own.equals(found)


def test_a_run_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="did you mean 'shop-lightgcn'"):
        rc.load("shop-lightgc", tmp_path)


@pytest.mark.parametrize("kind", ["arrays", "tensors", "single precision"])
def test_mad_of_anybodys_layers(kind: str) -> None:
    layers: list[Any] = list(LAYERS)
    if kind == "tensors":
        layers = [torch.tensor(layer, requires_grad=True) for layer in LAYERS]
    elif kind == "single precision":
        layers = [layer.astype(np.float32) for layer in LAYERS]
    table = rc.measure(layers, EDGES, N_USERS, measures=["mad"])
    assert set(table["modality"]) == {"id"}
    for k, layer in enumerate(LAYERS):
        for side, rows in (("users", layer[:N_USERS]), ("items", layer[N_USERS:])):
            (row,) = table[(table["layer"] == k) & (table["side"] == side)].to_dict("records")
            assert row["value"] == pytest.approx(mad(rows), rel=1e-5)
            assert row["n"] == 3


def test_half_precision_is_measured() -> None:
    """NumPy has no bfloat16: tensors of it become float32 first, which changes none of their values."""
    half = [torch.tensor(layer).bfloat16() for layer in LAYERS]
    table = rc.measure(half, EDGES, N_USERS, measures=["mad"])
    expected = mad(half[0].double().numpy()[:N_USERS])
    assert table[table["side"] == "users"]["value"].iloc[0] == pytest.approx(expected, rel=1e-5)


def test_edges_in_any_order_and_direction_are_one_graph() -> None:
    both = np.concatenate([EDGES[:, ::-1], EDGES[::-1]], axis=1)
    plain = rc.measure(LAYERS, EDGES, N_USERS)
    assert plain.equals(rc.measure(LAYERS, torch.tensor(both), N_USERS))


def test_modalities_have_names() -> None:
    table = rc.measure({"image": LAYERS, "text": LAYERS[:1]}, EDGES, N_USERS, measures=["mad"])
    assert table.groupby("modality")["layer"].max().to_dict() == {"image": 1, "text": 0}


@pytest.mark.parametrize(
    ("layers", "edges", "n_users", "message"),
    [
        ([], EDGES, 3, "no layer"),
        ([np.ones(6)], EDGES, 3, "a layer of shape"),
        (LAYERS, EDGES, 6, "a row for each of 6 users"),
        (LAYERS, EDGES, 0, "a row for each of 0 users"),
        (LAYERS, EDGES.T, 3, r"the shape \(2, n_edges\)"),
        (LAYERS, EDGES.astype(float), 3, "whole numbers"),
        (LAYERS, np.array([[0, 0], [3, 2]]), 3, "edge 1 between 0 and 2"),
        (LAYERS, np.array([[0, 4], [3, 5]]), 3, "edge 1 between 4 and 5"),
        (LAYERS, np.array([[0], [6]]), 3, "edge 0 between 0 and 6"),
        (LAYERS, np.array([[-1], [4]]), 3, "edge 0 between -1 and 4"),
        ([LAYERS[0], LAYERS[1][:5]], EDGES, 3, "all have 6 rows"),
        ([LAYERS[0] * np.nan], EDGES, 3, "finite"),
    ],
)
def test_what_does_not_fit_is_refused(layers, edges, n_users, message) -> None:
    with pytest.raises(DataError, match=message):
        rc.measure(layers, edges, n_users)
