"""The table: every cell against the definitions, isolated nodes, views, and the collapse facts."""

from __future__ import annotations

import math
import weakref
from itertools import tee
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rednd_core.errors import ConfigError, DataError
from rednd_core.readout import Readout
from rednd_core.smoothness import EPOCH_MEASURES, MEASURES, measure_layers, propagate_depth
from rednd_core.smoothness.compute import PER_VIEW

MEAN = Readout()

BABY = Path(__file__).parents[2] / ".." / "shared" / "data" / "baby" / "baby.inter"


@pytest.fixture
def layers(graph, rng):
    return propagate_depth(rng.standard_normal((graph.n_nodes, 6)) + 0.2, graph, 3)


def value(table, view, layer, side, measure):
    where = (
        (table["view"] == view)
        & (table["layer"] == layer)
        & (table["side"] == side)
        & (table["measure"] == measure)
    )
    return table.loc[where, "value"].item()


def naive_mad(x):
    u = x / np.linalg.norm(x, axis=1, keepdims=True)
    return np.mean([1 - u[i] @ u[j] for i in range(len(u)) for j in range(len(u)) if i != j])


def naive_effective_rank(x):
    p = np.linalg.svd(x, compute_uv=False)
    p = p / p.sum()
    return math.exp(-sum(p * np.log(p)))


def test_columns_and_rows(graph, layers):
    stacks = {"image": layers, "text": layers[:2]}
    table = measure_layers(stacks, graph, readouts={m: MEAN(xs) for m, xs in stacks.items()})
    assert list(table.columns) == [
        "view", "modality", "layer", "side", "measure",
        "value", "ci", "n", "n_excluded", "exact",
    ]  # fmt: skip
    assert not table.duplicated(["view", "modality", "layer", "side", "measure"]).any()
    # The discrepancy compares layers: it is in one view, and begins at depth 1.
    n_cells = sum(len(m.sides) * 2 for m in MEASURES.values() if m.key != "discrepancy")
    assert len(table) == n_cells * (4 + 2) + 2 * (3 + 1)
    assert set(table["measure"]) == set(MEASURES)
    assert (table["exact"] == table["ci"].isna()).all()
    assert np.isfinite(table.loc[table["measure"] != "madgap", "value"]).all()


@pytest.mark.parametrize("layer", [0, 1, 3])
@pytest.mark.parametrize(("side", "start", "stop"), [("users", 0, 39), ("items", 40, 63)])
def test_a_layer_is_measured_without_the_isolated_nodes(graph, layers, layer, side, start, stop):
    """User 39 and the items 23 and 24 have no edge."""
    table = measure_layers({"id": layers}, graph, measures=("mad", "effective_rank", "uniformity"))
    x = layers[layer][start:stop]
    assert graph.degrees[start:stop].all()
    assert value(table, "layer", layer, side, "mad") == pytest.approx(naive_mad(x), rel=1e-9)
    actual = value(table, "layer", layer, side, "effective_rank")
    assert actual == pytest.approx(naive_effective_rank(x), rel=1e-9)
    row = table[(table["side"] == side) & (table["measure"] == "mad")].iloc[0]
    assert (row["n"], row["n_excluded"]) == (stop - start, 1 if side == "users" else 2)


def test_isolated_nodes_are_excluded_whatever_their_rows_hold(graph, layers):
    changed = [x.copy() for x in layers]
    for x in changed:
        x[graph.degrees == 0] = 1e6
    names = [name for name in MEASURES if name != "madgap_paper"]
    before = measure_layers({"id": layers}, graph, measures=names)
    pd.testing.assert_frame_equal(before, measure_layers({"id": changed}, graph, measures=names))
    assert set(before.loc[before["side"] == "all", "n_excluded"]) == {3}


def test_the_papers_gap_keeps_the_isolated_nodes(graph, layers):
    """Their zero rows are what makes it rise, so leaving them out would hide the flaw."""
    table = measure_layers({"id": layers}, graph, measures=["madgap_paper"])
    assert set(table["n_excluded"]) == {0}
    assert set(table["n"]) == {graph.n_nodes}


