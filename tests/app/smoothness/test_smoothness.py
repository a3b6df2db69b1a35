"""The smoothness page against the core's own numbers, on small runs that are really trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rednd_core.config import PROJECT_ROOT, DataConfig, RunConfig, TrainingConfig
from rednd_core.data import load_dataset
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.runs import Provenance, RunRecord, RunStore, create_run
from rednd_core.smoothness import MEASURES, measure_layers, propagate_depth
from rednd_core.training.experiment import train_run
from tests.app.sent import figures, numbers

PAGE = PROJECT_ROOT / "pages" / "2_Smoothness.py"
N_USERS, N_ITEMS = 30, 20
MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "light": ("lightgcn", {"n_layers": 3}),
    "red-0": ("rednnd", {"n_layers": 2, "knn_k": 3, "alignment_weight": 0.0}),
    "red-1": ("rednnd", {"n_layers": 2, "knn_k": 3, "alignment_weight": 0.1}),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 users and 20 items, the last of them only in the test set; two modalities."""
    folder = tmp_path_factory.mktemp("data") / "<b>*shop*"
    folder.mkdir()
    rng = np.random.default_rng(0)
    rows = ["userID\titemID\tx_label"]
    for user in range(N_USERS):
        items = rng.choice(N_ITEMS - 1, size=7, replace=False)
        labels = [0, 0, 0, 0, 0, 1, 2]
        rows += [f"{user}\t{item}\t{label}" for item, label in zip(items, labels, strict=True)]
    rows.append(f"0\t{N_ITEMS - 1}\t2")
    (folder / "shop.inter").write_text("\n".join(rows) + "\n")
    for name in ("image", "text"):
        np.save(folder / f"{name}_feat.npy", rng.normal(size=(N_ITEMS, 6)).astype(np.float32))
    return folder


@pytest.fixture(scope="module")
def trained(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("runs")
    for name, (model, settings) in MODELS.items():
        config = RunConfig(
            model=model,
            data=DataConfig(path=str(shop)),
            hyperparameters={"embedding_size": 8, **settings},
            training=TrainingConfig(epochs=3, batch_size=64, device="cpu", engine="csr"),
        )
        record = RunRecord(config=config, provenance=Provenance(seed=1))
        train_run(create_run(root / name, record))
    return root


@pytest.fixture
def runs(trained: Path, tmp_path: Path, show_store: Callable[[Path], RunStore]) -> RunStore:
    """A copy of the trained runs, and nothing else, as the app's store."""
    root = tmp_path / "runs"
    shutil.copytree(trained, root)
    return show_store(root)


@pytest.fixture
def page(runs: RunStore) -> Callable[..., AppTest]:
    """``page(runs=["light"], ...)``: the page with these query parameters, run once."""

    def opened(**query: str | list[str]) -> AppTest:
        app = AppTest.from_file(PAGE, default_timeout=180)
        for key, value in query.items():
            app.query_params[key] = value
        return settled(app.run())

    return opened


def settled(app: AppTest) -> AppTest:
    assert not app.exception, app.exception
    return app


def lines(figure: dict[str, Any], axis: str = "x") -> dict[str, np.ndarray]:
    """Values by name of the lines in one panel."""
    return {
        trace["name"]: numbers(trace["y"])
        for trace in figure["data"]
        if trace.get("xaxis", "x") == axis and trace.get("fill") != "toself"
    }


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.caption, app.info, app.warning, app.error)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def test_default_view_shows_the_core_s_numbers(page, runs: RunStore, shop: Path) -> None:
    app = page(runs=["light"])
    dataset = load_dataset(shop)
    graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    layers = runs.open("light").layers()
    table = measure_layers(dict(layers), graph, readouts={m: layers.readouts(m) for m in layers})
    main = figures(app)[0]
    names = [name for name, measure in MEASURES.items() if measure.main_panel]
    for place, name in enumerate(names):
        shown = lines(main, "x" if place == 0 else f"x{place + 1}")
        for side in ("users", "items"):
            wanted = table.query("view == 'layer' and measure == @name and side == @side")
            np.testing.assert_allclose(shown[side], wanted["value"], err_msg=name)
    users = layers["id"][2][:N_USERS], layers["id"][2][N_USERS:]
    recall = evaluate(*users, dataset.train_matrix, dataset.valid, [20]).metrics["recall@20"]
    assert lines(main, "x6")["layer output"][2] == pytest.approx(recall)


