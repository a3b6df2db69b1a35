"""``rednd project``."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from rednd_core.projection import JointUMAP, PooledPCA
from rednd_core.runs import RunStore


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
