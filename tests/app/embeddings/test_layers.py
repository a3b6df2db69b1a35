"""Which depths the Embeddings page shows, and what lies beyond the layers of the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app.embeddings.layers import default_layers
from rednd_core import wording
from rednd_core.data import Dataset, load_dataset
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.projection import project
from rednd_core.smoothness import propagate_depth
from tests.app.embeddings.page import N_USERS, notes, open_page, table, words
from tests.app.sent import figures, numbers


@pytest.fixture
def two_runs(add_run) -> None:
    add_run("deep", n_layers=5)
    add_run("flat", n_layers=3)


def box(app: AppTest) -> Any:
    (found,) = [each for each in app.multiselect if each.label == "Depths"]
    return found


def lit(app: AppTest) -> list[int]:
    return sorted(box(app).value)


def light(app: AppTest, layers: list[int]) -> AppTest:
    return box(app).set_value(layers).run()


def drawn(app: AppTest) -> list[int]:
    titles = [text.split("<br>")[0] for text in notes(figures(app)[0])]
    return [int(title.split()[-1].removesuffix("</b>")) for title in titles if "layer" in title]


def in_address(app: AppTest) -> list[str]:
    value = app.query_params.get("layers", [])
    return value if isinstance(value, list) else [value]


def show(app: AppTest, run: str) -> AppTest:
    app = app.selectbox("run").set_value(run).run()
    assert not app.exception
    return app


def test_untouched_depths_are_those_of_each_run(two_runs) -> None:
    app = open_page(run="deep")
    assert lit(app) == drawn(app) == [0, 5, 8, 16]
    app = show(app, "flat")
    assert lit(app) == drawn(app) == [0, 3, 8, 16]
    assert in_address(app) == []
    assert lit(show(app, "deep")) == [0, 5, 8, 16]


@pytest.mark.parametrize(
    ("n_depths", "trained", "depth", "wanted"),
    [
        (17, 3, 3, [0, 3, 8, 16]),
        (17, 3, 0, [0, 3, 8, 16]),
        (17, 3, 5, [0, 3, 5, 16]),
        (17, 12, 12, [0, 12, 16]),
        (4, 3, 1, [0, 1, 2, 3]),
        (7, 6, 6, [0, 2, 4, 6]),
        (1, 0, 0, [0]),
    ],
)
def test_the_depth_of_all_pages_is_among_those_by_default(n_depths, trained, depth, wanted) -> None:
    assert default_layers(n_depths, trained, depth) == wanted


def test_the_sidebar_s_depth_is_in_the_address_and_on_the_map(add_run) -> None:
    add_run("one")
    app = open_page(depth="5")
    assert lit(app) == drawn(app) == [0, 2, 5, 16]
    app = app.slider("context.depth").set_value(11).run()
    assert not app.exception
    assert app.query_params["depth"] == "11"
    assert drawn(app) == [0, 2, 11, 16]


def test_a_choice_of_depths_is_kept_as_far_as_a_run_has_them(add_run) -> None:
    add_run("deep", n_layers=5)
    add_run("curved", n_layers=3, linear=False)
    app = light(open_page(run="deep"), [1, 5])
    assert in_address(app) == ["1", "5"]
    app = show(app, "curved")
    assert lit(app) == drawn(app) == [1]
    assert in_address(app) == ["1"]
    assert lit(show(app, "deep")) == [1, 5]
    assert lit(open_page(run="deep", layers=["0", "4"])) == [0, 4]


def test_the_box_has_what_is_drawn(two_runs) -> None:
    app = light(open_page(run="deep", layers=["1", "5"]), [])
    assert lit(app) == drawn(app) == [0, 5, 8, 16]
    assert in_address(app) == []


def test_what_cannot_go_on_ends_at_its_last_layer(add_run) -> None:
    add_run("curved", linear=False)
    app = open_page()
    assert drawn(app) == [0, 1, 2]
    assert list(box(app).options) == ["0", "1", "2"]
    assert "never trained" not in words(app)


@pytest.mark.parametrize("view", ["layer output", "readout"])
def test_every_depth_is_the_trained_layers_propagated_on(add_run, folder: Path, view: str) -> None:
    """The map, its measures, and the neighbours at depth 16, from a propagation of their own."""
    layers = add_run("one")
    data = load_dataset(folder)
    graph = bipartite_graph(data.train, data.n_users, data.n_items)
    states = propagate_depth(layers[0], graph, 16)
    if view == "readout":
        states = [np.mean(states[: k + 1], axis=0) for k in range(17)]
    linked = np.flatnonzero(graph.degrees)
    wanted = project(states, "pca", linked, n_users=N_USERS)
    node = int(linked[-1])
    item = data.item_ids[node - N_USERS]
    app = open_page(vectors=view, node=f"item:{item}")
    figure = figures(app)[0]
    for text, k in zip(notes(figure), (0, 2, 8, 16), strict=False):
        assert f"MAD users {wording.measure(wanted.quality[k]['mad_users'])}" in text
        assert f"spread {wording.measure(wanted.quality[k]['spread'])}" in text
    last = [trace for trace in figure["data"] if trace["xaxis"] == "x4"]
    x = dict(zip(numbers(last[0]["customdata"]), numbers(last[0]["x"]), strict=True))
    places = np.searchsorted(linked, [int(k) for k in x])
    np.testing.assert_allclose([*x.values()], wanted.coords[16, places, 0], atol=1e-4)
    assert "Depths beyond 2 were never trained" in words(app)
    name = "readout 0–16" if view == "readout" else "layer 16"
    cosines = [float(text.split(" ·")[0]) for text in table(app, name)[name]]
    rows = states[16][N_USERS:]
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    own = np.delete(unit @ unit[node - N_USERS], node - N_USERS)
    np.testing.assert_allclose(cosines, np.sort(own)[::-1][: len(cosines)], atol=0.0051)


def test_beyond_the_run_an_agreement_is_measured_as_well(add_run, folder: Path) -> None:
    layers = add_run("one")
    data = load_dataset(folder)
    graph = bipartite_graph(data.train, data.n_users, data.n_items)
    state = propagate_depth(layers[0], graph, 16)[16]
    cosine = (state * layers[0]).sum(axis=1) / np.maximum(
        np.linalg.norm(state, axis=1) * np.linalg.norm(layers[0], axis=1), 1e-12
    )
    figure = figures(open_page(color="agreement with own start"))[0]
    for trace in figure["data"]:
        if trace["xaxis"] == "x4" and "coloraxis" in trace["marker"]:
            nodes = numbers(trace["customdata"]).astype(int)
            found = numbers(trace["marker"]["color"])
            np.testing.assert_allclose(found, cosine[nodes], atol=1e-5)


def test_all_modalities_stand_side_by_side(add_run, folder: Path) -> None:
    layers = add_run("both", modality=("image", "text"))
    app = open_page()
    assert list(app.selectbox("modality").options) == ["all modalities", "image", "text"]
    linked = np.flatnonzero(bipartite_graph(*_of(load_dataset(folder))).degrees)
    joined = [np.hstack([layer, layer]) for layer in layers]
    spread = project(joined, "pca", linked, n_users=N_USERS).quality[2]["spread"]
    assert f"spread {wording.measure(spread)}" in notes(figures(app)[0])[1]


def _of(data: Dataset) -> tuple[Any, int, int]:
    return data.train, data.n_users, data.n_items