def test_only_what_is_shown_is_measured(page, monkeypatch) -> None:
    """On a large graph every measure and every ranking is waited for."""
    asked: list[tuple[str, ...]] = []
    ranked: list[int] = []

    def measured(*args, measures, **options):
        asked.append(tuple(measures))
        return measure_layers(*args, measures=measures, **options)

    def evaluated(*args):
        ranked.append(1)
        return evaluate(*args)

    monkeypatch.setattr("rednd_core.smoothness.measure_layers", measured)
    monkeypatch.setattr("rednd_core.evaluation.evaluate.evaluate", evaluated)
    trusted = tuple(name for name, measure in MEASURES.items() if measure.misleads is None)
    main = tuple(name for name, measure in MEASURES.items() if measure.main_panel)
    page(runs=["light"])
    assert (asked, len(ranked)) == ([trusted], 4)  # x^0 .. x^3
    page(runs=["light"], smoothness_view="Readout")
    assert (asked, len(ranked)) == ([trusted], 8)
    page(runs=["light"], smoothness_part="Go deeper", smoothness_misleads="true")
    assert asked[1] == main
    assert set(asked[2]) == {"mad", "two_hop_rq", "madgap"} | (set(MEASURES) - set(trusted))


def test_without_parameters_the_newest_run_is_shown(page) -> None:
    app = page()
    assert app.selectbox(key="run").value == "red-1"
    assert app.selectbox(key="modality").options == ["all modalities", "image", "text"]
    assert figures(app)


def test_readout_differs_from_layer_output(page) -> None:
    app = page(runs=["light"])
    before = lines(figures(app)[0])["users"]
    app.session_state["smoothness_view"] = "readout"
    after = lines(figures(settled(app.run()))[0])["users"]
    assert before[0] == after[0]
    assert before[3] != after[3]


def test_modality_changes_the_numbers(page) -> None:
    app = page(runs=["red-0"])
    image = lines(figures(app)[0])["users"]
    text = lines(figures(settled(app.selectbox(key="modality").select("text").run()))[0])["users"]
    assert image.tolist() != text.tolist()


def test_runs_are_overlaid_and_a_single_modality_stands_for_any(page) -> None:
    app = page(runs=["red-0", "light"], modality="text")
    shown = lines(figures(app)[0])
    assert list(shown) == [
        "red-0 · users",
        "red-0 · items",
        "light (id) · users",
        "light (id) · items",
    ]
    assert len(shown["light (id) · users"]) == 4


def test_permalink_restores_the_view(page) -> None:
    app = page(
        runs=["light"],
        smoothness_view="Readout",
        smoothness_part="Go deeper",
        to_depth="11",
        depth="5",
    )
    assert app.selectbox(key="run").value == "light"
    assert app.session_state["smoothness_view"] == "readout"
    assert app.slider(key="to_depth").value == 11
    assert app.metric[0].label == "MAD users, k = 5"
    assert len(lines(figures(app)[1])["users"]) == 12


def test_isolated_nodes_and_samples_are_told(page) -> None:
    text = said(page(runs=["light"]))
    assert f"0 of {N_USERS} users and 1 of {N_ITEMS} items have no train interaction" in text
    assert f"{N_USERS} of {N_USERS} users and {N_ITEMS - 1} of {N_ITEMS} items" in text
    assert "every value on this page is exact" in text


