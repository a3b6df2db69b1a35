"""The maps of the Embeddings page against the core's own numbers, and what cannot be drawn."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from app import cached
from app.embeddings.export import embedding_table, to_parquet
from rednd_core import wording
from rednd_core.data import load_dataset
from rednd_core.data.node_names import NodeNames
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.projection import project
from rednd_core.runs import RunStore
from rednd_core.smoothness.agreement import neighbour_agreement
from tests.app.embeddings.page import N_ITEMS, N_USERS, notes, open_page, words
from tests.app.sent import figures, numbers


def test_the_default_view_is_the_pca_of_every_layer(add_run) -> None:
    layers = add_run("one", linear=False)
    app = open_page()
    (figure,) = figures(app)
    wanted = project(layers, "pca", n_users=N_USERS)
    for text, quality in zip(notes(figure)[:3], wanted.quality, strict=True):
        for name in ("mad_users", "mad_items", "trustworthiness"):
            told = f"{name.replace('mad_', 'MAD ')} {wording.measure(quality[name])}"
            assert told in text
    assert "k = 15, 70 of 70 points" in figure["layout"]["title"]["text"]
    drawn = {}
    for trace in figure["data"]:
        if trace["xaxis"] == "x3":
            drawn |= dict(zip(numbers(trace["customdata"]), numbers(trace["x"]), strict=True))
    np.testing.assert_allclose([drawn[k] for k in range(70)], wanted.coords[2, :, 0], atol=1e-5)
    assert "70 of 70 nodes on the map" in words(app)
    assert "enlarges the tiny cloud" in words(app)


def test_umap_waits_for_its_button(add_run, no_umap, compiled) -> None:
    add_run("one")
    app = open_page()
    assert compiled  # while the reader makes up his mind
    (button,) = [b for b in app.button if b.label == "Compute the UMAP map"]
    app = button.click().run()
    assert not app.exception
    assert [f["layout"]["title"]["text"][:6] for f in figures(app)] == ["<b>PCA", "<b>UMA"]
    assert not [b for b in app.button if b.label.startswith("Compute")]
    assert "of the UMAP map ×" in words(app)


def test_umap_is_there_at_once_where_a_cache_has_it(add_run, monkeypatch) -> None:
    layers = add_run("one", linear=False)
    fake = replace(project(layers, "pca", n_users=N_USERS), method="umap")
    asked = []
    monkeypatch.setattr(cached, "known_projection", lambda a: asked.append(a) or fake)
    assert len(figures(open_page())) == 2
    assert (asked[0].modality, asked[0].layers, asked[0].method) == ("id", (0, 1, 2), "umap")
    assert asked[0].settings == {"n_neighbors": 15, "min_dist": 0.1}


def test_known_projection_finds_what_projection_computed(add_run, store) -> None:
    add_run("one")
    run = store.open("one")
    asked = cached.LayerMap(run, "id", "readout", (0, 2), (0, 2), np.arange(70), "pca")
    assert cached.known_projection(asked) is None
    computed = cached.projection(asked)
    found = cached.known_projection(asked)
    np.testing.assert_array_equal(found.coords, computed.coords)


def test_the_readout_is_the_mean_of_the_layers_so_far(add_run, store) -> None:
    layers = add_run("one", linear=False)
    app = open_page(vectors="readout")
    assert "readout 0–2" in notes(figures(app)[0])[2]
    states = cached.view_layers(store.open("one"), "id", "readout")
    np.testing.assert_allclose(states[2], np.mean(layers, axis=0), rtol=1e-5, atol=1e-7)


def test_layers_and_animation_follow_their_controls(add_run) -> None:
    add_run("one")
    app = open_page(layers="2", show="animation")
    (figure,) = figures(app)
    assert "PCA, layer 2" in notes(figure)[0]
    assert len(figure["layout"]["sliders"][0]["steps"]) == 1


def test_every_colour_has_its_values(add_run, folder: Path) -> None:
    layers = add_run("one", linear=False)
    data = load_dataset(folder)
    graph = bipartite_graph(data.train, data.n_users, data.n_items)
    app = open_page()
    options = app.selectbox("color").options
    assert options == [
        "type",
        "item category",
        "user segment",
        "degree",
        "popularity",
        "agreement with neighbours",
        "agreement with own start",
        "recall@20 (validation)",
    ]
    item = data.item_degrees
    mean_of_history = [item[data.train_matrix[[u]].indices].mean() for u in range(N_USERS)]
    wanted = {
        "degree": np.log10(np.concatenate([data.user_degrees, item])),
        "popularity": np.log10(np.concatenate([mean_of_history, item])),
        "agreement with neighbours": neighbour_agreement(layers[2], graph),
        "recall@20 (validation)": np.r_[np.linspace(0, 1, N_USERS), [np.nan] * N_ITEMS],
    }
    for option in options:
        app = app.selectbox("color").set_value(option).run()
        assert not app.exception
        if option in wanted:
            values = np.full(70, np.nan)
            for trace in figures(app)[0]["data"]:
                if trace["xaxis"] == "x3" and "coloraxis" in trace["marker"]:
                    values[numbers(trace["customdata"])] = numbers(trace["marker"]["color"])
            known = np.isfinite(wanted[option])
            np.testing.assert_allclose(values[known], wanted[option][known], rtol=1e-5, atol=1e-6)
            assert np.isnan(values[~known]).all()
    app = app.selectbox("color").set_value("item category").run()
    assert {t["name"] for t in figures(app)[0]["data"]} == {
        "left",
        "right",
        "users, or no category",
    }


def test_titles_from_files_are_never_markup(add_run) -> None:
    add_run("one")
    app = open_page(node="item:sku-29")
    assert "<script>" not in json.dumps(figures(app))
    assert "\\<script\\>" in words(app)
    assert "**bold**" not in words(app)


def test_without_runs_the_page_says_what_to_do(store) -> None:
    app = open_page()
    assert "Live training" in app.info[0].value
    assert not figures(app)


def test_data_that_is_gone_is_a_sentence(add_run, folder: Path) -> None:
    add_run("one")
    shutil.rmtree(folder)
    app = open_page()
    assert app.error[0].value.startswith("Expected ")


def test_damaged_layers_are_a_sentence(add_run, store: RunStore) -> None:
    add_run("one")
    (store.root / "one" / "layers" / "id_1.npy").write_bytes(b"junk")
    app = open_page()
    assert r"id\_1\.npy" in app.error[0].value


@pytest.mark.parametrize("foreign", [{"color": "nonsense"}, {"layers": "9"}, {"modality": "x"}])
def test_a_permalink_of_another_run_falls_back(add_run, foreign) -> None:
    add_run("one")
    assert len(figures(open_page(**foreign))) == 1


def test_exported_vectors_carry_original_ids(tmp_path: Path) -> None:
    layers = [np.arange(8, dtype=np.float32).reshape(4, 2) + k for k in (0, 10)]
    ids = np.array(["007", "b", "x", "y"], dtype=object)
    names = NodeNames(ids[:2], ids[2:], pd.DataFrame(), pd.DataFrame({"title": ids[2:]}))
    view = SimpleNamespace(names=names, layers=(0, 3), arrays=lambda: layers)
    made = embedding_table(view, np.arange(4))
    assert made["id"].tolist() == ["007", "b", "x", "y"] * 2
    assert made["type"].tolist() == ["user", "user", "item", "item"] * 2
    assert made["layer"].tolist() == [0] * 4 + [3] * 4
    np.testing.assert_array_equal(made[["e0", "e1"]], np.concatenate(layers))
    (tmp_path / "made.parquet").write_bytes(to_parquet(made))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "made.parquet"), made)