def test_a_readout_is_measured_as_a_layer_is(graph, layers):
    names = ("mad", "two_hop_rq", "dirichlet", "edge_mad", "numerical_rank", "madgap_paper")
    table = measure_layers({"id": layers}, graph, readouts={"id": MEAN(layers)}, measures=names)
    for depth in range(len(layers)):
        mean = np.mean(layers[: depth + 1], axis=0)
        direct = measure_layers({"id": [mean]}, graph, measures=names)
        for row in direct.itertuples():
            actual = value(table, "readout", depth, row.side, row.measure)
            assert actual == pytest.approx(row.value, rel=1e-9, nan_ok=True)


def test_a_last_layer_readout_is_the_layer(graph, layers):
    names = ("mad", "discrepancy")
    table = measure_layers({"id": layers}, graph, readouts={"id": layers}, measures=names)
    mad = table[table["measure"] == "mad"]
    by_view = {view: part["value"].tolist() for view, part in mad.groupby("view")}
    assert by_view["layer"] == by_view["readout"]
    alone = measure_layers({"id": layers}, graph, measures=names)
    discrepancies = (one[one["measure"] == "discrepancy"] for one in (table, alone))
    pd.testing.assert_frame_equal(*(one.reset_index(drop=True) for one in discrepancies))
    assert set(alone.loc[alone["measure"] == "mad", "view"]) == {"layer"}


def test_layers_and_readouts_may_come_one_at_a_time(graph, layers):
    """Both from one generator, as a deep propagation gives them: neither is held as a whole."""
    wanted = measure_layers({"id": layers}, graph, readouts={"id": MEAN(layers)})
    first, again = tee(iter(layers))
    found = measure_layers({"id": first}, graph, readouts={"id": MEAN.each(again)})
    pd.testing.assert_frame_equal(found, wanted)


@pytest.mark.parametrize("n_readouts", [0, 3, 5])
def test_a_readout_for_each_layer(graph, layers, n_readouts):
    readouts = {"id": [*layers, layers[0]][:n_readouts]}
    with pytest.raises(DataError, match="a readout for each"):
        measure_layers({"id": layers}, graph, readouts=readouts)


def test_layers_of_different_widths(graph, rng):
    """What has no common width is not compared; everything else is measured."""
    layers = [rng.standard_normal((graph.n_nodes, width)) for width in (6, 6, 3, 3)]
    table = measure_layers({"id": layers}, graph, measures=("mad", "effective_rank", "discrepancy"))
    assert set(table.loc[table["measure"] == "discrepancy", "layer"]) == {1}
    for layer, x in enumerate(layers):
        assert value(table, "layer", layer, "users", "mad") == pytest.approx(naive_mad(x[:39]))
        found = value(table, "layer", layer, "items", "effective_rank")
        assert found == pytest.approx(naive_effective_rank(x[40:63]))


def test_discrepancy_follows_its_definition(graph, layers):
    table = measure_layers({"id": layers}, graph, measures=["discrepancy"])
    assert set(table["view"]) == {"readout"}
    assert sorted(set(table["layer"])) == [1, 2, 3]
    for depth in (1, 2, 3):
        for side, nodes in (("users", range(39)), ("items", range(40, 63))):
            cosines = []
            for node in nodes:
                start = layers[0][node]
                mean = sum(layers[k][node] for k in range(1, depth + 1)) / depth
                cosines.append(start @ mean / math.sqrt((start @ start) * (mean @ mean)))
            actual = value(table, "readout", depth, side, "discrepancy")
            assert actual == pytest.approx(1 - sum(cosines) / len(cosines), rel=1e-9, abs=1e-15)


def test_discrepancy_of_unrelated_vectors_is_near_one(graph, rng):
    """With layer 0 in the mean it was near 0: what a node is compared with held the node itself."""
    start = rng.standard_normal((graph.n_nodes, 512))
    stack = {"id": propagate_depth(start / np.linalg.norm(start, axis=1)[:, None], graph, 1)}
    table = measure_layers(stack, graph, measures=["discrepancy"])
    assert value(table, "readout", 1, "users", "discrepancy") == pytest.approx(1, abs=0.03)


