"""Degree distributions and popularity against counts by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.data.report import gini
from rednd_core.plots.data import ccdf, degree_figure, lorenz, lorenz_figure


def test_ccdf_by_hand() -> None:
    k, share = ccdf(np.array([0, 1, 1, 3]))
    assert k.tolist() == [1, 3]
    assert share.tolist() == [0.75, 0.25]  # the node without interactions counts in the denominator


def test_ccdf_agrees_with_counting() -> None:
    degrees = np.random.default_rng(0).poisson(4, size=500)
    k, share = ccdf(degrees)
    assert k.tolist() == sorted({d for d in degrees.tolist() if d > 0})
    np.testing.assert_allclose(share, [(degrees >= d).mean() for d in k], rtol=1e-6)


def test_ccdf_of_nothing_is_empty() -> None:
    for degrees in (np.array([], dtype=np.int64), np.zeros(3, dtype=np.int64)):
        k, share = ccdf(degrees)
        assert (len(k), len(share)) == (0, 0)


def test_lorenz_by_hand() -> None:
    items, interactions = lorenz(np.array([1, 0, 3, 0]))
    assert items.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert interactions.tolist() == [0, 0.75, 1, 1, 1]


def test_the_area_of_the_lorenz_curve_is_the_gini() -> None:
    degrees = np.random.default_rng(1).zipf(1.8, size=400).clip(max=500)
    items, interactions = lorenz(degrees)
    area = np.trapezoid(interactions.astype(float) - items, items.astype(float))
    assert 2 * area == pytest.approx(gini(degrees), abs=1e-5)


def test_lorenz_keeps_both_ends_of_a_long_curve() -> None:
    items, interactions = lorenz(np.arange(10_000), points=11)
    assert (len(items), items[0], items[-1], interactions[-1]) == (11, 0, 1, 1)


def test_figures_say_how_many_and_how_unequal() -> None:
    users, items = np.array([1, 2, 2]), np.array([5, 0])
    names = [trace.name for trace in degree_figure(users, items).data]
    assert names == ["users (n = 3)", "items (n = 2)"]
    assert degree_figure(users, items).data[0].customdata.tolist() == [3, 2]
    figure = lorenz_figure(items)
    assert "Gini 0.50" in figure.layout.title.text
    assert "5 interactions" in figure.layout.yaxis.title.text


def test_figures_of_empty_data_are_drawn() -> None:
    nothing = np.zeros(2, dtype=np.int64)
    assert len(degree_figure(nothing, nothing).data) == 2
    assert "Gini 0.00" in lorenz_figure(nothing).layout.title.text


def test_the_ends_of_the_lorenz_axes_have_room_for_their_labels() -> None:
    layout = lorenz_figure(np.array([3, 1])).layout
    assert (
        layout.xaxis.dtick * 4 == layout.xaxis.range[1] == 1
    )  # 100 % is a tick, half of it outside
    assert layout.margin.r >= 32
    assert layout.xaxis.ticklabelstandoff == layout.yaxis.ticklabelstandoff > 0
