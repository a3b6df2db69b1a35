"""One node, a group of nodes, and a second run on the Embeddings page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from app import state
from app.embeddings.node_card import map_fidelity
from app.shared import node_select
from app.shared.node_select import chosen_nodes
from rednd_core.cosine import mean_cosine
from rednd_core.data import load_dataset
from rednd_core.data.node_names import NodeNames
from rednd_core.projection import movers
from tests.app.embeddings.page import N_USERS, PAGE, notes, open_page, table, words
from tests.app.sent import figures, numbers


def test_the_card_shows_the_true_neighbours_of_every_layer(add_run, folder: Path) -> None:
    layers = add_run("one")
    app = open_page(node="item:sku-3", layers=["0", "2"])
    data = load_dataset(folder)
    item = data.item_ids.tolist().index("sku-3")
    degree = data.item_degrees[item]
    rank = 1 + (data.item_degrees > degree).sum()
    told = words(app)
    assert "Thing 3" in told
    assert "sku\\-3" in told
    assert f"popularity rank: **{rank} of 30**" in told
    shown = table(app, "layer 0", "layer 2")
    for layer in (0, 2):
        unit = layers[layer] / np.linalg.norm(layers[layer], axis=1, keepdims=True)
        cosine = unit[N_USERS:] @ unit[N_USERS + item]
        cosine[item] = -np.inf
        best = np.argsort(-cosine)[:10]
        wanted = [f"{cosine[k]:.2f} · {data.items['title'][k]}" for k in best]
        assert shown[f"layer {layer}"].tolist() == wanted
    ringed = [t for t in figures(app)[0]["data"] if t["name"] == "selected"]
    assert [numbers(t["customdata"]).tolist() for t in ringed] == [[N_USERS + item]] * 2
    app.segmented_control("neighbours-of-item").set_value("users").run()
    told = table(app, "layer 0", "layer 2")["layer 0"]
    assert all(re.search(r"· Ann (\d+) · ann-\1$", text) for text in told), (
        "names repeat, ids do not"
    )


@pytest.mark.filterwarnings("ignore:.*infer_string")
@pytest.mark.parametrize("version", [2, 3])
def test_names_are_found_whatever_pandas_keeps_strings_in(version: int, monkeypatch) -> None:
    """Before 3 strings are objects, and a column does not offer itself to Arrow."""
    if version == 2:
        monkeypatch.delattr(pd.Series, "__arrow_c_stream__", raising=False)
    with pd.option_context("future.infer_string", version == 3):
        ids = np.array(["ann", "bob", "tea", "mug"], dtype=object)
        users, items = (
            pd.DataFrame({"name": ["Ann", "Émile"]}),
            pd.DataFrame({"title": ["Tea", ""]}),
        )
        names = NodeNames(ids[:2], ids[2:], users, items)
        assert names.search("tea").tolist() == [2]
        assert names.search("émile").tolist() == [1]
        assert names.search("mug").tolist() == [3]


def test_neighbours_come_with_their_pictures(add_run) -> None:
    add_run("one")
    for key in ("item:sku-0", "item:sku-1", "item:sku-2"):
        app = open_page(node=key)
        pictures = table(app, "layer 0", "picture 0")["picture 0"]
        assert all(picture.startswith("data:image/") for picture in pictures)
    frames = pictures.tolist()
    assert len(set(frames)) < len(frames), "those without a picture share the empty frame"


def test_a_user_has_a_name_and_a_recall(add_run, folder: Path) -> None:
    add_run("one")
    last = str(load_dataset(folder).user_ids[-1])  # whose recall is 1
    told = words(open_page(node=f"user:{last}"))
    assert last.replace("ann-", "Ann ") in told
    assert "segment: **b**" in told
    assert "recall@20, validation: **1\\.0000**" in told


def test_what_a_link_asks_for_and_is_not_here_is_said_in_one_line(add_run) -> None:
    add_run("one")
    app = open_page(node="item:none", color="foo", layers=["2", "19"])
    (said,) = [warning.value.replace("\u2060", "") for warning in app.warning]
    for asked in ("node\\=item\\:none", "color\\=foo", "layers\\=19"):
        assert asked in said
    assert "layers\\=2" not in said
    assert "node" not in app.query_params
    assert app.selectbox("color").value == "type"
    assert not app.run().warning


def test_the_way_back_leads_to_no_node_where_there_was_none(add_run, monkeypatch) -> None:
    add_run("one")
    app = open_page(node="item:sku-3")
    del app.query_params["node"]
    app = app.run()
    assert app.query_params["node"] == "item:sku-3", "another page, and back by the menu"
    del app.query_params["node"]
    way_back = SimpleNamespace(is_history_navigation=True)
    monkeypatch.setattr(state, "get_script_run_ctx", lambda: way_back)
    app = app.run()
    assert "node" not in app.query_params
    assert "Nothing is selected" in words(app)


def test_a_node_of_other_data_is_said_and_ignored(add_run) -> None:
    add_run("one")
    app = open_page()
    app.session_state["node"] = "item:none"
    app.run()
    assert "has no node item\\:" in words(app).replace("\u2060", "")
    assert "node" not in app.query_params


def test_a_group_is_in_the_address_and_comes_from_there(add_run) -> None:
    add_run("one")
    app = open_page(group=["user:ann-1", "item:sku-2", "item:gone"])
    assert "2 selected nodes: 1 users, 1 items" in words(app)
    assert "group\\=item" in app.warning[0].value
    assert app.query_params["group"] == ["user:ann-1", "item:sku-2"]
    app.session_state[node_select.GROUP] = ("user:ann-1", "user:ann-3", "item:sku-4")
    app.run()
    assert app.query_params["group"] == ["user:ann-1", "user:ann-3", "item:sku-4"]
    app = app.button("clear-selection").click().run()
    assert "group" not in app.query_params


def test_a_group_too_large_for_an_address_is_said(add_run, monkeypatch) -> None:
    add_run("one")
    monkeypatch.setattr(node_select, "MOST_IN_ADDRESS", 2)
    app = open_page(group=["user:ann-1", "item:sku-2", "item:sku-3"])
    assert "a link to this page does not hold them" in words(app)
    assert "group" not in app.query_params


def test_clearing_takes_the_node_out_of_the_address(add_run) -> None:
    add_run("one")
    app = open_page(node="item:sku-3")
    app = app.button("clear-selection").click().run()
    assert "node" not in app.query_params
    assert "Nearest neighbours" not in words(app)


def test_the_bar_leads_to_the_card_and_the_group(add_run, folder: Path) -> None:
    add_run("one")
    app = open_page()
    assert "Nothing is selected" in words(app)
    assert app.button("clear-selection").disabled
    names = NodeNames.of(load_dataset(folder), pd.DataFrame())
    app.session_state[node_select.GROUP] = tuple(names.keys(np.arange(30, 60)))
    app.query_params["node"] = "item:sku-29"
    app.run()
    (bar,) = [text.value for text in app.markdown if "#node-card" in text.value]
    assert "· item sku\\-29 · [" in bar
    assert "**bold**" not in bar
    assert "**30 nodes** (10 users, 20 items)" in bar
    assert [head.anchor for head in app.header[:2]] == ["node-group", "node-card"]
    assert all(f"(#{head.anchor})" in bar for head in app.header[:2])
    texts = [text.value for text in app.markdown]
    assert texts.count(f"[↑ Back to the maps](#{app.title[0].anchor})") == 2
    drawn = figures(app)[0]["data"]
    ringed = [numbers(t["customdata"]).tolist() for t in drawn if t["name"] == "selected"]
    node = names.node("item:sku-29")
    assert ringed == [[node]] * 4, "the node, not the thirty"
    bright = [t for t in drawn if t["xaxis"] == "x" and t["marker"].get("opacity") == 0.75]
    lit = np.concatenate([numbers(t["customdata"]) for t in bright])
    assert sorted(lit) == [*range(30, 60), node]
    app = app.button("clear-selection").click().run()
    assert "Nothing is selected" in words(app)
    assert "node" not in app.query_params
    assert not [t for t in figures(app)[0]["data"] if t["marker"]["opacity"] != 0.75]


def test_titles_of_neighbours_wrap_and_four_layers_fit(add_run) -> None:
    add_run("one")
    app = open_page(node="item:sku-3")
    (proto,) = [each.proto for each in app.dataframe if "layer 0" in each.value]
    assert proto.row_height > 4 * 17, "a row of up to 4 rem does not wrap"
    widths = {name: each.get("width") for name, each in json.loads(proto.columns).items()}
    four = 54 + 4 * (widths["picture 0"] + widths["layer 0"])
    assert four <= 916, "pixels within the card on a page of 1440"


def test_a_group_is_listed_and_measured(add_run, folder: Path) -> None:
    layers = add_run("one", linear=False)
    data = load_dataset(folder)
    chosen = [0, 1, 45, 50, 60]
    app = AppTest.from_file(PAGE, default_timeout=180)
    names = NodeNames.of(data, pd.DataFrame({"user_id": data.user_ids}))
    app.session_state[node_select.GROUP] = tuple(names.keys(np.asarray(chosen)))
    app.run()
    assert not app.exception
    assert "5 selected nodes: 2 users, 3 items" in words(app)
    members = table(app, "type", "id", "degree")
    assert members["id"].tolist() == [
        *data.user_ids[:2],
        *data.item_ids[np.asarray(chosen[2:]) - N_USERS],
    ]
    left = data.items["category"].iloc[np.asarray(chosen[2:]) - N_USERS] == "left"
    categories = table(app, "category", "share", "overall").set_index("category")
    assert categories.loc["left", "share"] == pytest.approx(left.mean())
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


def test_the_points_of_the_maps_are_a_list_that_selects(add_run, folder: Path, monkeypatch) -> None:
    add_run("one")
    app = open_page()
    assert not [each for each in app.dataframe if "train interactions" in each.value]
    app.session_state["points"] = True
    app = app.run()
    data = load_dataset(folder)
    shown = table(app, "id", "train interactions")
    linked = np.flatnonzero(np.concatenate([data.user_degrees, data.item_degrees]))
    ids = np.concatenate([data.user_ids, data.item_ids])
    assert shown["id"].tolist() == ids[linked].tolist()
    degrees = np.concatenate([data.user_degrees, data.item_degrees])[linked]
    assert shown["train interactions"].tolist() == degrees.tolist()
    place = 7
    kept: dict[str, Any] = {"points-table": {"selection": {"rows": [place]}}}
    monkeypatch.setattr("app.shared.node_select.st.session_state", kept)
    names = NodeNames.of(data, pd.DataFrame())
    node_select.take_row(names, "points-table", linked.tolist())
    assert kept["node"] == names.keys(linked[[place]])[0]


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
    assert found.endswith(app.query_params["node"].replace(":", " "))


def test_chosen_nodes_come_from_customdata() -> None:
    assert chosen_nodes([7, 3, 7, 99, -1], 50) == [3, 7]


@pytest.mark.parametrize("picked", [None, 7, {"7": 7}, [True, "7", None, [7], 7.0]])
def test_a_browser_that_says_something_else_chooses_nothing(picked) -> None:
    assert chosen_nodes(picked, 50) == []


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
