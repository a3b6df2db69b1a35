"""The Embeddings page against the core's own numbers, on small runs with planted layers."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from app import cached
from app.components import node_select
from app.components.embeddings_export import embedding_table, to_parquet
from app.components.embeddings_group import mean_cosine
from app.components.node_card import map_fidelity
from app.components.node_select import chosen_nodes
from app.node_names import NodeNames
from rednd_core.config import DataConfig, RunConfig
from rednd_core.data import load_dataset
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.projection import movers, project
from rednd_core.runs import DataFacts, ModelFacts, Provenance, RunRecord, RunStore, create_run
from rednd_core.smoothness import propagate_depth
from rednd_core.smoothness.agreement import neighbour_agreement

PAGE = str(Path(__file__).parents[2] / "pages" / "1_Embeddings.py")
N_USERS, N_ITEMS, N_LAYERS = 40, 30, 2
HOSTILE = "<script>alert(1)</script> **bold** $x$ :smile: [a](http://b.c)"


@pytest.fixture
def folder(planted_folder: Path, tmp_path: Path) -> Path:
    """The planted data with categories, user names and segments, and one hostile title."""
    own = tmp_path / "planted"
    shutil.copytree(planted_folder, own)
    items = pd.DataFrame(
        {
            "itemID": [f"sku-{k}" for k in range(N_ITEMS)],
            "title": [f"Thing {k}" for k in range(N_ITEMS - 1)] + [HOSTILE],
            "category": ["left"] * 15 + ["right"] * 15,
            "image": ["red.png", "broken.png", "http://example.invalid/x.png"] + [""] * 27,
        }
    )
    items.to_csv(own / "items.csv", index=False)
    Image.new("RGB", (8, 8), "red").save(own / "red.png")
    (own / "broken.png").write_bytes(b"no picture")
    users = pd.DataFrame(
        {
            "userID": [f"ann-{k}" for k in range(N_USERS)],
            "name": [f"Ann {k}" for k in range(N_USERS)],
            "segment": ["a", "b"] * 20,
        }
    )
    users.to_csv(own / "users.csv", index=False)
    return own


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunStore:
    own = RunStore(tmp_path / "runs")
    monkeypatch.setattr("app.cached.runs.default_store", lambda: own)
    monkeypatch.setattr("app.cached.maps.CACHE_DIR", tmp_path / "cache")
    st.cache_data.clear()
    st.cache_resource.clear()
    return own


@pytest.fixture
def add_run(store: RunStore, folder: Path) -> Callable[..., list[np.ndarray]]:
    """``add_run(name, seed)``: a finished run; its layers x^0 .. x^2."""

    def add(name: str, seed: int = 0, modality: str = "id") -> list[np.ndarray]:
        data = load_dataset(folder)
        graph = bipartite_graph(data.train, data.n_users, data.n_items)
        facts = DataFacts(
            name=data.name,
            digest=data.digest,
            n_users=data.n_users,
            n_items=data.n_items,
            n_train=len(data.train),
            n_valid=len(data.valid),
            n_test=len(data.test),
        )
        shape = ModelFacts(
            modalities=(modality,), n_layers=N_LAYERS, embedding_size=8, readout="mean"
        )
        config = RunConfig(model="lightgcn", data=DataConfig(path=str(folder)))
        record = RunRecord(config=config, provenance=Provenance(seed=1), data=facts, model=shape)
        writer = create_run(store.root / name, record)
        start = np.random.default_rng(seed).normal(size=(graph.n_nodes, 8))
        layers = [x.astype(np.float32) for x in propagate_depth(start, graph, N_LAYERS)]
        users, items = layers[-1][: data.n_users], layers[-1][data.n_users :]
        writer.save_layers({modality: layers}, users, items, epoch=3)
        recall = np.linspace(0, 1, N_USERS)
        writer.save_per_user(
            pd.DataFrame({"user": range(N_USERS), "split": "valid", "recall@20": recall})
        )
        writer.status("finished", epoch=3, best_epoch=3)
        return layers

    return add


def open_page(**query: Any) -> AppTest:
    app = AppTest.from_file(PAGE, default_timeout=60)
    for key, value in query.items():
        app.query_params[key] = value
    app.run()
    assert not app.exception
    return app


def figures(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def numbers(value: Any) -> np.ndarray:
    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
    return np.asarray(value, dtype=float)


def notes(figure: dict[str, Any]) -> list[str]:
    return [note["text"] for note in figure["layout"]["annotations"]]


def words(app: AppTest) -> str:
    parts = [*app.markdown, *app.caption, *app.subheader, *app.info, *app.error]
    return "\n".join(element.value for element in parts)


def table(app: AppTest, *columns: str) -> pd.DataFrame:
    """The data frame on the page that has these columns."""
    found = [each.value for each in app.dataframe if {*columns} <= {*each.value.columns}]
    assert len(found) == 1
    return found[0]


@pytest.fixture
def no_umap(monkeypatch: pytest.MonkeyPatch) -> None:
    """UMAP maps are PCA maps under another name: its layout is tested in tests/projection."""
    real = cached.projection

    def projection(run, modality, layers, method, nodes, view="layer", **settings):
        found = real(run, modality, layers, "pca", nodes, view)
        return replace(found, method=method)

    monkeypatch.setattr(cached, "projection", projection)


def test_the_default_view_is_the_pca_of_every_layer(add_run) -> None:
    layers = add_run("one")
    app = open_page()
    (figure,) = figures(app)
    wanted = project(layers, "pca", n_users=N_USERS)
    for text, quality in zip(notes(figure)[:3], wanted.quality, strict=True):
        assert f"MAD users {quality['mad_users']:.2f}, items {quality['mad_items']:.2f}" in text
        assert f"trustworthiness {quality['trustworthiness']:.2f}" in text
    assert "k = 15, 70 of 70 points" in figure["layout"]["title"]["text"]
    drawn = {}
    for trace in figure["data"]:
        if trace["xaxis"] == "x3":
            drawn |= dict(zip(numbers(trace["customdata"]), numbers(trace["x"]), strict=True))
    np.testing.assert_allclose([drawn[k] for k in range(70)], wanted.coords[2, :, 0], atol=1e-5)
    assert "70 of 70 nodes on the map" in words(app)
    assert "blows the tiny cloud up" in words(app)


def test_umap_waits_for_its_button(add_run, no_umap) -> None:
    add_run("one")
    app = open_page()
    (button,) = [b for b in app.button if b.label.startswith("Compute the UMAP map (about")]
    app = button.click().run()
    assert not app.exception
    assert [f["layout"]["title"]["text"][:6] for f in figures(app)] == ["<b>PCA", "<b>UMA"]
    assert not [b for b in app.button if b.label.startswith("Compute")]
    assert "of the UMAP map ×" in words(app)


def test_umap_is_there_at_once_where_a_cache_has_it(add_run, monkeypatch) -> None:
    layers = add_run("one")
    fake = replace(project(layers, "pca", n_users=N_USERS), method="umap")
    asked = []
    monkeypatch.setattr(cached, "known_projection", lambda *a, **s: asked.append((a, s)) or fake)
    assert len(figures(open_page())) == 2
    (arguments, settings) = asked[0]
    assert arguments[1:4] == ("id", (0, 1, 2), "umap")
    assert settings == {"n_neighbors": 15, "min_dist": 0.1}


def test_known_projection_finds_what_projection_computed(add_run, store) -> None:
    add_run("one")
    run = store.open("one")
    request = (run, "id", (0, 2), "pca", range(70), "readout")
    assert cached.known_projection(*request) is None
    computed = cached.projection(*request)
    found = cached.known_projection(*request)
    np.testing.assert_array_equal(found.coords, computed.coords)


def test_the_readout_is_the_mean_of_the_layers_so_far(add_run, store) -> None:
    layers = add_run("one")
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
    layers = add_run("one")
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


def test_the_card_shows_the_true_neighbours_of_every_layer(add_run, folder: Path) -> None:
    layers = add_run("one")
    app = open_page(node="item:sku-3", layers=["0", "2"])
    data = load_dataset(folder)
    degree = data.item_degrees[3]
    rank = 1 + (data.item_degrees > degree).sum()
    told = words(app)
    assert "Thing 3" in told
    assert "sku\\-3" in told
    assert f"popularity rank: **{rank} of 30**" in told
    shown = table(app, "layer 0", "layer 2")
    for layer in (0, 2):
        unit = layers[layer] / np.linalg.norm(layers[layer], axis=1, keepdims=True)
        cosine = unit[N_USERS:] @ unit[N_USERS + 3]
        cosine[3] = -np.inf
        best = np.argsort(-cosine)[:10]
        wanted = [f"{cosine[k]:.2f} · {data.items['title'][k]}" for k in best]
        assert shown[f"layer {layer}"].tolist() == wanted
    ringed = [t for t in figures(app)[0]["data"] if t["name"] == "selected"]
    assert [numbers(t["customdata"]).tolist() for t in ringed] == [[N_USERS + 3]] * 2
    app.segmented_control("neighbours-of-item").set_value("users").run()
    assert all(" · Ann " in t for t in table(app, "layer 0", "layer 2")["layer 0"])


def test_neighbours_come_with_their_pictures(add_run) -> None:
    add_run("one")
    for key in ("item:sku-0", "item:sku-1", "item:sku-2"):
        app = open_page(node=key)
        pictures = table(app, "layer 0", "picture 0")["picture 0"]
        assert all(picture.startswith("data:image/") for picture in pictures)
    frames = pictures.tolist()
    assert len(set(frames)) < len(frames), "those without a picture share the empty frame"


def test_a_user_has_a_name_and_a_recall(add_run) -> None:
    add_run("one")
    told = words(open_page(node="user:ann-39"))
    assert "Ann 39" in told
    assert "segment: **b**" in told
    assert "recall@20, validation: **1\\.00**" in told


def test_an_unknown_node_is_said_and_ignored(add_run) -> None:
    add_run("one")
    app = open_page(node="item:none")
    assert "has no node item\\:" in words(app).replace("\u2060", "")
    assert "node" not in app.query_params


def test_clearing_takes_the_node_out_of_the_address(add_run) -> None:
    add_run("one")
    app = open_page(node="item:sku-3")
    app = app.button("clear-node").click().run()
    assert "node" not in app.query_params
    assert "Nearest neighbours" not in words(app)


def test_a_group_is_listed_and_measured(add_run, folder: Path) -> None:
    layers = add_run("one")
    data = load_dataset(folder)
    chosen = [0, 1, 45, 50, 60]
    app = AppTest.from_file(PAGE, default_timeout=60)
    names = NodeNames.of(data, pd.DataFrame({"user_id": data.user_ids}))
    app.session_state[node_select.GROUP] = tuple(names.key(node) for node in chosen)
    app.run()
    assert not app.exception
    assert "5 selected nodes: 2 users, 3 items" in words(app)
    members = table(app, "type", "id", "degree")
    assert members["id"].tolist() == ["ann-0", "ann-1", "sku-5", "sku-10", "sku-20"]
    categories = table(app, "category", "share", "overall").set_index("category")
    assert categories.loc["left", "share"] == pytest.approx(2 / 3)
    assert categories.loc["left", "overall"] == pytest.approx(0.5)
    cohesion = figures(app)[1]
    rows = layers[1][chosen].astype(np.float64)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    pairs = (unit @ unit.T)[np.triu_indices(5, 1)]
    assert numbers(cohesion["data"][0]["y"])[1] == pytest.approx(pairs.mean(), abs=1e-6)


def test_the_second_run_lists_the_movers(add_run) -> None:
    before, after = add_run("one", seed=0), add_run("two", seed=1, modality="text")
    app = open_page()
    first = app.selectbox("run").value
    other = {"one": "two", "two": "one"}[first]
    app = app.selectbox("vs").set_value(other).run()
    assert not app.exception
    pair = (before, after) if first == "one" else (after, before)
    wanted = movers(pair[0][2], pair[1][2], 15)
    shown = table(app, "rank", "overlap")
    np.testing.assert_allclose(shown["overlap"], wanted.jaccard[wanted.order][:50])
    compared = figures(app)[1]
    assert [text.split("<br>")[0] for text in notes(compared)[:2]] == [
        f"<b>{first}",
        f"<b>{other}",
    ]
    assert "70 of 70 nodes" in words(app)


def test_titles_from_files_are_never_markup(add_run) -> None:
    add_run("one")
    app = open_page(node="item:sku-29")
    assert "<script>" not in app.get("plotly_chart")[0].proto.spec
    assert "\\<script\\>" in words(app)
    assert "**bold**" not in words(app)


def test_a_large_set_is_searched_on_the_server(add_run, monkeypatch) -> None:
    add_run("one")
    monkeypatch.setattr(node_select, "MAX_OPTIONS", 10)
    monkeypatch.setattr(node_select, "MAX_MATCHES", 3)
    app = open_page()
    assert app.selectbox(node_select.FINDER).options == []
    app = app.text_input("node_query").set_value("thing 2").run()
    assert len(app.selectbox(node_select.FINDER).options) == 3
    assert "3 of 11 matches, of 70 nodes" in words(app)
    found = app.selectbox(node_select.FINDER).options[0]
    app = app.selectbox(node_select.FINDER).select(found).run()
    assert not app.exception
    assert app.query_params["node"] == "item:sku-2"


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
    assert "id_1.npy" in app.error[0].value


@pytest.mark.parametrize("foreign", [{"color": "nonsense"}, {"layers": "9"}, {"modality": "x"}])
def test_a_permalink_of_another_run_falls_back(add_run, foreign) -> None:
    add_run("one")
    assert len(figures(open_page(**foreign))) == 1


def test_chosen_nodes_come_from_customdata() -> None:
    points = [{"customdata": 7}, {"customdata": [3]}, {"customdata": 7}, {}, {"customdata": 99}]
    assert chosen_nodes({"selection": {"points": points}}, 50) == [3, 7]


def test_exported_vectors_carry_original_ids(tmp_path: Path) -> None:
    layers = [np.arange(8, dtype=np.float32).reshape(4, 2) + k for k in (0, 10)]
    ids = np.array(["007", "b", "x", "y"], dtype=object)
    names = NodeNames(2, ids, ids)
    view = SimpleNamespace(names=names, layers=(0, 3), arrays=lambda: layers)
    made = embedding_table(view)
    assert made["id"].tolist() == ["007", "b", "x", "y"] * 2
    assert made["type"].tolist() == ["user", "user", "item", "item"] * 2
    assert made["layer"].tolist() == [0] * 4 + [3] * 4
    np.testing.assert_array_equal(made[["e0", "e1"]], np.concatenate(layers))
    (tmp_path / "made.parquet").write_bytes(to_parquet(made))
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "made.parquet"), made)


def test_map_fidelity_counts_shared_neighbours() -> None:
    rng = np.random.default_rng(0)
    angles = np.linspace(0, 1, 40)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    faithful = SimpleNamespace(nodes=np.arange(40), coords=[circle, rng.permutation(circle)])
    kept = map_fidelity([circle, circle], {"pca": faithful}, 20, ["layer 0", "layer 1"])
    assert kept.loc["layer 0", "PCA"] == 15
    assert kept.loc["layer 1", "PCA"] < 15


def test_mean_cosine_leaves_zero_rows_out() -> None:
    rows = np.array([[1.0, 0], [0, 2.0], [0, 0], [3.0, 0]])
    assert mean_cosine(rows) == pytest.approx(1 / 3)
    assert mean_cosine(rows[:1]) is None