def test_discrepancy_compares_what_the_alignment_loss_compares(graph, rng):
    """The positives of the loss are cos(x_n^0, y_n) with y the mean of the layers 1..L."""
    stack = [rng.standard_normal((graph.n_nodes, 5)) for _ in range(4)]
    y = (stack[1] + stack[2] + stack[3]) / 3
    unit_x, unit_y = (m / np.linalg.norm(m, axis=1)[:, None] for m in (stack[0], y))
    positives = (unit_x * unit_y).sum(axis=1)
    table = measure_layers({"id": stack}, graph, measures=["discrepancy"])
    users = value(table, "readout", 3, "users", "discrepancy")
    items = value(table, "readout", 3, "items", "discrepancy")
    assert users == pytest.approx(1 - positives[:39].mean(), rel=1e-9)
    assert items == pytest.approx(1 - positives[40:63].mean(), rel=1e-9)


def test_quotients_do_not_assume_that_the_model_is_linear(graph, rng):
    """The next layer is unrelated to A-hat x^0, and the quotient must not notice."""
    x0, x1 = rng.standard_normal((2, graph.n_nodes, 4))
    table = measure_layers({"id": [x0, x1]}, graph, measures=["two_hop_rq"])
    block = graph.norm_adj.to_scipy(np.float64).toarray()[:40, 40:]
    for layer, x in enumerate((x0, x1)):
        users = np.where(graph.degrees[:40, None] > 0, x[:40], 0)
        expected = 1 - ((block.T @ users) ** 2).sum() / (users**2).sum()
        actual = value(table, "layer", layer, "users", "two_hop_rq")
        assert actual == pytest.approx(expected, rel=1e-9)


def test_float32_layers_are_computed_in_float64(graph, layers):
    narrow = [x.astype(np.float32) for x in layers]
    wide = [x.astype(np.float64) for x in narrow]
    pd.testing.assert_frame_equal(
        measure_layers({"id": narrow}, graph), measure_layers({"id": wide}, graph)
    )
    assert narrow[0].dtype == np.float32


def test_the_input_is_left_as_it_was(graph, layers):
    before = [x.copy() for x in layers]
    measure_layers({"id": layers}, graph)
    assert all(np.array_equal(a, b) for a, b in zip(before, layers, strict=True))


def test_samples_repeat_with_the_seed(graph, layers):
    def table(seed):
        names = ("uniformity", "madgap_paper")
        return measure_layers(
            {"id": layers}, graph, measures=names, n_pairs=50, n_rows=20, seed=seed
        )

    pd.testing.assert_frame_equal(table(1), table(1))
    assert not table(1)["value"].equals(table(2)["value"])
    assert not table(1)["exact"].any()
    assert (table(1)["ci"] >= 0).all()


def test_a_graph_with_one_edge(make_graph):
    graph = make_graph([(0, 0)], 1, 1)
    table = measure_layers({"id": [np.array([[1.0, 0], [1.0, 1.0]])]}, graph)
    for side in ("users", "items"):
        assert math.isnan(value(table, "layer", 0, side, "mad"))  # no pair
        assert value(table, "layer", 0, side, "effective_rank") == pytest.approx(1)
    assert value(table, "layer", 0, "all", "edge_mad") == pytest.approx(1 - math.sqrt(0.5))


