"""Commands that look at a finished run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rednd_core.data import load_dataset
from rednd_core.projection import JointUMAP, PooledPCA
from rednd_core.runs import RunStore


@pytest.mark.parametrize("by", ["activity", "degree", "popularity"])
def test_evaluate_by_slice(rednd, trained: RunStore, by: str) -> None:
    found = rednd("evaluate", "--run", "done", "--by", by, "--k", 5, "--json").json
    whole = rednd("evaluate", "--run", "done", "--k", 5, "--json").json
    assert {name: found[name] for name in whole} == whole
    for split in ("valid", "test"):
        rows = found["slices"][split]
        if by != "popularity":  # which divides pairs
            n_users = sum(row["n_users"] for row in rows)
            mean = sum(row["n_users"] * row["recall@5"] for row in rows) / n_users
            assert n_users == whole["n_users"][split]
            assert mean == pytest.approx(whole[split]["recall@5"])
    text = rednd("evaluate", "--run", "done", "--by", by, "--k", 5).out
    assert f"valid, by {by}" in text
    assert f"test, by {by}" in text


def test_evaluate_repeats_the_stored_results(rednd, trained: RunStore) -> None:
    result = rednd("evaluate", "--run", "done", "--json")
    stored = trained.open("done").evaluation()
    assert result.json["valid"] == pytest.approx(stored.valid)
    assert result.json["test"] == pytest.approx(stored.test)
    assert result.json["n_users"] == {"valid": 40, "test": 40}
    other = rednd("evaluate", "--run", "done", "--json", "--k", 3, "--k", 7)
    assert {name.partition("@")[2] for name in other.json["test"]} == {"3", "7"}
    text = rednd("evaluate", "--run", "done")
    assert f"{stored.test['recall@5']:.4f}" in text.out
    assert "valid (40 users)" in text.out


def test_smoothness(rednd, trained: RunStore) -> None:
    result = rednd("smoothness", "--run", "done", "--json")
    table = pd.DataFrame(result.json["rows"])
    assert result.json["epoch"] == trained.open("done").layers().epoch
    assert set(table.columns) >= {"view", "modality", "layer", "side", "measure", "value", "n"}
    assert set(table["side"]) >= {"users", "items"}
    layers = pd.to_numeric(table.query("view == 'layer'")["layer"])
    assert set(layers) == {0, 1, 2}
    deep = rednd("smoothness", "--run", "done", "--json", "--depth", 6)
    deep_table = pd.DataFrame(deep.json["rows"]).query("view == 'layer'")
    assert set(pd.to_numeric(deep_table["layer"])) == set(range(7))
    own = table.query("view == 'layer'").set_index(["layer", "side", "measure"])["value"]
    grown = deep_table.set_index(["layer", "side", "measure"])["value"]
    both = own.index.intersection(grown.index)
    assert len(both) > 6
    np.testing.assert_allclose(
        own[both].to_numpy(float), grown[both].to_numpy(float), rtol=1e-3, atol=1e-5
    )
    text = rednd("smoothness", "--run", "done")
    assert "done · id · users (n = 40" in text.out


def test_depth_needs_linear_propagation(rednd, planted_folder: Path, quick) -> None:
    rednd("train", "--data", planted_folder, "--model", "gcn", "--run", "gcn", *quick)
    result = rednd("smoothness", "--run", "gcn", "--depth", 4)
    assert (result.code, "linear propagation" in result.err) == (1, True)


def test_project(rednd, trained: RunStore, tmp_path: Path) -> None:
    out = tmp_path / "map.csv"
    result = rednd("project", "--run", "done", "--out", out)
    assert result.code == 0
    table = pd.read_csv(out)
    assert list(table.columns) == ["layer", "type", "id", "x", "y"]
    assert len(table) == 3 * 70
    assert {"ann-0", "sku-0"} <= set(table["id"])
    assert table.groupby("type")["id"].nunique().to_dict() == {"item": 30, "user": 40}
    page = tmp_path / "map.html"
    assert rednd("project", "--run", "done", "--out", page).code == 0
    assert "plotly" in page.read_text().lower()
    for args, message in (
        (["--out", tmp_path / "map.png"], ".csv or .html"),
        (["--out", out, "--modality", "video"], "a modality among id"),
        (["--out", out, "--method", "tsne"], "pca"),
    ):
        refused = rednd("project", "--run", "done", *args)
        assert (refused.code, message in refused.err) == (1, True), refused.err


def test_maps_that_are_known_are_not_computed_again(
    rednd, trained: RunStore, tmp_path: Path, monkeypatch
) -> None:
    first, again = tmp_path / "first.csv", tmp_path / "again.csv"
    assert rednd("project", "--run", "done", "--out", first).code == 0

    def refuse(*arguments):
        raise AssertionError("computed again")

    monkeypatch.setattr(PooledPCA, "fit_transform", refuse)
    monkeypatch.setattr(JointUMAP, "fit_transform", refuse)
    assert rednd("project", "--run", "done", "--out", again).code == 0
    assert again.read_bytes() == first.read_bytes()
    bundled = rednd("project", "--run", "shop-lightgcn", "--method", "umap", "--out", again)
    assert (bundled.code, "1,600 of 1,600 nodes" in bundled.out) == (0, True), bundled.err


def test_umap_is_never_shown_alone(rednd, tmp_path: Path) -> None:
    pages = {}
    for method in ("pca", "umap"):
        out = tmp_path / f"{method}.html"
        assert (
            rednd("project", "--run", "shop-lightgcn", "--method", method, "--out", out).code == 0
        )
        pages[method] = out.read_text(encoding="utf-8")
        assert "shop-lightgcn · id · 1,600 of 1,600 nodes" in pages[method]
        assert "PCA on shared axes" in pages[method]
        assert pages[method].count("<section>") == 1 + (method == "umap")
        assert 'src="http' not in pages[method], "it opens offline"
    assert "UMAP, one layout" not in pages["pca"]
    assert "UMAP, one layout" in pages["umap"]
    assert "hides a collapse" in pages["umap"]


def test_recommend_by_original_id(rednd, trained: RunStore, planted_folder: Path) -> None:
    result = rednd("recommend", "--run", "done", "--user", "ann-7", "--k", 5, "--json")
    dataset = load_dataset(planted_folder)
    user = dataset.user_ids.tolist().index("ann-7")
    user_emb, item_emb = trained.open("done").embeddings()
    scores = np.array(user_emb)[user] @ np.array(item_emb).T
    own = dataset.train.items[dataset.train.users == user]
    scores[own] = -np.inf
    best = np.argsort(-scores)[:5]
    assert [row["item_id"] for row in result.json["recommended"]] == dataset.item_ids[best].tolist()
    assert [row["rank"] for row in result.json["recommended"]] == [1, 2, 3, 4, 5]
    numbers = [item.removeprefix("sku-") for item in dataset.item_ids[best]]
    assert [row["title"] for row in result.json["recommended"]] == [f"Thing {n}" for n in numbers]
    held_out = set(dataset.test.items[dataset.test.users == user].tolist())
    hits = [row["hit"] for row in result.json["recommended"]]
    assert hits == [item in held_out for item in best]
    assert len(result.json["missed"]) == len(held_out) - sum(hits)
    assert all(row["rank"] > 5 for row in result.json["missed"])
    text = rednd("recommend", "--run", "done", "--user", "ann-7")
    assert "user ann-7" in text.out
    assert "Thing" in text.out


def test_lists_of_no_length(rednd, trained: RunStore) -> None:
    """A sentence from both, not a box of usage from one."""
    for command in (("evaluate",), ("recommend", "--user", "ann-7")):
        result = rednd(*command, "--run", "done", "--k", 0)
        assert (result.code, result.out) == (1, "")
        assert result.err.startswith("rednd: Expected ")


def test_unknown_users_and_runs(rednd, trained: RunStore) -> None:
    result = rednd("recommend", "--run", "done", "--user", "7")
    assert (result.code, "a user of planted" in result.err) == (1, True)
    for command in ("evaluate", "smoothness"):
        result = rednd(command, "--run", "nothing")
        assert (result.code, "a run called nothing" in result.err) == (1, True)


def test_a_changed_data_set_is_noticed(rednd, trained: RunStore, planted_folder: Path) -> None:
    features = planted_folder / "text_feat.npy"
    content = features.read_bytes()
    try:
        np.save(features, np.load(features) + 1)
        for command in (["evaluate"], ["smoothness"], ["recommend", "--user", "ann-1"]):
            result = rednd(*command, "--run", "done")
            assert (result.code, "with other content" in result.err) == (1, True)
    finally:
        features.write_bytes(content)
