"""Which layers the Embeddings page shows, and what lies beyond them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from rednd_core import wording
from rednd_core.data import load_dataset
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.projection import project
from rednd_core.smoothness import propagate_depth
from tests.app.embeddings.page import N_USERS, notes, open_page, words
from tests.app.sent import figures, numbers


@pytest.fixture
def two_runs(add_run) -> None:
    add_run("deep", n_layers=5)
    add_run("flat", n_layers=3)


def lit(app: AppTest) -> list[int]:
    (pills,) = [group for group in app.button_group if group.label.startswith("Layers")]
    return sorted(int(value) for value in pills.value)


def light(app: AppTest, layers: list[int]) -> AppTest:
    (pills,) = [group for group in app.button_group if group.label.startswith("Layers")]
    return pills.set_value(layers).run()


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


def test_untouched_layers_are_those_of_each_run(two_runs) -> None:
    app = open_page(run="deep")
    assert lit(app) == drawn(app) == [0, 2, 3, 5]
    app = show(app, "flat")
    assert lit(app) == drawn(app) == [0, 1, 2, 3]
    assert in_address(app) == []
    assert lit(show(app, "deep")) == [0, 2, 3, 5]


def test_a_choice_of_layers_is_kept_as_far_as_a_run_has_them(two_runs) -> None:
    app = light(open_page(run="deep"), [1, 5])
    assert in_address(app) == ["1", "5"]
    app = show(app, "flat")
    assert lit(app) == drawn(app) == [1]
    assert in_address(app) == ["1"]
    assert lit(show(app, "deep")) == [1, 5]
    assert lit(open_page(run="deep", layers=["0", "4"])) == [0, 4]


def test_the_pills_are_lit_of_what_is_drawn(two_runs) -> None:
    app = light(open_page(run="deep", layers=["1", "5"]), [])
    assert lit(app) == drawn(app) == [0, 2, 3, 5]
    assert in_address(app) == []


def test_propagated_on_the_cloud_shrinks_to_two_dots(add_run, folder: Path) -> None:
    layers = add_run("one")
    app = open_page()
    assert not app.toggle("further").value
    app = app.toggle("further").set_value(True).run()
    assert not app.exception
    data = load_dataset(folder)
    graph = bipartite_graph(data.train, data.n_users, data.n_items)
    states = propagate_depth(layers[0], graph, 16)
    wanted = project([states[k] for k in (0, 1, 2, 8, 16)], "pca", n_users=N_USERS)
    figure = figures(app)[0]
    for text, name, quality in zip(
        notes(figure),
        ("layer 0", "layer 1", "layer 2", "depth 8", "depth 16"),
        wanted.quality,
        strict=False,
    ):
        assert name in text
        assert f"MAD users {wording.measure(quality['mad_users'])}" in text
    last = [trace for trace in figure["data"] if trace["xaxis"] == "x5"]
    x = dict(zip(numbers(last[0]["customdata"]), numbers(last[0]["x"]), strict=True))
    np.testing.assert_allclose([*x.values()], wanted.coords[4, [int(k) for k in x], 0], atol=1e-4)
    assert "From layer 0 to depth 16" in words(app)
    assert "Depths beyond 2 were never trained" in words(app)
    lonely = int((data.user_degrees == 0).sum() + (data.item_degrees == 0).sum())
    assert (f"{lonely} of the nodes have no train interaction" in words(app)) == (lonely > 0)


def test_beyond_the_run_an_agreement_is_no_colour(add_run) -> None:
    add_run("one")
    app = open_page(color="agreement with own start", further="true")
    assert "Coloured by type" in words(app)
    assert {trace["name"] for trace in figures(app)[0]["data"]} == {"user", "item"}


def test_what_cannot_go_on_has_no_toggle(add_run) -> None:
    add_run("one")
    add_run("full", n_layers=16)
    assert not open_page(run="full").toggle
    for other in ({"vectors": "readout"}, {"show": "animation"}):
        assert not open_page(run="one", **other).toggle