def test_collapse_on_a_bipartite_graph_leaves_two_rays(make_graph):
    """A-hat has eigenvalues 1 and -1: per side everything vanishes, over all nodes it does not."""
    rng = np.random.default_rng(5)
    cells = rng.choice(60 * 40, size=600, replace=False)
    graph = make_graph([(c // 40, c % 40) for c in cells], 60, 40)
    deep = propagate_depth(rng.standard_normal((100, 8)), graph, 32)[-1]
    table = measure_layers({"id": [deep]}, graph)
    for side in ("users", "items"):
        assert value(table, "layer", 0, side, "mad") < 1e-6
        assert value(table, "layer", 0, side, "two_hop_rq") < 1e-6
        assert value(table, "layer", 0, side, "effective_rank") < 1.01
        assert value(table, "layer", 0, side, "uniformity") > -1e-5
    assert value(table, "layer", 0, "all", "rayleigh") > 0.1
    assert value(table, "layer", 0, "all", "mad_all") > 0.1


def test_wrong_requests_say_what_would_be_right(graph, layers):
    stack = {"id": layers}
    with pytest.raises(ConfigError, match="did you mean 'madgap'"):
        measure_layers(stack, graph, measures=["madgop"])
    with pytest.raises(ConfigError, match="n_rows of at least 2"):
        measure_layers(stack, graph, n_rows=1)
    with pytest.raises(DataError, match=r"have 65 rows.* but found \(64, 6\)"):
        measure_layers({"id": [layers[0][:-1]]}, graph)
    with pytest.raises(DataError, match="no layer"):
        measure_layers({"id": []}, graph)
    broken = layers[1].copy()
    broken[3, 2] = np.nan
    with pytest.raises(DataError, match="finite embeddings"):
        measure_layers({"id": [layers[0], broken]}, graph)


def test_the_catalogue_is_complete():
    assert set(PER_VIEW) | {"discrepancy", "madgap", "madgap_paper"} == set(MEASURES)
    assert all(key == measure.key for key, measure in MEASURES.items())
    assert set(EPOCH_MEASURES) <= set(MEASURES)
    main = {key for key, measure in MEASURES.items() if measure.main_panel}
    assert main == {"mad", "effective_rank", "two_hop_rq", "uniformity", "madgap"}
    misleading = {key for key, measure in MEASURES.items() if measure.misleads}
    assert misleading == {"mad_all", "rayleigh", "dirichlet", "madgap_paper"}
    sampled = {key for key, measure in MEASURES.items() if measure.sampled}
    assert sampled == {"uniformity", "madgap", "madgap_paper"}


def test_every_measure_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "measures.md").read_text(encoding="utf-8")
    main, rest = text.split("## Further measures")
    titles = {
        key
        for line in rest.splitlines()
        if line.startswith("### ")
        for key in MEASURES
        if f"`{key}`" in line
    }
    in_main = {
        key
        for line in main.splitlines()
        if line.startswith("### ")
        for key in MEASURES
        if f"`{key}`" in line
    }
    assert in_main == {key for key, measure in MEASURES.items() if measure.main_panel}
    assert in_main | titles == set(MEASURES)


@pytest.mark.real_data
@pytest.mark.skipif(not BABY.exists(), reason="the Baby data set is not here")
def test_random_embeddings_on_baby(make_graph):
    pairs = pd.read_csv(BABY, sep="\t").query("x_label == 0")[["userID", "itemID"]]
    graph = make_graph(pairs.to_numpy().tolist(), 19_445, 7_050)
    x0 = np.random.default_rng(0).standard_normal((graph.n_nodes, 64))
    layers = [x for k, x in enumerate(propagate_depth(x0, graph, 8)) if k in (0, 4, 8)]
    table = measure_layers({"id": layers}, graph, measures=("mad", "two_hop_rq"))
    for layer, (users, items) in enumerate([(1.00, 1.00), (0.943, 0.954), (0.275, 0.338)]):
        assert value(table, "layer", layer, "users", "mad") == pytest.approx(users, abs=0.02)
        assert value(table, "layer", layer, "items", "mad") == pytest.approx(items, abs=0.02)
    assert set(table.loc[table["side"] == "items", "n_excluded"]) == {2}


def test_layers_are_taken_one_at_a_time(graph, rng):
    """What a stream of layers gives is forgotten before the third one after it is asked for."""
    alive, most = weakref.WeakSet(), 0

    class Layer(np.ndarray):
        """An array that a weak set can hold by identity."""

        __hash__ = object.__hash__

    def stream():
        nonlocal most
        for _ in range(6):
            layer = rng.normal(size=(graph.n_nodes, 3)).view(Layer)
            alive.add(layer)
            most = max(most, len(alive))
            yield layer

    table = measure_layers({"id": stream()}, graph, measures=["mad"])
    assert table["layer"].nunique() == 6
    assert most <= 3