def test_deeper_propagates_on_and_collapses(page, runs: RunStore, shop: Path) -> None:
    app = page(runs=["light"], smoothness_part="Go deeper")
    assert app.slider(key="to_depth").value == 16
    app = settled(app.slider(key="to_depth").set_value(32).run())
    users = lines(figures(app)[1])["users"]
    dataset = load_dataset(shop)
    graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    deep = propagate_depth(runs.open("light").layers()["id"][0], graph, 32)
    table = measure_layers({"id": deep}, graph, measures=["mad"])
    np.testing.assert_allclose(users, table.query("side == 'users'")["value"], atol=1e-12)
    assert users[32] < 0.01 * users[0]
    tile = app.metric[0]
    assert tile.label == "MAD users, k = 32"
    assert float(tile.value) == pytest.approx(users[32], rel=0.01)  # readable, not 0.00
    recall = lines(figures(app)[1], "x6")
    assert set(recall) == {"layer output", "readout", "popularity"}
    assert len(recall["readout"]) == 33


def test_deeper_needs_linear_propagation(page, runs: RunStore) -> None:
    config = runs.open("light").layout.config
    facts = json.loads(config.read_text())
    facts["model"]["linear_propagation"] = False
    config.write_text(json.dumps(facts))
    app = page(runs=["light"], smoothness_part="Go deeper")
    assert "Only models with linear propagation" in said(app)
    assert len(figures(app)) == 1


def test_one_measure_is_explained(page) -> None:
    app = page(runs=["light"])
    names = app.selectbox(key="measure").options
    assert names == [m.title for m in MEASURES.values() if m.misleads is None]
    app = settled(app.selectbox(key="measure").select("effective_rank").run())
    measure = MEASURES["effective_rank"]
    assert measure.formula in app.latex[0].value
    text = said(app)
    assert "**Divided by:**" in text
    assert "arXiv 2210\\.02885" in text
    assert lines(figures(app)[1])["users"].min() >= 1


def test_epochs_are_those_of_the_metrics_file(page, runs: RunStore) -> None:
    app = page(runs=["light"], smoothness_part="During training")
    metrics = runs.open("light").metrics()
    shown = lines(figures(app)[1])
    assert list(shown) == [f"layer {k}" for k in range(4)]
    np.testing.assert_allclose(shown["layer 2"], metrics["smoothness.layer.id.2.users.mad"])
    app = settled(app.selectbox(key="epoch_measure").select("discrepancy").run())
    shown = lines(figures(app)[1], "x2")
    wanted = metrics["smoothness.readout.id.3.items.discrepancy"]
    np.testing.assert_allclose(shown["layer 3"], wanted)


def test_the_readout_by_epoch_is_the_one_that_scores(page, runs: RunStore) -> None:
    app = page(runs=["light"], smoothness_part="During training", smoothness_view="Readout")
    metrics = runs.open("light").metrics()
    assert "Readout, that of all layers, which scores." in said(app)
    shown = lines(figures(app)[1])
    assert list(shown) == ["layer 3"]
    np.testing.assert_allclose(shown["layer 3"], metrics["smoothness.readout.id.3.users.mad"])


def test_a_run_without_epochs_says_so(page, runs: RunStore) -> None:
    runs.open("light").layout.metrics.unlink()
    app = page(runs=["light"], smoothness_part="During training")
    assert "was not recorded by epoch" in said(app)


def test_alignment_weights_are_compared(page, runs: RunStore) -> None:
    app = page(runs=["light"], smoothness_part="Alignment weight")
    assert "Shown: red\\-1, red\\-0. Modality: all modalities." in said(app)
    trace = figures(app)[1]["data"][0]
    assert trace["x"] == ["0", "0.1"]
    (whole,) = [t for t in figures(app)[1]["data"] if t["name"] == "whole model"]
    wanted = [runs.open(name).evaluation().valid["recall@20"] for name in ("red-0", "red-1")]
    np.testing.assert_allclose(numbers(whole["y"]), wanted)
    one = page(runs=["red-1"], modality="image", smoothness_part="Alignment weight")
    overview = lines(figures(one)[0])["users"]
    assert lines(figures(one)[1])["users"][1] == pytest.approx(overview[2])


