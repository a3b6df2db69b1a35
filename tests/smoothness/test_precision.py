"""Large layers are kept as float32: what is measured on them is what float64 gives."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from rednd_core.cosine import pair_mad, unit_rows
from rednd_core.readout import Readout
from rednd_core.smoothness import measure_layers, precision, propagate_depth


@pytest.fixture
def large(monkeypatch) -> None:
    """Every layer is a large one."""
    monkeypatch.setattr(precision, "LARGE", 0)


def test_the_type_follows_the_size():
    assert precision.row_type(precision.LARGE) is np.float64
    assert precision.row_type(precision.LARGE + 1) is np.float32


@pytest.mark.parametrize("readout", [Readout("mean"), Readout("last")], ids=str)
def test_the_table_is_that_of_float64(graph, rng, monkeypatch, readout):
    """On sampled rows and pairs, too, as the same ones are drawn."""
    start = (rng.standard_normal((graph.n_nodes, 6)) + 0.2).astype(np.float32)
    layers = [x.astype(np.float32) for x in propagate_depth(start, graph, 3)]
    options = {"readouts": {"id": readout(layers)}, "n_rows": 20, "n_pairs": 100}
    wide = measure_layers({"id": layers}, graph, **options)
    monkeypatch.setattr(precision, "LARGE", 0)
    narrow = measure_layers({"id": layers}, graph, **options)
    pd.testing.assert_frame_equal(narrow, wide, rtol=1e-5, atol=1e-6)
    assert not narrow["value"].equals(wide["value"])


@pytest.mark.usefixtures("large")
def test_deep_layers_keep_their_digits(graph, rng):
    """MAD falls over six orders of magnitude; float32 rows still tell it."""
    start = rng.standard_normal((graph.n_nodes, 6))
    deep = propagate_depth(start, graph, 32)
    assert {x.dtype for x in deep} == {np.dtype(np.float32)}
    exact = start
    norm_adj = graph.norm_adj.to_scipy(np.float64)
    for depth in range(33):
        users = np.flatnonzero(graph.degrees[: graph.n_users])
        expected = pair_mad(exact[users])
        assert pair_mad(deep[depth][users]) == pytest.approx(expected, rel=1e-4), depth
        exact = norm_adj @ exact
    assert expected < 1e-4


@pytest.mark.parametrize("spread", [1.0, 1e-2, 1e-4])
def test_pair_mad_of_float32_rows_near_collapse(rng, spread):
    unit = unit_rows(np.full(8, 8**-0.5) + spread * rng.standard_normal((3000, 8)))
    narrow = unit.astype(np.float32)
    assert pair_mad(narrow) == pytest.approx(pair_mad(narrow.astype(np.float64)), rel=1e-5)


def test_the_centre_may_be_far_from_the_mean(rng):
    """The rows that the centre is taken from all lie on one side."""
    x = np.tile(np.array([[1.0, 0.0]]), (4096, 1))
    x[::4] = [0.0, 1.0]
    expected = 2 * 1024 * 3072 / (4096 * 4095)
    for dtype in (np.float32, np.float64):
        assert pair_mad(x.astype(dtype)) == pytest.approx(expected, rel=1e-6)