def test_misleading_measures_are_only_in_their_expander(page) -> None:
    app = page(runs=["light"], smoothness_part="All values")
    assert set(app.dataframe[0].value["measure"]) == {
        name for name, measure in MEASURES.items() if measure.misleads is None
    }
    assert MEASURES["mad_all"].misleads not in said(app)
    app = page(runs=["light"], smoothness_part="All values", smoothness_misleads="true")
    assert MEASURES["mad_all"].misleads in said(app)
    saturated = lines(figures(app)[1])
    assert saturated["misleading, all nodes"][-1] > 10 * saturated["to trust, users"][-1]


def test_all_values_carry_their_sizes(page) -> None:
    values = page(runs=["light", "red-0"], smoothness_part="All values").dataframe[0].value
    assert {"run", "view", "layer", "side", "value", "ci", "n", "n_excluded", "exact"} <= set(
        values
    )
    assert set(values["run"]) == {"light", "red-0 (all modalities)"}
    assert set(values.query("side == 'items'")["n_excluded"]) == {1}


def test_empty_store_says_what_to_do(page, runs: RunStore) -> None:
    shutil.rmtree(runs.root)
    app = page()
    assert "Live training" in said(app)
    assert not figures(app)


def test_broken_and_unmeasurable_runs_do_not_hide_the_others(page, runs: RunStore) -> None:
    (runs.root / "red-1" / "config.json").write_text("{")
    np.save(runs.root / "red-0" / "layers" / "image_1.npy", np.zeros((3, 3), dtype=np.float32))
    app = page(runs=["red-0", "light"], modality="image")
    assert app.selectbox(key="run").options == ["red-0", "light"]
    assert app.multiselect(key="more").value == ["light"]
    assert r"image\_1\.npy" in said(app)
    assert list(lines(figures(app)[0])) == ["users", "items"]


def test_a_vanished_data_set_is_a_sentence(page, runs: RunStore) -> None:
    config = runs.open("light").layout.config
    config.write_text(config.read_text().replace("shop", "gone"))
    app = page(runs=["light"])
    assert "Expected" in said(app)
    assert not figures(app)


def test_hostile_names_are_shown_literally(page, runs: RunStore) -> None:
    shutil.copytree(runs.root / "light", runs.root / "**x** <i>_y_")
    app = page(runs=["**x** <i>_y_", "red-0"], modality="image", smoothness_part="Alignment weight")
    assert app.header[0].value == r"What to notice in \*\*x\*\* \<i\>\_y\_"


def test_deleted_runs_are_forgotten(page, runs: RunStore) -> None:
    app = page(runs=["light"])
    shutil.rmtree(runs.root / "light")
    st.cache_data.clear()
    app = settled(app.run())
    assert app.selectbox(key="run").value == "red-1"
    assert figures(app)


def test_a_modality_that_run_a_does_not_have_is_forgotten(page) -> None:
    app = page(run="red-0", modality="text")
    assert app.selectbox(key="modality").value == "text"
    app = settled(app.selectbox(key="run").select("light").run())
    assert "modality" not in [box.key for box in app.selectbox]
    app = settled(app.selectbox(key="run").select("red-0").run())
    assert app.selectbox(key="modality").value == "all modalities"
    assert figures(app)


def test_run_b_and_further_runs_are_lines_of_their_own(page) -> None:
    app = page(run="light", vs="red-0", more=["red-1"])
    assert list(lines(figures(app)[0])) == [
        f"{name} · {side}"
        for name in ("light", "red-0 (all modalities)", "red-1 (all modalities)")
        for side in ("users", "items")
    ]


def test_all_modalities_are_measured_side_by_side(page, runs: RunStore, shop: Path) -> None:
    shown = lines(figures(page(run="red-1"))[0])
    layers = runs.open("red-1").layers()
    joined = [np.hstack(parts) for parts in zip(layers["image"], layers["text"], strict=True)]
    data = load_dataset(shop)
    graph = bipartite_graph(data.train, data.n_users, data.n_items)
    wanted = measure_layers({"all": joined}, graph, measures=["mad"]).query("view == 'layer'")
    for side in ("users", "items"):
        np.testing.assert_allclose(
            shown[side], wanted[wanted["side"] == side]["value"], rtol=1e-5, atol=1e-7
        )
